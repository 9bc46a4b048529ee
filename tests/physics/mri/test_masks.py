from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.physics.mri import draw_lines, line_mask
from vesalius.physics.mri.masks import MaskKind, centre_lines, outer_density

kinds = st.sampled_from(["random", "equispaced"])
settings_of_fastmri = st.sampled_from(
    [(4.0, 0.08), (8.0, 0.04), (2.0, 0.16), (1.0, 0.1), (6.0, 0.0)]
)


@settings(max_examples=100, deadline=None)
@given(kinds, st.integers(16, 400), settings_of_fastmri, st.integers(0, 10_000))
def test_every_mask(kind: MaskKind, n: int, setting: tuple[float, float], seed: int) -> None:
    acceleration, fraction = setting
    assume(round(n * fraction) <= n / acceleration)
    record = draw_lines(kind, n, acceleration, fraction, np.random.default_rng(seed))
    again = draw_lines(kind, n, acceleration, fraction, np.random.default_rng(seed))
    assert json.loads(json.dumps(record)) == record == again
    lines = record["lines"]
    assert lines == sorted(set(lines))
    assert all(isinstance(line, int) and 0 <= line < n for line in lines)
    assert set(centre_lines(n, fraction)) <= set(lines)
    mask = line_mask(lines, (3, n))
    assert mask.shape == (1, 3, n)
    assert mask.sum() == 3 * len(lines)
    if kind == "equispaced":
        # the block of the centre may gain or lose one line at each end, and so may the image
        assert abs(len(lines) - n / acceleration) <= 2


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 500), st.floats(0, 0.5))
def test_centre_is_centred_on_frequency_zero(n: int, fraction: float) -> None:
    centre = centre_lines(n, fraction)
    assert len(centre) == round(n * fraction)
    if len(centre):
        assert n // 2 in centre
        assert abs((centre[0] + centre[-1]) / 2 - n // 2) <= 0.5


@pytest.mark.parametrize(("acceleration", "fraction"), [(4, 0.08), (8, 0.04)])
@pytest.mark.parametrize("kind", ["random", "equispaced"])
def test_acceleration_is_met_on_average(kind: MaskKind, acceleration: int, fraction: float) -> None:
    n, cases = 320, 400
    rng = np.random.default_rng(0)
    counts = [len(draw_lines(kind, n, acceleration, fraction, rng)["lines"]) for _ in range(cases)]
    p = outer_density(n, acceleration, fraction)
    # the binomial's own spread for random lines, a rounding for equispaced ones
    slack = 4 * (p * (1 - p) * n / cases) ** 0.5 if kind == "random" else 1
    assert abs(np.mean(counts) - n / acceleration) < slack


def test_random_lines_are_as_dense_as_defined_and_independent_of_place() -> None:
    n, cases = 64, 4000
    rng = np.random.default_rng(1)
    hits = np.zeros(n)
    for _ in range(cases):
        hits[draw_lines("random", n, 4, 0.08, rng)["lines"]] += 1
    centre = list(centre_lines(n, 0.08))
    assert len(centre) == 5
    assert (hits[centre] == cases).all()
    outer = np.delete(hits, centre) / cases
    p = (64 / 4 - 5) / (64 - 5)
    assert np.abs(outer - p).max() < 4.5 * (p * (1 - p) / cases) ** 0.5


def test_equispaced_by_hand() -> None:
    # N = 32, R = 4: N_low = round(2.56) = 3 at 15..17, distance (32 - 3) / (8 - 3) = 5.8
    for seed in range(20):
        record = draw_lines("equispaced", 32, 4, 0.08, np.random.default_rng(seed))
        offset = record["offset"]
        assert 0 <= offset < 6
        wanted = {round(offset + 5.8 * k) for k in range(6)}
        assert set(record["lines"]) == {x for x in wanted if x < 32} | {15, 16, 17}


def test_offsets_are_spread() -> None:
    rng = np.random.default_rng(0)
    offsets = {draw_lines("equispaced", 32, 4, 0.08, rng)["offset"] for _ in range(200)}
    assert offsets == set(range(6))


def test_acceleration_of_one_samples_everything() -> None:
    for kind in ("random", "equispaced"):
        record = draw_lines(kind, 33, 1, 0.08, np.random.default_rng(0))
        assert record["lines"] == list(range(33))


def test_impossible_masks_are_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(InputError, match="lower the centre fraction"):
        draw_lines("random", 128, 8, 0.2, rng)
    with pytest.raises(InputError, match="acceleration of 1 or more"):
        draw_lines("random", 128, 0.5, 0.08, rng)
    with pytest.raises(InputError, match="'random' or 'equispaced'"):
        draw_lines("spiral", 128, 4, 0.08, rng)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="lines from 0 to 7"):
        line_mask([3, 8], (4, 8))


def test_lines_are_along_the_last_axis_of_a_volume() -> None:
    mask = line_mask([1, 3], (2, 3, 4))
    assert torch.equal(mask[0, 1, 2], torch.tensor([False, True, False, True]))
