"""A protocol that trains networks on images instead of measuring them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from vesalius.core.record import Record
from vesalius.training.fit import Engine


class StudyProtocol(ABC):
    """Real and generated images go in, what was learnt from them comes out.

    ``settings`` and ``remarks`` as of :class:`~vesalius.evaluation.protocols.protocol.Protocol`.
    """

    remarks: tuple[str, ...] = ()

    @property
    @abstractmethod
    def name(self) -> str:
        """By which it is called."""

    @property
    @abstractmethod
    def citation(self) -> str:
        """Where it is laid down."""

    @property
    @abstractmethod
    def settings(self) -> str:
        """What is trained on what, for records."""

    @abstractmethod
    def records(
        self,
        real: Path,
        generated: Path,
        folder: Path,
        context: Record,
        *,
        engine: Engine | None = None,
        watch: Callable[[str, int, int], None] = lambda arm, done, total: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[Record]:
        """Train and test every arm in ``folder``, going on from where a stopped study left it.

        Empty if stopped. Raises InputError for files of another layout.
        """

    def text(self) -> str:
        """Name, settings and remarks in one line, for records."""
        return "; ".join((f"{self.name}: {self.settings}", *self.remarks))
