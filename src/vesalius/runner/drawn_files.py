"""Writing drawn images as the files that they were made from: grid, unit and bit depth kept."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vesalius.core.image import Image
from vesalius.data.formats import write_image
from vesalius.dicom import write_series
from vesalius.dicom.header import Header

#: An integer type is kept where the images span at least so many of its steps.
LEAST_LEVELS = 64
#: Part of an 8- or 16-bit scale by which values may overshoot it and are clipped.
OVERSHOOT = 0.1
#: The unit of label maps.
LABEL = "label"
DESCRIPTION = "Synthetic image (Vesalius)"


@dataclass
class Places:
    """Where the images of a case go: ``mean/<case>``, ``draw-01/<case>``, ``uncertainty/<case>``.

    Label maps go to ``labels/<case>`` in place of ``mean/<case>``, as whole numbers. So each folder
    pairs with a folder of references by file name. ``suffix`` is that of the input.
    """

    output: Path
    case: str
    suffix: str
    header: Header | None = None
    written: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    scales: dict[str, dict[str, float]] = field(default_factory=dict)

    def write(self, mean: Image, draws: Sequence[Image], uncertainty: Image | None) -> None:
        """Write the images of a case; what had to be changed is in ``notes`` and ``scales``."""
        label_map = mean.unit == LABEL
        kinds = {"labels" if label_map else "mean": mean}
        if len(draws) > 1:
            kinds |= {f"draw-{k:02d}": image for k, image in enumerate(draws, start=1)}
        everything = torch.stack([image.data for image in (mean, *draws)])
        if label_map:
            writer = self._plain
            if self.suffix == ".dcm":
                self.notes.append("written as NIfTI: label maps are no DICOM images")
        elif self.suffix == ".png":
            writer = self._png_writer(everything, mean)
        elif self.suffix == ".dcm":
            writer = self._dicom_writer(everything, mean)
        else:
            writer = self._plain_writer(everything, mean)
        for kind, image in kinds.items():
            writer(kind, image)
        if uncertainty is not None:
            if self.suffix == ".png":
                self._scaled_png("uncertainty", uncertainty, 0.0, float(uncertainty.data.max()))
            else:
                self._plain("uncertainty", replace(uncertainty, stored="float32"))

    def _path(self, kind: str) -> Path:
        # bare arrays and foreign containers would lose the geometry
        suffix = {".npy": ".npz", ".dcm": ".nii.gz", ".hdf5": ".h5"}.get(self.suffix, self.suffix)
        return self.output / kind / f"{self.case}{suffix}"

    def _plain(self, kind: str, image: Image) -> None:
        self._written(self._path(kind), image)

    def _written(self, path: Path, image: Image) -> None:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            write_image(path, image)
        kind = path.parent.name
        self.notes += [f"{kind}: {_without_path(str(w.message))}" for w in caught]
        self.written.append(path)

    def _plain_writer(self, values: Tensor, mean: Image) -> Any:
        stored = fitting_type(values, mean.stored)
        if stored != mean.stored and np.dtype(mean.stored).kind in "iu":
            self.notes.append(f"stored as {stored}: {mean.stored} cannot hold the drawn values")
        return lambda kind, image: self._plain(kind, replace(image, stored=stored))

    def _dicom_writer(self, values: Tensor, mean: Image) -> Any:
        assert self.header is not None
        header = self.header
        to_ct = mean.modality.startswith("CT") and header.modality != "CT"
        ct_without_hu = mean.modality.startswith("CT") and mean.unit != "HU"
        holds = fitting_type(values, mean.stored) == mean.stored
        if not ct_without_hu and (to_ct or holds):
            return lambda kind, image: self._series(kind, image, header)
        self.notes.append(
            f"written as NIfTI: a DICOM CT is in HU, the run draws {mean.unit}"
            if ct_without_hu
            else f"written as NIfTI: the DICOM series' {mean.stored} cannot hold the drawn values"
        )
        return self._plain_writer(values, replace(mean, stored="float32"))

    def _series(self, kind: str, image: Image, header: Header) -> None:
        folder = self.output / kind / self.case
        for old in folder.glob("*.dcm"):
            old.unlink()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            paths = write_series(folder, image, header, f"{DESCRIPTION}, {kind}")
        self.notes += sorted({f"{kind}: {_without_path(str(w.message))}" for w in caught})
        self.written += paths

    def _png_writer(self, values: Tensor, mean: Image) -> Any:
        stored = mean.stored if mean.stored in ("uint8", "uint16") else "uint16"
        largest = float(np.iinfo(stored).max)
        low, high = float(values.min()), float(values.max())
        reach = OVERSHOOT * largest
        if low >= -reach and high <= largest + reach and _spread(values) >= LEAST_LEVELS:
            return lambda kind, image: self._plain(kind, replace(image, stored=stored))
        return lambda kind, image: self._scaled_png(kind, image, low, high)

    def _scaled_png(self, kind: str, image: Image, low: float, high: float) -> None:
        slope = (high - low) / 65535 if high > low else 1.0
        scaled = ((image.data.double() - low) / slope).clamp(0, 65535)
        self._written(
            self._path(kind),
            Image(scaled, image.affine, "a.u.", image.modality, "uint16"),
        )
        self.scales[kind] = {"slope": slope, "intercept": low}
        note = "PNG values are 16-bit: value in the unit = slope x stored + intercept"
        if note not in self.notes:
            self.notes.append(note)


def _without_path(message: str) -> str:
    """A clipping message without the path that it begins with."""
    return message.split(": ", 1)[-1]


def _spread(values: Tensor) -> float:
    return float(values.max()) - float(values.min())


def fitting_type(values: Tensor, stored: str) -> str:
    """``stored``, or the type to write instead where it cannot hold ``values`` well.

    An integer type is kept if it holds the least and the greatest value and these lie at least
    ``LEAST_LEVELS`` steps apart; otherwise 16-bit integers with a sign are tried, then float32.
    """
    kind = np.dtype(stored)
    if kind.kind not in "iu":
        return stored if stored in ("float32", "float64") else "float32"
    low, high = float(values.min()), float(values.max())
    if high - low >= LEAST_LEVELS:
        for name in (stored, "int16"):
            limits = np.iinfo(name)
            if limits.min - 0.5 <= low and high <= limits.max + 0.5:
                return name
    return "float32"
