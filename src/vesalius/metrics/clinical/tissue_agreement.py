"""Agreement of the tissue classes that two images show."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import check_one_channel
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked
from vesalius.metrics.metric import CaseMetric

HISTOGRAM_BINS = 256


@dataclass(frozen=True)
class TissueAgreement(CaseMetric):
    """Mean Dice of intensity classes, cut by thresholds that are found on the reference.

    Multi-Otsu thresholds of the reference's values in the mask divide both images into ``classes``
    classes; the Dice values of the classes are averaged. A proxy for what a tissue segmentation
    downstream would make of the image: no anatomy is segmented, and where a trained segmentation
    network exists, its Dice is the better number. Not symmetric.

    Parameters
    ----------
    classes:
        2 to 4, since the search grows a hundredfold with each; three suit brain T1 in a brain mask
        (cerebrospinal fluid, grey matter, white matter).
    """

    name: ClassVar[str] = "tissue_agreement"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Liao et al., multilevel Otsu, J Inf Sci Eng 17:713, 2001"

    classes: int = field(default=3, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        if not 2 <= self.classes <= 4:
            raise InputError("2 to 4 classes", came=repr(self.classes))

    @property
    def unit(self) -> str:
        """None: a fraction."""
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where the reference has fewer values than classes in the mask.

        An empty mask is such a case.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        check_one_channel(reference)
        values = []
        for case in range(reference.shape[0]):
            within = (
                torch.ones_like(reference[case], dtype=torch.bool) if mask is None else mask[case]
            )
            found, truth = (x[case][within].cpu().numpy() for x in (predicted, reference))
            values.append(self._of_case(found, truth))
        return torch.tensor(values, dtype=torch.float64, device=reference.device)

    def _of_case(self, found: NDArray[np.float64], truth: NDArray[np.float64]) -> float:
        from skimage.filters import threshold_multiotsu

        if truth.size == 0 or truth.min() == truth.max():
            return math.nan
        counts, edges = np.histogram(truth, HISTOGRAM_BINS)
        if np.count_nonzero(counts) < self.classes:
            return math.nan
        # Otsu splits the histogram after a bin, so the cut is at that bin's upper edge
        cuts = threshold_multiotsu(hist=(counts, edges[1:]), classes=self.classes)
        found_class, truth_class = np.digitize(found, cuts), np.digitize(truth, cuts)
        common = np.bincount(truth_class[found_class == truth_class], minlength=self.classes)
        total = np.bincount(found_class, minlength=self.classes) + np.bincount(
            truth_class, minlength=self.classes
        )
        present = total > 0
        return float(np.mean(2 * common[present] / total[present]))
