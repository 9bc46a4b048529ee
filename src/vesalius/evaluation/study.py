"""What a downstream study trains, and how it is scored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from vesalius.core.call import Call
from vesalius.core.recipe import Recipe
from vesalius.core.record import Direction
from vesalius.generative.system import System
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.tasks.arm import ArmTask

Scores = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class CaseScore:
    """A score that every test case has."""

    name: str
    unit: str
    direction: Direction


class Study(ABC):
    """One kind of downstream use."""

    task: ClassVar[type[ArmTask]]
    scores: ClassVar[tuple[CaseScore, ...]]
    trained: ClassVar[str]

    @abstractmethod
    def recipe(self, task: Call, steps: int) -> Recipe:
        """The network and its training, the same for every arm."""

    @abstractmethod
    def test(self, system: System, task: ArmTask) -> dict[str, NDArray[Any]]:
        """Scores of the test cases by name, (case,), and whatever :meth:`tables` needs."""

    def tables(self, found: Scores) -> dict[str, tuple[TableMetric, NDArray[Any], NDArray[Any]]]:
        """Scores of the whole test set: name to metric, scores and labels; none by default.

        ``found`` is what :meth:`test` gave for every seed, (seed, case), and so are the scores;
        labels are (case,).
        """
        return {}
