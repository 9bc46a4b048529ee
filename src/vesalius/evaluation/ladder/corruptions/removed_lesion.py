"""Lesions that are no longer to be seen."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, replaced, share_of_patients

Array = NDArray[np.float64]


class RemovedLesion(Corruption):
    """Lesions taken out of a share of the patients who have any.

    Where the cohort knows its patients without their lesions (``healthy``), they are shown so; else
    the lesion, widened by a voxel, is filled smoothly from around (biharmonic, Damelin and Hoang,
    Int J Math Math Sci 2018, doi:10.1155/2018/3950312).
    """

    name: ClassVar[str] = "removed lesion"
    what: ClassVar[str] = "lesions taken out of patients who have any"
    severity_unit: ClassVar[str] = "of the patients with lesions"
    needs: ClassVar[tuple[str, ...]] = ("lesion",)

    def __init__(self, severities: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0)) -> None:
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """A share of the images with lesions shown without them."""
        self.check(cohort)
        assert cohort.lesion is not None
        bearing = cohort.lesion.flatten(1).any(dim=1)
        rows = share_of_patients(cohort, severity, rng, bearing)
        if not len(rows):
            return Corrupted(cohort.images, torch.zeros(len(cohort), dtype=torch.bool))
        at = torch.as_tensor(rows)
        if cohort.healthy is not None:
            return replaced(cohort.images, rows, cohort.healthy[at])
        found = [filled(cohort.images[k], cohort.lesion[k]) for k in at]
        return replaced(cohort.images, rows, torch.stack(found))


def filled(image: Tensor, lesion: Tensor) -> Tensor:
    """``image`` ``(1, *space)`` with the lesion, widened by a voxel, filled from around it."""
    from scipy.ndimage import binary_dilation
    from skimage.restoration import inpaint_biharmonic

    hole = binary_dilation(lesion[0].numpy())
    values: Array = image[0].double().numpy()
    return torch.from_numpy(inpaint_biharmonic(values, hole))[None].to(image)
