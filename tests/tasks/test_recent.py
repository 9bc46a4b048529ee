from __future__ import annotations

import pickle
import threading

import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.tasks.recent import Recent


def prepared(n_bytes: int) -> dict[str, torch.Tensor]:
    return {"x": torch.zeros(n_bytes, dtype=torch.uint8)}


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(0, 12)), max_size=40))
def test_never_more_bytes_than_allowed(asked: list[tuple[str, int]]) -> None:
    recent, sizes = Recent(limit_bytes=20), {}
    for key, size in asked:
        size = sizes.setdefault(key, size)
        assert recent.get(key, lambda size=size: prepared(size))["x"].numel() == size
        assert recent.held_bytes == sum(held["x"].numel() for held in recent.held.values()) <= 20


def test_the_least_recently_used_goes_first() -> None:
    recent, made = Recent(limit_bytes=20), []

    def get(key: str, size: int = 10) -> None:
        def make() -> dict[str, torch.Tensor]:
            made.append(key)
            return prepared(size)

        recent.get(key, make)

    for key in ("a", "b", "a", "c", "a", "b"):
        get(key)
    assert made == ["a", "b", "c", "b"]
    get("large", 21)
    get("large", 21)
    assert made[-2:] == ["large", "large"], "what is larger than all room is not kept"
    assert list(recent.held) == ["a", "b"]


def test_threads_share_it() -> None:
    recent = Recent(limit_bytes=50)

    def work(start: int) -> None:
        for k in range(200):
            key = str((start + k) % 9)
            found = recent.get(key, lambda key=key: prepared(int(key) + 1))
            assert found["x"].numel() == int(key) + 1

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recent.held_bytes == sum(held["x"].numel() for held in recent.held.values()) <= 50


def test_another_process_starts_with_nothing() -> None:
    recent = Recent(limit_bytes=50)
    recent.get("a", lambda: prepared(5))
    other = pickle.loads(pickle.dumps(recent))
    assert other.limit_bytes == 50
    assert not other.held
    assert other.held_bytes == 0
