from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import Batch, InputError, Recipe
from vesalius.data.source import Case
from vesalius.tasks.task import Task
from vesalius.training.batches import Prefetched, case_order, training_batch


@given(
    st.integers(1, 9), st.integers(0, 50), st.integers(0, 30), st.integers(0, 3), st.integers(0, 30)
)
def test_order_is_one_endless_sequence_of_whole_epochs(
    n: int, first: int, count: int, seed: int, cut: int
) -> None:
    cut = min(cut, count)
    order = case_order(n, first, count, seed)
    assert len(order) == count
    assert order == case_order(n, first, cut, seed) + case_order(n, first + cut, count - cut, seed)
    start = first // n * n
    epochs = case_order(n, start, 3 * n, seed)
    for k in range(3):
        assert sorted(epochs[k * n : (k + 1) * n]) == list(range(n))


def test_epochs_and_seeds_differ() -> None:
    assert case_order(50, 0, 50, 0) != case_order(50, 50, 50, 0)
    assert case_order(50, 0, 50, 0) != case_order(50, 0, 50, 1)


def test_parts_make_up_the_batch(tiny_recipe: Callable[..., Recipe]) -> None:
    task: Task = tiny_recipe("regression").task.build()
    whole = training_batch(task, 3, 0, 1, 4, seed=7)
    parts = [training_batch(task, 3, part, 2, 4, seed=7) for part in range(2)]
    for part, batch in enumerate(parts):
        assert batch.cases == whole.cases[part::2]
        assert batch.given is not None
        assert whole.given is not None
        assert torch.equal(batch.given, whole.given[part::2])
    again = training_batch(task, 3, 0, 1, 4, seed=7)
    assert whole.wanted is not None
    assert again.wanted is not None
    assert torch.equal(again.wanted, whole.wanted), "the same step sees the same, augmented alike"
    seen = Counter(
        case for step in range(7) for case in training_batch(task, step, 0, 1, 2, seed=7).cases
    )
    assert set(seen) <= {case.identifier for case in task.split["train"]}


def test_batches_come_in_order_and_the_thread_ends(tiny_recipe: Callable[..., Recipe]) -> None:
    task: Task = tiny_recipe("regression").task.build()
    with Prefetched(task, 2, 10**6, [0, 1], 2, 4, seed=0) as prefetched:
        stream = iter(prefetched)
        for step in (2, 3, 4):
            found = next(stream)
            expected = [training_batch(task, step, part, 2, 4, 0) for part in (0, 1)]
            assert [batch.cases for batch in found] == [batch.cases for batch in expected]
        assert prefetched.waited_s > 0
    assert not prefetched.thread.is_alive()
    assert "vesalius-batches" not in {thread.name for thread in threading.enumerate()}


def test_an_error_in_the_thread_reaches_the_loop(
    tiny_recipe: Callable[..., Recipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    task: Task = tiny_recipe("regression").task.build()

    def broken(self: Task, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        raise InputError("a whole file", came="half of one", case=case.identifier)

    monkeypatch.setattr(type(task), "load", broken)
    with (
        pytest.raises(InputError, match="half of one"),
        Prefetched(task, 0, 5, [0], 1, 2, seed=0) as prefetched,
    ):
        next(iter(prefetched))
    assert not prefetched.thread.is_alive()
