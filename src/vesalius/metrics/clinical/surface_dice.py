"""Surface Dice of a named label at a tolerance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import regions
from vesalius.metrics.clinical.surfaces import check_spacing, surface_distances
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_positive
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class SurfaceDice(CaseMetric):
    """The fraction of both surfaces that lies within ``tolerance_mm`` of the other.

    Surfaces are counted in voxels, not in area. Zero where only one of the maps has the label, NaN
    where neither has it.

    Parameters
    ----------
    label, label_name:
        The label's number in the maps and what it stands for.
    spacing_mm:
        Voxel size along every axis of space; it must fit the images.
    tolerance_mm:
        Distance up to which a surface counts as agreeing, such as that between two readers.
    """

    name: ClassVar[str] = "surface_dice"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = (
        "Nikolov et al., J Med Internet Res 23:e26151, 2021, doi:10.2196/26151"
    )

    label: int
    label_name: str
    spacing_mm: tuple[float, ...]
    tolerance_mm: float = field(kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("spacing_mm", *self.spacing_mm)
        if not self.tolerance_mm >= 0:
            raise InputError("a 'tolerance_mm' of at least zero", came=repr(self.tolerance_mm))

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or neither map has the label in it."""
        found, truth, _ = regions(predicted, reference, mask, self.label)
        check_spacing(self.spacing_mm, tuple(found.shape[2:]))
        values = [self._of_case(one[0], other[0]) for one, other in zip(found, truth, strict=True)]
        return torch.tensor(values, dtype=torch.float64, device=reference.device)

    def _of_case(self, found: Tensor, truth: Tensor) -> float:
        has_found, has_truth = bool(found.any()), bool(truth.any())
        if not has_found and not has_truth:
            return math.nan
        if not (has_found and has_truth):
            return 0.0
        there, back = surface_distances(found, truth, self.spacing_mm)
        near = (there <= self.tolerance_mm).sum() + (back <= self.tolerance_mm).sum()
        return float(near / (len(there) + len(back)))
