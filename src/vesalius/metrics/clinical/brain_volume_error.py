"""Error of the volume of the brain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import regions, voxels
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class BrainVolumeError(CaseMetric):
    """Predicted minus reference volume of the labels of the brain, in percent of the reference.

    The labels count together: a voxel of grey matter that is called white does not change the
    volume. NaN where the reference has none of them. For millilitres see
    :class:`~vesalius.metrics.clinical.volume_error.VolumeError`.

    Parameters
    ----------
    labels:
        Their numbers in the maps, such as those of grey and white matter.
    """

    name: ClassVar[str] = "brain_volume_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = "Smith et al., NeuroImage 17:479, 2002, doi:10.1006/nimg.2002.1040"

    labels: tuple[int, ...]

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        if not self.labels or len(set(self.labels)) < len(self.labels):
            raise InputError("the labels of the brain, each once", came=repr(self.labels))

    @property
    def unit(self) -> str:
        """Percent of the reference."""
        return "%"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        found, truth = (
            torch.stack([voxels(region) for region in of_labels]).sum(dim=0)
            for of_labels in zip(*self._regions(predicted, reference, mask), strict=True)
        )
        return torch.where(truth > 0, 100 * (found - truth) / truth, math.nan)

    def _regions(
        self, predicted: Tensor, reference: Tensor, mask: Tensor | None
    ) -> list[tuple[Tensor, Tensor]]:
        return [regions(predicted, reference, mask, label)[:2] for label in self.labels]
