from __future__ import annotations

import subprocess
import sys

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core.rng import derive, numpy_stream, torch_stream

NAMES = st.lists(st.integers() | st.text(alphabet="abc/ 01", max_size=5), max_size=4)


@given(st.integers(0, 2**32), NAMES, st.integers(0, 2**32), NAMES)
def test_streams_are_equal_exactly_where_their_names_are(
    seed: int, names: list[int | str], other_seed: int, other: list[int | str]
) -> None:
    same = (seed, names) == (other_seed, other)
    assert (derive(seed, *names) == derive(other_seed, *other)) == same
    assert 0 <= derive(seed, *names) < 2**63


def test_numbers_and_words_are_told_apart() -> None:
    assert derive(0, 1) != derive(0, "1")
    assert derive(0, "a", "b") != derive(0, "ab")
    assert derive(0) != derive(0, "")


def test_streams_are_the_same_in_every_process() -> None:
    code = "from vesalius.core.rng import derive; print(derive(3, 'step', 5))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(out.stdout) == derive(3, "step", 5)
    assert derive(0, "step", 1) == 3286008240592085899, "published runs were made with this stream"


def test_generators_leave_the_global_state_alone() -> None:
    before = torch.random.get_rng_state().clone(), np.random.get_state()[1].copy()  # type: ignore[union-attr, index] # noqa: NPY002
    first = torch.randn(5, generator=torch_stream(0, "x"))
    assert torch.equal(first, torch.randn(5, generator=torch_stream(0, "x")))
    a, b = numpy_stream(0, "x").random(3), numpy_stream(0, "x").random(3)
    assert (a == b).all()
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all()  # type: ignore[index] # noqa: NPY002


def test_neighbouring_streams_are_uncorrelated() -> None:
    drawn = np.stack([numpy_stream(0, "case", k).standard_normal(2000) for k in range(12)])
    correlation = np.corrcoef(drawn) - np.eye(12)
    assert np.abs(correlation).max() < 5 / np.sqrt(2000)
