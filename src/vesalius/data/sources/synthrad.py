"""SynthRAD2023 brain slices: MR and CT of one patient on one grid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.arrays import read_arrays
from vesalius.data.files import require_file
from vesalius.data.source import Case, Source
from vesalius.data.stored import to_tensor
from vesalius.data.tables import read_table

_ARRAYS, _TABLE = "synthrad_slices.npz", "cases.csv"


@dataclass(frozen=True)
class SynthRADSlices(Source):
    """Mid-axial slices, one a patient: ``mr``, ``ct`` and ``mask``.

    Values are 8-bit display values, so ``ct`` is in arbitrary units and **not** in HU. The files
    do not give a voxel size; 1 mm is assumed, which is what the challenge resampled brains to. They
    give no directions either: columns run from front to back, as the pictures show, and rows are
    assumed to run from right to left, as in the challenge's own files. The site is the centre, "A",
    "B" or "C".
    """

    path: Path

    name: ClassVar[str] = "synthrad-slices"
    licence: ClassVar[str] = "CC BY-NC 4.0"
    citation: ClassVar[str] = (
        "Thummerer et al., SynthRAD2023 Grand Challenge dataset, Medical Physics 2023, "
        "doi:10.1002/mp.16529"
    )

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """A folder with ``synthrad_slices.npz`` and ``cases.csv``."""
        return (path / _ARRAYS).is_file() and (path / _TABLE).is_file()

    def channels(self) -> Mapping[str, str]:
        """``mr``, ``ct``, ``mask``."""
        return {"mr": "MR", "ct": "CT", "mask": "mask"}

    def cases(self) -> tuple[Case, ...]:
        """One case a row of the table."""
        require_file(Path(self.path) / _ARRAYS)
        rows = read_table(Path(self.path) / _TABLE, "case", "region", "centre")
        return tuple(
            Case(
                row["case"],
                row["case"],
                site=row["centre"][-1:],
                covariates={"region": row["region"]},
            )
            for row in rows
        )

    def read(self, case: Case) -> Mapping[str, Image]:
        """Data ``(1, row, column)`` float32 in [0, 255]; the mask int64 in {0, 1}."""
        names = [f"{case.identifier}_{channel}" for channel in self.channels()]
        images: dict[str, Image] = {}
        arrays = read_arrays(Path(self.path) / _ARRAYS, *names)
        for (channel, modality), array in zip(self.channels().items(), arrays, strict=True):
            label = modality == "mask"
            if array.ndim != 2:
                raise InputError("2D slices", came=f"shape {array.shape}", case=case.identifier)
            images[channel] = Image(
                to_tensor(array[None], label=label, case=case.identifier),
                np.diag([-1.0, -1.0, 1.0, 1.0]),
                unit="label" if label else "a.u.",
                modality=modality,
                stored=array.dtype.name,
            ).require_finite(case.identifier)
            images["mr"].require_same_grid(images[channel], case.identifier)
        return images
