"""95th percentile Hausdorff distance of a named label."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import regions
from vesalius.metrics.clinical.surfaces import check_spacing, diagonal_mm, surface_distances
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_positive
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class HD95(CaseMetric):
    """The larger of the two directed 95th percentiles of surface distance, in mm.

    Where only one of the maps has the label, the value is the image's diagonal: a miss counts as
    the longest distance there is and is not dropped. NaN where neither has it.

    Parameters
    ----------
    label, label_name:
        The label's number in the maps and what it stands for.
    spacing_mm:
        Voxel size along every axis of space; it must fit the images.
    """

    name: ClassVar[str] = "hd95"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Huttenlocher et al., IEEE TPAMI 15:850, 1993, doi:10.1109/34.232073"

    label: int
    label_name: str
    spacing_mm: tuple[float, ...]

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("spacing_mm", *self.spacing_mm)

    @property
    def unit(self) -> str:
        """Millimetres."""
        return "mm"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty or neither map has the label in it."""
        found, truth, _ = regions(predicted, reference, mask, self.label)
        space = tuple(found.shape[2:])
        check_spacing(self.spacing_mm, space)
        values = [self._of_case(one[0], other[0]) for one, other in zip(found, truth, strict=True)]
        return torch.tensor(values, dtype=torch.float64, device=reference.device)

    def _of_case(self, found: Tensor, truth: Tensor) -> float:
        has_found, has_truth = bool(found.any()), bool(truth.any())
        if not has_found and not has_truth:
            return math.nan
        if not (has_found and has_truth):
            return diagonal_mm(tuple(found.shape), self.spacing_mm)
        there, back = surface_distances(found, truth, self.spacing_mm)
        return float(max(np.percentile(there, 95), np.percentile(back, 95)))
