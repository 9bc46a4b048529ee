from __future__ import annotations

import itertools
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.data import Case, prefetch


@settings(max_examples=25, deadline=None)
@given(
    delays=st.lists(st.floats(0, 0.004), max_size=20),
    workers=st.integers(0, 4),
    ahead=st.integers(1, 6),
)
def test_order_is_kept_whatever_finishes_first(
    delays: list[float], workers: int, ahead: int
) -> None:
    def slow(item: tuple[int, float]) -> int:
        time.sleep(item[1])
        return item[0]

    found = list(prefetch(slow, enumerate(delays), workers=workers, ahead=ahead))
    assert found == list(range(len(delays)))


def test_memory_is_bounded_and_items_may_be_endless() -> None:
    drawn = itertools.count()
    started: list[int] = []
    for result in prefetch(lambda k: started.append(k) or k, drawn, workers=3, ahead=4):
        assert len(started) - result <= 4
        if result == 30:
            break
    assert next(drawn) <= 36


def test_work_happens_at_the_same_time() -> None:
    meeting = threading.Barrier(2, timeout=10)

    def meet(item: int) -> int:
        meeting.wait()
        return item

    assert list(prefetch(meet, range(6), workers=2, ahead=4)) == list(range(6))


def test_closing_early_stops_the_workers() -> None:
    reader = prefetch(lambda k: k, itertools.count(), workers=2, ahead=2)
    assert next(reader) == 0
    reader.close()  # type: ignore[attr-defined]
    assert not [t for t in threading.enumerate() if t.name.startswith("prefetch")]


@pytest.mark.parametrize("workers", [0, 2])
def test_errors_come_in_order_and_name_the_case(workers: int) -> None:
    def read(case: Case) -> str:
        if case.identifier == "c2":
            raise InputError("a volume", came="nothing")
        if case.identifier == "c3":
            raise KeyError("x")
        return case.identifier

    cases = [Case(f"c{k}", "p") for k in range(5)]
    reader = prefetch(read, cases, workers=workers)
    assert [next(reader), next(reader)] == ["c0", "c1"]
    with pytest.raises(InputError, match=r"^c2: expected a volume, got nothing\.$"):
        next(reader)
    with pytest.raises(KeyError) as caught:
        list(prefetch(read, cases[3:], workers=workers))
    assert caught.value.__notes__ == ["while reading case c3"]


def test_a_case_that_is_named_already_stays_named() -> None:
    def read(case: Case) -> str:
        raise InputError("a volume", case="file.nii")

    with pytest.raises(InputError, match=r"^file\.nii: ") as caught:
        list(prefetch(read, [Case("c", "p")]))
    assert caught.value.__notes__ == ["while reading case c"]


def test_a_disk_that_fails() -> None:
    def read(case: Case) -> str:
        raise OSError("I/O error")

    with pytest.raises(InputError, match="c: expected a case that can be read, got I/O error"):
        list(prefetch(read, [Case("c", "p")]))


def test_wrong_numbers() -> None:
    with pytest.raises(InputError, match="workers of 0 or more"):
        prefetch(abs, [1], workers=-1)
    with pytest.raises(InputError, match="ahead of 1 or more"):
        prefetch(abs, [1], ahead=0)
