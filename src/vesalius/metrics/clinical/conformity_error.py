"""Error of how well an isodose fits a target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import check_one_channel, voxels
from vesalius.metrics.clinical.structures_metric import StructuresMetric, structure_of
from vesalius.metrics.clinical.surfaces import check_spacing
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_positive, checked


@dataclass(frozen=True)
class ConformityError(StructuresMetric):
    """Predicted minus reference conformity index |T ∩ P|² / (|T| |P|) of a target, after Paddick.

    T is the target and P the volume that gets the prescription, anywhere in the image. The index is
    1 where they are the same and 0 where no voxel of the target gets the prescription. NaN where
    the case has no such target.

    Parameters
    ----------
    target:
        The name of its structure.
    prescription_gy:
        The dose that the target is to get at least.
    """

    name: ClassVar[str] = "conformity_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = "Paddick, J Neurosurg 93(Suppl 3):219, 2000"

    target: str
    prescription_gy: float

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("prescription_gy", self.prescription_gy)

    @property
    def unit(self) -> str:
        """None: a ratio of volumes."""
        return "1"

    def statistic(
        self,
        predicted: Tensor,
        reference: Tensor,
        structures: Mapping[str, Tensor],
        *,
        spacing_mm: tuple[float, ...],
    ) -> Tensor:
        """``(batch,)`` float64; the voxel size cancels out."""
        predicted, reference, _ = checked(predicted, reference, None)
        check_one_channel(reference)
        check_spacing(spacing_mm, tuple(reference.shape[2:]))
        target = structure_of(structures, self.target, reference)
        return self._index(predicted, target) - self._index(reference, target)

    def _index(self, dose_gy: Tensor, target: Tensor) -> Tensor:
        prescribed = dose_gy >= self.prescription_gy
        common = voxels(prescribed & target)
        index = common.square() / (voxels(target) * voxels(prescribed))
        return torch.where((voxels(prescribed) == 0) & (voxels(target) > 0), 0.0, index)
