"""How many lesions are found, and how many of those are lesions."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import regions, where_judged
from vesalius.metrics.description import parameters_of
from vesalius.metrics.metric import CaseMetric

Hits = NDArray[np.bool_]


@dataclass(frozen=True)
class LesionDetectionF1(CaseMetric):
    """Harmonic mean of the share of lesions found and the share of findings that are lesions.

    A lesion is a connected component of the label. A reference lesion is found if the prediction
    covers at least ``least_overlap`` of its voxels, one at least; a predicted one is right if the
    reference covers as much of it. So one large finding may find several lesions, and several
    findings one. The source also bounds how much of its findings may lie outside a lesion; that
    rule is left out here, so numbers do not compare with its. Zero where only one of the maps has
    lesions.

    Parameters
    ----------
    label, label_name:
        The lesions' number in the maps and what it stands for.
    least_overlap:
        The share of a lesion, between 0 and 1, that has to be covered.
    least_voxels:
        Components smaller than this are not counted, in either map.
    connectivity:
        "corners": voxels that touch anywhere belong together; "faces": those that share a face.
    both_absent:
        The value where neither map has a lesion: NaN leaves the case out, 1.0 rewards it.
    """

    name: ClassVar[str] = "lesion_detection_f1"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = (
        "after Commowick et al., Sci Rep 8:13650, 2018, doi:10.1038/s41598-018-31911-7"
    )

    label: int
    label_name: str
    least_overlap: float = field(default=0.1, kw_only=True)
    least_voxels: int = field(default=1, kw_only=True)
    connectivity: Literal["corners", "faces"] = field(default="corners", kw_only=True)
    both_absent: float = field(default=math.nan, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        if not 0 <= self.least_overlap <= 1:
            raise InputError("a 'least_overlap' between 0 and 1", came=repr(self.least_overlap))
        if self.least_voxels < 1:
            raise InputError("'least_voxels' of at least one", came=repr(self.least_voxels))

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the mask is empty."""
        found, truth, judged = regions(predicted, reference, mask, self.label)
        values = [self._of_case(one[0], other[0]) for one, other in zip(found, truth, strict=True)]
        value = torch.tensor(values, dtype=torch.float64, device=reference.device)
        return where_judged(value, judged)

    def found_and_right(self, found: Tensor, truth: Tensor) -> tuple[Hits, Hits]:
        """Whether each reference lesion is found and whether each predicted one is right.

        ``found`` and ``truth``: where the label is, ``(*space)`` bool.
        """
        predicted, lesions = self._lesions(found), self._lesions(truth)
        return self._covered(lesions, predicted > 0), self._covered(predicted, lesions > 0)

    def _of_case(self, found: Tensor, truth: Tensor) -> float:
        hits, right = self.found_and_right(found, truth)
        if not len(hits) and not len(right):
            return self.both_absent
        if not hits.any() or not right.any():
            return 0.0
        sensitivity, precision = hits.mean(), right.mean()
        return float(2 * sensitivity * precision / (sensitivity + precision))

    def _lesions(self, region: Tensor) -> NDArray[np.int64]:
        from scipy.ndimage import generate_binary_structure, label

        reach = region.ndim if self.connectivity == "corners" else 1
        lesions, _ = label(region.cpu().numpy(), generate_binary_structure(region.ndim, reach))
        sizes = np.bincount(lesions.ravel())
        large = sizes >= self.least_voxels
        large[0] = False
        renumbered: NDArray[np.int64] = np.where(large, np.cumsum(large), 0)[lesions]
        return renumbered

    def _covered(self, lesions: NDArray[np.int64], by: NDArray[np.bool_]) -> Hits:
        count = int(lesions.max(initial=0)) + 1
        sizes = np.bincount(lesions.ravel(), minlength=count)[1:]
        common = np.bincount(lesions[by], minlength=count)[1:]
        hits: Hits = (common > 0) & (common >= self.least_overlap * sizes)
        return hits
