"""A metric of one mask, in a structure that is asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from vesalius.metrics.clinical.structures_metric import StructuresMetric, structure_of
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


class OfStructure(StructuresMetric):
    """The same metric in one structure, named after it: ``PTV70 mean_dose_error``.

    ``metric`` is a dataclass, as every metric of the package that has parameters.
    """

    def __init__(self, metric: CaseMetric, structure: str) -> None:
        self.metric, self.structure = metric, structure
        self.name = f"{structure} {metric.name}"  # type: ignore[misc]
        self.level = metric.level  # type: ignore[misc]
        self.direction = metric.direction  # type: ignore[misc]
        self.citation = metric.citation  # type: ignore[misc]

    @property
    def parameters(self) -> dict[str, Any]:
        """The metric's own, and the structure."""
        return {**parameters_of(self.metric), "structure": self.structure}

    @property
    def unit(self) -> str:
        """The metric's own."""
        return self.metric.unit

    def statistic(
        self,
        predicted: Tensor,
        reference: Tensor,
        structures: Mapping[str, Tensor],
        *,
        spacing_mm: tuple[float, ...],
    ) -> Tensor:
        """The metric's own; a metric that needs the voxel size has its own ``spacing_mm``."""
        return self.metric.statistic(
            predicted, reference, structure_of(structures, self.structure, reference)
        )
