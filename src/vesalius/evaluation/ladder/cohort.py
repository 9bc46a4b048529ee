"""Images of patients with whatever is known to be true of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import check_finite

MAPS = ("reference", "healthy", "mask", "lesion", "possible", "tissues")


@dataclass(frozen=True, eq=False)
class Cohort:
    """Images ``(n, 1, *space)``, 2D or 3D, and what is true of them; all maps of the same shape.

    Parameters
    ----------
    images:
        In physical units.
    patients:
        One identifier an image; None: every image is a patient of its own.
    reference:
        What paired metrics compare with, best a second scan of the same visit.
    healthy:
        The same patients without their lesions, where that is known.
    mask:
        bool, where metrics are measured (the body); None for everywhere.
    lesion:
        bool, where the patient has lesions.
    possible:
        bool, where a lesion of this kind can be (the brain).
    tissues:
        Whole numbers: the label map that a reader of the images should find.
    label:
        ``(n,)`` int64, the class of each image, from zero.
    spacing_mm:
        Three voxel sizes; for slices the third is their thickness.
    """

    images: Tensor
    patients: tuple[str, ...] | None = None
    reference: Tensor | None = None
    healthy: Tensor | None = None
    mask: Tensor | None = None
    lesion: Tensor | None = None
    possible: Tensor | None = None
    tissues: Tensor | None = None
    label: Tensor | None = None
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __post_init__(self) -> None:
        if self.images.ndim not in (4, 5) or self.images.shape[1] != 1 or not len(self.images):
            raise InputError(
                "images of shape (n, 1, *space) with 2 or 3 axes of space",
                came=f"shape {tuple(self.images.shape)}",
            )
        check_finite(self.images, "images")
        if self.patients is not None and len(self.patients) != len(self.images):
            raise InputError(f"one patient for each of {len(self)} images", came=len(self.patients))
        for name in MAPS:
            found = getattr(self, name)
            if found is not None and found.shape != self.images.shape:
                raise InputError(
                    f"'{name}' of the images' shape {tuple(self.images.shape)}",
                    came=f"shape {tuple(found.shape)}",
                )
        if self.label is not None and self.label.shape != (len(self),):
            raise InputError(f"{len(self)} labels", came=f"shape {tuple(self.label.shape)}")
        for name in ("mask", "lesion", "possible"):
            found = getattr(self, name)
            if found is not None and found.dtype is not torch.bool:
                raise InputError(f"'{name}' of type bool", came=str(found.dtype))

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: Sequence[int] | NDArray[np.int64]) -> Cohort:
        """These rows, in this order."""
        at = torch.as_tensor(np.asarray(rows, dtype=np.int64))
        maps: dict[str, Any] = {
            name: None if (found := getattr(self, name)) is None else found[at]
            for name in (*MAPS, "label")
        }
        patients = None if self.patients is None else tuple(self.patients[int(k)] for k in at)
        return replace(self, images=self.images[at], patients=patients, **maps)

    def showing(self, images: Tensor) -> Cohort:
        """The same patients and the same truth, shown by other images."""
        return replace(self, images=images)

    def by_patient(self) -> list[NDArray[np.int64]]:
        """Row numbers of each patient, in the order of their first image."""
        names = range(len(self)) if self.patients is None else self.patients
        groups: dict[object, list[int]] = {}
        for row, name in enumerate(names):
            groups.setdefault(name, []).append(row)
        return [np.asarray(rows, dtype=np.int64) for rows in groups.values()]

    def patient_numbers(self) -> NDArray[np.int64]:
        """The number of each image's patient, ``(n,)``, in the order of their first images."""
        found = np.empty(len(self), dtype=np.int64)
        for number, rows in enumerate(self.by_patient()):
            found[rows] = number
        return found
