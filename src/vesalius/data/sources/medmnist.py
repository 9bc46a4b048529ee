"""MedMNIST v2: small images with class labels, 2D or 3D, grey or colour."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.arrays import array_names, stacked_array
from vesalius.data.source import Case, Source
from vesalius.data.stored import to_tensor
from vesalius.data.tables import partition_name

_FILE = re.compile(r"([a-z]+mnist(?:3d)?)(_\d+)?\.npz")
_PARTS = ("train", "val", "test")
_MODALITIES = {
    "pneumoniamnist": "DX",
    "chestmnist": "DX",
    "pathmnist": "histology",
    "dermamnist": "dermatoscopy",
    "octmnist": "OCT",
    "retinamnist": "fundus",
    "breastmnist": "US",
    "bloodmnist": "microscopy",
    "tissuemnist": "microscopy",
    "organamnist": "CT",
    "organcmnist": "CT",
    "organsmnist": "CT",
    "organmnist3d": "CT",
    "nodulemnist3d": "CT",
    "fracturemnist3d": "CT",
    "adrenalmnist3d": "mask",
    "vesselmnist3d": "MR-angiography",
    "synapsemnist3d": "microscopy",
}


def _files(path: Path) -> list[Path]:
    found = [path] if path.is_file() else sorted(path.glob("*.npz"))
    return [file for file in found if _FILE.fullmatch(file.name)]


@dataclass(frozen=True)
class MedMNIST(Source):
    """Any MedMNIST file, or a folder with one: ``image``, class in ``case.covariates``.

    One label is the covariate ``label``, several are ``label_0``, ``label_1``, ... The files do
    not say which images are of one patient: every image counts as a patient of its own, so
    intervals by patient are intervals by image. No voxel size either (1 mm stands in); values are
    8-bit. The file's arrays are kept in memory, so the largest flavours (224 pixels) need as much.
    """

    path: Path

    name: ClassVar[str] = "medmnist"
    licence: ClassVar[str] = "CC BY 4.0 (DermaMNIST: CC BY-NC 4.0)"
    citation: ClassVar[str] = (
        "Yang et al., MedMNIST v2, Scientific Data 2023, doi:10.1038/s41597-022-01721-8"
    )

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """A file named like ``pneumoniamnist.npz`` or ``organmnist3d_64.npz``, or its folder."""
        return len(_files(path)) == 1

    @property
    def _file(self) -> Path:
        found = _files(Path(self.path))
        if len(found) != 1:
            raise InputError(
                "one MedMNIST file",
                case=self.path,
                came=", ".join(file.name for file in found) or "none",
                remedy="name the file",
            )
        return found[0]

    def channels(self) -> Mapping[str, str]:
        """``image``, with the modality that the file's name stands for."""
        matched = _FILE.fullmatch(self._file.name)
        assert matched
        return {"image": _MODALITIES.get(matched[1], "unknown")}

    def cases(self) -> tuple[Case, ...]:
        """Official partitions; cases are named ``train-00000`` and so on."""
        found: list[Case] = []
        file = self._file
        names = array_names(file)
        for part in (part for part in _PARTS if f"{part}_images" in names):
            labels = stacked_array(file, f"{part}_labels")
            count = len(stacked_array(file, f"{part}_images"))
            if len(labels) != count:
                raise InputError(f"{count} labels", came=str(len(labels)), case=f"{file} {part}")
            columns = labels.reshape(count, -1)
            keys = (
                ["label"]
                if columns.shape[1] == 1
                else [f"label_{k}" for k in range(columns.shape[1])]
            )
            for index, row in enumerate(columns.tolist()):
                name = f"{part}-{index:05d}"
                covariates = dict(zip(keys, map(float, row), strict=True))
                found.append(
                    Case(name, name, partition=partition_name(part), covariates=covariates)
                )
        if not found:
            raise InputError(
                "arrays train_images, val_images or test_images", case=file, came=", ".join(names)
            )
        return tuple(found)

    def read(self, case: Case) -> Mapping[str, Image]:
        """Data ``(1, *space)`` float32 in [0, 255]; ``(3, row, column)`` for colour."""
        part, _, index = case.identifier.partition("-")
        if part not in _PARTS or not index.isdigit():
            raise InputError("a case of this source", came=case.identifier, case=self.path)
        images = stacked_array(self._file, f"{part}_images")
        if int(index) >= len(images):
            raise InputError("a case of this source", came=case.identifier, case=self.path)
        array = images[int(index)]
        if array.ndim == 3 and array.shape[-1] == 3:
            array = np.moveaxis(array, -1, 0)
        else:
            array = array[None]
        image = Image(
            to_tensor(array, label=False, case=case.identifier),
            modality=self.channels()["image"],
            stored=array.dtype.name,
        )
        return {"image": image.require_finite(case.identifier)}
