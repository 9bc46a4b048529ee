"""Batches by step number: the same step always sees the same cases, degraded alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from queue import Empty, Full, Queue

from vesalius.core.batch import Batch
from vesalius.core.rng import numpy_stream
from vesalius.tasks.task import Task, collate


def case_order(n_cases: int, first: int, count: int, seed: int) -> list[int]:
    """Positions ``first`` to ``first + count`` of an endless sequence of shuffled epochs.

    >>> sorted(case_order(4, 0, 4, seed=0)) == sorted(case_order(4, 4, 4, seed=0)) == [0, 1, 2, 3]
    True
    """
    order: list[int] = []
    while count > 0:
        epoch, place = divmod(first, n_cases)
        shuffled = numpy_stream(seed, "epoch", epoch).permutation(n_cases)
        taken = shuffled[place : place + count].tolist()
        order.extend(taken)
        first += len(taken)
        count -= len(taken)
    return order


def training_batch(
    task: Task, step: int, part: int, parts: int, batch_size: int, seed: int
) -> Batch:
    """Part ``part`` of the ``parts`` (processes x accumulation) that make up step ``step``."""
    cases = task.split["train"]
    order = case_order(len(cases), step * batch_size, batch_size, seed)
    share = range(part, batch_size, parts)
    loaded = []
    for place in share:
        rng = numpy_stream(seed, "case", step, place)
        loaded.append(task.load(cases[order[place]], rng, augment=True))
    return collate(loaded)


class Prefetched:
    """Batches of coming steps, made in a thread while the current one trains; order is kept."""

    def __init__(
        self,
        task: Task,
        first_step: int,
        last_step: int,
        parts: list[int],
        n_parts: int,
        batch_size: int,
        seed: int,
        ahead: int = 3,
    ) -> None:
        self.queue: Queue[list[Batch] | BaseException] = Queue(maxsize=ahead)
        self.stopped = threading.Event()
        self.waited_s = 0.0

        def produce() -> None:
            try:
                for step in range(first_step, last_step):
                    made = [
                        training_batch(task, step, part, n_parts, batch_size, seed)
                        for part in parts
                    ]
                    if self._put(made):
                        return
            except BaseException as error:
                self._put(error)

        self.thread = threading.Thread(target=produce, name="vesalius-batches", daemon=True)

    def _put(self, item: list[Batch] | BaseException) -> bool:
        while not self.stopped.is_set():
            try:
                self.queue.put(item, timeout=0.2)
            except Full:  # look again whether to stop
                continue
            return False
        return True

    def __enter__(self) -> Prefetched:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        try:
            while True:
                self.queue.get_nowait()
        except Empty:
            pass
        self.thread.join(timeout=30)

    def __iter__(self) -> Iterator[list[Batch]]:
        import time

        while True:
            before = time.perf_counter()
            item = self.queue.get()
            self.waited_s += time.perf_counter() - before
            if isinstance(item, BaseException):
                raise item
            yield item
