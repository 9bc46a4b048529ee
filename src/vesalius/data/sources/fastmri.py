"""fastMRI: raw k-space of knees and brains, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.checks import require_finite_values
from vesalius.data.formats.hdf5 import RECONSTRUCTIONS, open_hdf5, read_attributes, read_dataset
from vesalius.data.source import Case, Source, pseudonym
from vesalius.data.stored import to_tensor
from vesalius.data.tables import partition_name

_AT = "-slice-"


def _partition(file: Path, root: Path) -> str:
    """The partition that the folders between ``root`` and ``file`` (or ``root`` itself) name."""
    for folder in (*file.relative_to(root).parts[:-1][::-1], root.name):
        words = [partition_name(word) for word in folder.lower().split("_")]
        for word in ("train", "validation", "test"):
            if word in words:
                return word
    return ""


@dataclass(frozen=True)
class FastMRI(Source):
    """A folder of fastMRI's HDF5 files, one case a slice: ``kspace``, and ``rss`` where given.

    ``kspace`` is complex64 ``(coil, row, column)``, with one coil in single-coil files, and is not
    on the grid of ``rss`` ``(1, row, column)``, which is cropped. The patient is the keyed hash of
    the file's attribute ``patient_id`` (of its name where it has none). Partitions come from
    folders such as ``multicoil_val``. Voxel sizes stand in the scanner's own header, which is not
    read: 1 mm stands in.
    """

    path: Path
    salt: str = "vesalius"

    name: ClassVar[str] = "fastmri"
    licence: ClassVar[str] = "fastMRI data use agreement (NYU Langone Health)"
    citation: ClassVar[str] = "Zbontar et al., fastMRI, arXiv:1811.08839"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """A folder with ``.h5`` files in it or in its subfolders."""
        return path.is_dir() and next(path.rglob("*.h5"), None) is not None

    def channels(self) -> Mapping[str, str]:
        """``kspace`` and ``rss``; the official test files lack the second."""
        return {"kspace": "kspace", "rss": "MR"}

    def cases(self) -> tuple[Case, ...]:
        """One case a slice; covariates ``slice``, ``slices``, ``acquisition`` and ``max``."""
        found: list[Case] = []
        root = Path(self.path)
        for file in sorted(root.rglob("*.h5")):
            with open_hdf5(file) as opened:
                if "kspace" not in opened:
                    raise InputError("a data set 'kspace'", came=", ".join(opened), case=file)
                shape = tuple(opened["kspace"].shape)
            if len(shape) not in (3, 4):
                raise InputError(
                    "k-space of shape (slice, [coil,] row, column)", came=str(shape), case=file
                )
            attributes = read_attributes(file)
            patient = pseudonym(str(attributes.get("patient_id", file.stem)), self.salt)
            known = {n: v for n, v in attributes.items() if n in ("acquisition", "max")}
            volume = file.relative_to(root).with_suffix("").as_posix()
            found += [
                Case(
                    f"{volume}{_AT}{index:03d}",
                    patient,
                    partition=_partition(file, root),
                    covariates={**known, "slice": float(index), "slices": float(shape[0])},
                )
                for index in range(shape[0])
            ]
        return tuple(found)

    def read(self, case: Case) -> Mapping[str, Image]:
        """The slice's k-space and, where the file has it, its magnitude image."""
        volume, _, index = case.identifier.rpartition(_AT)
        file = Path(self.path) / f"{volume}.h5"
        slice_index = int(index)
        with open_hdf5(file) as opened:
            names = [name for name in RECONSTRUCTIONS if name in opened]
        kspace = read_dataset(file, "kspace", slice_index)
        kspace = kspace[None] if kspace.ndim == 2 else kspace
        images = {"kspace": _image(kspace, "kspace", case)}
        if names:
            images["rss"] = _image(read_dataset(file, names[0], slice_index)[None], "MR", case)
        return images


def _image(array: NDArray[Any], modality: str, case: Case) -> Image:
    if modality == "kspace" and array.dtype.kind != "c":
        raise InputError("complex k-space", came=str(array.dtype), case=case.identifier)
    data = require_finite_values(
        to_tensor(np.asarray(array), label=False, case=case.identifier), case.identifier
    )
    return Image(data, modality=modality, stored=array.dtype.newbyteorder("=").name)
