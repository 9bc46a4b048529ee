"""Accelerated MRI as fastMRI judges it: magnitude volumes, relative to their maximum."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import format_of, read_image
from vesalius.data.formats.hdf5 import Hdf5, open_hdf5, read_dataset
from vesalius.evaluation.protocols.protocol import (
    Content,
    Found,
    Measure,
    Pair,
    Protocol,
    measured,
)
from vesalius.metrics.pixel import fastmri

#: The data set in which fastMRI expects reconstructions.
RECONSTRUCTION = "reconstruction"


@dataclass(frozen=True)
class FastMRI(Protocol):
    """Accelerated MRI: NMSE, PSNR and SSIM of volumes, relative to their maximum."""

    anatomy: Literal["knee", "brain"]
    acceleration: int
    centre_fraction: float
    lines: Literal["random", "equispaced"]

    citation = "Zbontar et al., fastMRI, 2018, arXiv:1811.08839"
    dims = (3,)
    mask = "none"
    over = "volumes"
    crops = True
    remarks = (
        "which lines of k-space were measured is the user's word",
        "slices of files other than .h5 lie across the axis nearest to head-feet",
    )

    @property
    def name(self) -> str:
        """Anatomy and acceleration."""
        return f"fastmri-{self.anatomy}-{self.acceleration}x"

    @property
    def settings(self) -> str:
        """Sampling, crop and range."""
        return (
            f"{self.lines} lines, centre fraction {self.centre_fraction:g}; cropped to the target "
            "and to a square of its width; range: the volume's maximum; SSIM of slices, 7x7 uniform"
        )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """SSIM first, by which the challenge ranks."""
        nmse, psnr, ssim = map(Measure.of, fastmri())
        return ssim, nmse, psnr

    def content(self, path: Path, *, real: bool) -> Content:
        """A volume; in HDF5 a reconstruction, with slices along its first axis."""
        if not isinstance(format_of(path), Hdf5):
            return Content(read_image(path))
        with open_hdf5(path) as file:
            ours = RECONSTRUCTION in file
        if not ours:
            return Content(read_image(path), slice_axis=0)
        volume = torch.from_numpy(read_dataset(path, RECONSTRUCTION)).float()
        if volume.ndim == 4 and volume.shape[1] == 1:
            volume = volume[:, 0]
        if volume.ndim != 3:
            raise InputError("a volume (slice, row, column)", came=tuple(volume.shape), case=path)
        image = Image(volume[None], modality="MR").require_finite(path.name)
        return Content(image, slice_axis=0)

    def values(self, pair: Pair) -> Found:
        """One value a volume."""
        along = pair.slice_axis + 2
        reference = pair.reference.movedim(along, 2)
        width = reference.shape[4]
        # fastMRI crops rows to the width; shorter columns stay as they are
        wanted = (min(reference.shape[3], width), width)
        reference = _cropped(reference, wanted)
        predicted = _cropped(pair.predicted.movedim(along, 2), wanted)
        if predicted.shape != reference.shape:
            raise InputError(
                f"a reconstruction of at least the target's size {tuple(reference.shape[2:])}",
                came=tuple(predicted.shape[2:]),
            )
        return measured(
            fastmri(), replace(pair, predicted=predicted, reference=reference, mask=None)
        )


def _cropped(volume: Tensor, wanted: tuple[int, int]) -> Tensor:
    """The centre of every slice, ``(1, 1, slice, row, column)``."""
    for axis, size in zip((3, 4), wanted, strict=True):
        if volume.shape[axis] > size:
            volume = volume.narrow(axis, (volume.shape[axis] - size) // 2, size)
    return volume


def knee_4x() -> FastMRI:
    """Knee MRI at four-fold acceleration: NMSE, PSNR and SSIM as fastMRI has them."""
    return FastMRI("knee", 4, 0.08, "random")


def brain_8x() -> FastMRI:
    """Brain MRI at eight-fold acceleration: NMSE, PSNR and SSIM as fastMRI has them."""
    return FastMRI("brain", 8, 0.04, "equispaced")
