"""Ctrl-C: once to stop after the current step with everything saved, twice to stop at once."""

from __future__ import annotations

import os
import signal
from types import FrameType, TracebackType
from typing import Any

ASKED = b"\nStopping after this step; Ctrl-C again stops at once.\n"


class Interruption:
    """While it is open, the first SIGINT or SIGTERM is remembered and the second one interrupts."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __call__(self) -> bool:
        """Whether the user asked to stop."""
        return self.asked

    def __enter__(self) -> Interruption:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        os.write(2, ASKED)  # print is not safe within a signal handler
