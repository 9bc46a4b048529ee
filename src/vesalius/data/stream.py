"""Reading ahead: the next cases are read while this one is used, in order and in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from vesalius.core.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


def _name(item: object) -> str:
    return str(getattr(item, "identifier", item))


def _result(item: object, future: Future[Result]) -> Result:
    try:
        return future.result()
    except InputError as error:
        if error.case is not None:
            error.add_note(f"while reading case {_name(item)}")
            raise
        raise InputError(
            error.expected, came=error.came, case=_name(item), remedy=error.remedy
        ) from error
    except OSError as error:
        raise InputError("a case that can be read", came=str(error), case=_name(item)) from error
    except Exception as error:
        error.add_note(f"while reading case {_name(item)}")
        raise


def prefetch(
    function: Callable[[Item], Result], items: Iterable[Item], *, workers: int = 2, ahead: int = 4
) -> Iterator[Result]:
    """``function(item)`` for each of ``items``, in their order, computed by ``workers`` threads.

    At most ``ahead`` results are under way or waiting, besides the one in use; ``items`` is drawn
    from no faster, so it may be endless. What ``function`` raises is raised where its result would
    have come, naming the case: in the sentence of an InputError, as a note on other exceptions.
    With ``workers=0`` everything happens in this thread.

    >>> list(prefetch(abs, [-1, -2, -3]))
    [1, 2, 3]
    """
    if workers < 0 or ahead < 1:
        raise InputError(
            "workers of 0 or more and ahead of 1 or more", came=f"workers={workers}, ahead={ahead}"
        )
    return _prefetch(function, iter(items), workers, ahead)


def _now(function: Callable[[Item], Result], item: Item) -> Future[Result]:
    future: Future[Result] = Future()
    try:
        future.set_result(function(item))
    except Exception as error:
        future.set_exception(error)
    return future


def _prefetch(
    function: Callable[[Item], Result], items: Iterator[Item], workers: int, ahead: int
) -> Iterator[Result]:
    if workers == 0:
        for item in items:
            yield _result(item, _now(function, item))
        return
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="prefetch")
    waiting: deque[tuple[Item, Future[Result]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(function, item)))
            if len(waiting) == ahead:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
