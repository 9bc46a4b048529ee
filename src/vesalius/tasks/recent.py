"""Prepared cases kept in memory, up to a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from torch import Tensor

Prepared = dict[str, Tensor]


class Recent:
    """Drops the least recently used beyond ``limit_bytes``; safe between threads."""

    def __init__(self, limit_bytes: int = 1 << 30) -> None:
        self.limit_bytes = limit_bytes
        self.held: OrderedDict[str, Prepared] = OrderedDict()
        self.held_bytes = 0
        self.lock = threading.Lock()

    def __getstate__(self) -> dict[str, int]:
        return {"limit_bytes": self.limit_bytes}  # other processes start with nothing

    def __setstate__(self, state: dict[str, int]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def get(self, key: str, make: Callable[[], Prepared]) -> Prepared:
        """What ``make`` returned for ``key``, made again if it was dropped."""
        with self.lock:
            if key in self.held:
                self.held.move_to_end(key)
                return self.held[key]
        made = make()
        size = sum(tensor.nbytes for tensor in made.values())
        with self.lock:
            if key not in self.held and size <= self.limit_bytes:
                self.held[key] = made
                self.held_bytes += size
                while self.held_bytes > self.limit_bytes:
                    _, dropped = self.held.popitem(last=False)
                    self.held_bytes -= sum(tensor.nbytes for tensor in dropped.values())
        return made
