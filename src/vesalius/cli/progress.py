"""How far a run is: a bar on a terminal, a line now and then elsewhere; always standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY_S = 10.0


class Shown(Protocol):
    """A watcher (see ``vesalius.runner.run.Watcher``) that is opened and closed."""

    def __enter__(self) -> Shown: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def stage(self, name: str, total: int) -> None:
        """Begin a stage."""

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        """Be so far."""


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(42), duration(150), duration(8000)
    ('42 s', '2 min 30 s', '2 h 13 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


class Lines:
    """A line when a stage begins and ends, and every ten seconds between."""

    def __init__(self) -> None:
        self._name, self._total, self._done, self._note = "", 0, 0, ""
        self._began = self._told = 0.0
        self._open = False

    def __enter__(self) -> Lines:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def stage(self, name: str, total: int) -> None:
        """End the last stage and begin another."""
        self._end()
        self._name, self._total, self._done, self._note = name, total, 0, ""
        self._began = self._told = time.monotonic()
        self._open = True
        self._tell(f"{name}: begins" + (f", {total} in all" if total else ""))

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        """Tell it, if nothing was told for a while."""
        self._done, self._note, self._total = done, note, total or self._total
        now = time.monotonic()
        if now - self._told >= LINE_EVERY_S:
            self._told = now
            left = ""
            if self._total and done:
                left = f", about {duration((now - self._began) * (self._total / done - 1))} left"
            self._tell(self._state() + left)

    def _state(self) -> str:
        part = f"{self._done} of {self._total}" if self._total else f"{self._done}"
        return f"{self._name}: {part}" + (f"  {self._note}" if self._note else "")

    def _end(self) -> None:
        if self._open:
            self._open = False
            self._tell(f"{self._state()}, {duration(time.monotonic() - self._began)}")

    def _tell(self, text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


class Bars:
    """A bar a stage, with losses, time spent and time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self._progress: Progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}", markup=False),
            console=Console(stderr=True),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def stage(self, name: str, total: int) -> None:
        """Begin another bar."""
        self._task = self._progress.add_task(name, total=total or None, note="")

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, note=note)
            if total:
                self._progress.update(self._task, total=total)


def shown() -> Shown:
    """Bars where standard error is a terminal, lines where it is not."""
    return Bars() if sys.stderr.isatty() else Lines()
