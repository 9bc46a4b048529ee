"""Where work is done: in this process, in several of this machine, or on several machines."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from vesalius.core.errors import InputError, MissingExtra

Given = TypeVar("Given")
Result = TypeVar("Result")
#: Tasks that wait for a free worker, for each worker: memory stays constant.
AHEAD = 2
#: What starts Ray on this machine instead of joining others.
LOCAL = "local"


@dataclass(frozen=True)
class Workers:
    """How many processes, or which Ray cluster (``"local"``, ``"auto"``, an address)."""

    processes: int = 1
    ray: str | None = None

    def __post_init__(self) -> None:
        if self.processes < 1:
            raise InputError("at least one process", came=self.processes)
        if self.ray is not None and self.processes > 1:
            raise InputError("processes or Ray", came="both")

    def results(
        self, work: Callable[[Given], Result], tasks: Mapping[int, Given]
    ) -> Iterator[tuple[int, Result]]:
        """Results by number, in the order in which they are done."""
        if self.ray is not None:
            return _by_ray(work, tasks, self.ray)
        if self.processes > 1 and len(tasks) > 1:
            return _by_processes(work, tasks, min(self.processes, len(tasks)))
        return ((number, work(task)) for number, task in tasks.items())


def _by_processes(
    work: Callable[[Given], Result], tasks: Mapping[int, Given], processes: int
) -> Iterator[tuple[int, Result]]:
    # spawned: a fork of a process with threads of torch in it may hang
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"))
    left = iter(tasks.items())
    waiting: dict[Future[Result], int] = {}
    try:
        while True:
            for number, task in islice(left, AHEAD * processes - len(waiting)):
                waiting[pool.submit(work, task)] = number
            if not waiting:
                return
            for one in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(one), one.result()
    except BrokenProcessPool:
        raise InputError(
            "worker processes that live",
            came="one that was ended from outside",
            remedy="it may have run out of memory: take fewer --processes and go on",
        ) from None
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_ray(
    work: Callable[[Given], Result], tasks: Mapping[int, Given], address: str
) -> Iterator[tuple[int, Result]]:
    try:
        import ray
    except ModuleNotFoundError:
        raise MissingExtra("ray", "distributed") from None
    ours = not ray.is_initialized()
    if ours:
        where = None if address == LOCAL else address
        try:
            ray.init(address=where, log_to_driver=False, include_dashboard=False)
        except ConnectionError as error:
            raise InputError(
                "the address of a Ray cluster that runs",
                came=f"'{address}' ({error})",
                remedy="start one with: ray start --head, or pass --ray local",
            ) from None
    waiting: dict[Any, int] = {}
    untyped: Any = ray
    try:
        remote, shared = untyped.remote(_applied), untyped.put(work)
        workers = max(1, int(untyped.cluster_resources().get("CPU", 1)))
        left = iter(tasks.items())
        while True:
            for number, task in islice(left, AHEAD * workers - len(waiting)):
                waiting[remote.remote(shared, task, os.getcwd())] = number
            if not waiting:
                return
            for one in ray.wait(list(waiting))[0]:
                yield waiting.pop(one), ray.get(one)
    except FileNotFoundError:  # all others of a task are InputErrors by then
        raise InputError(
            "a working folder that all machines of the cluster see", came="one that some lack",
            case=Path.cwd(), remedy="start from a shared folder",
        ) from None  # fmt: skip
    except _lost(ray) as error:
        raise InputError(
            "machines of the cluster that stay",
            came=type(error).__name__,
            remedy="one may have run out of memory: call again to go on",
        ) from None
    finally:
        if ours:
            ray.shutdown()


def _lost(ray: Any) -> tuple[type[Exception], ...]:
    """What Ray raises where a worker or a machine ended, after it has tried again."""
    found = ray.exceptions
    return (
        found.WorkerCrashedError,
        found.NodeDiedError,
        found.OutOfMemoryError,
        found.ObjectLostError,
    )


def _applied(work: Callable[[Given], Result], task: Given, where: str) -> Result:
    """Ray takes functions only, and starts them in folders of its own: paths may be relative."""
    os.chdir(where)
    return work(task)
