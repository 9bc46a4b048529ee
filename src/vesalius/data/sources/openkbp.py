"""OpenKBP: head-and-neck radiotherapy plans with CT, structures and dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.arrays import read_arrays
from vesalius.data.checks import require_mask
from vesalius.data.source import Case, Source
from vesalius.data.stored import to_tensor

STRUCTURES = (
    "Brainstem",
    "SpinalCord",
    "RightParotid",
    "LeftParotid",
    "Esophagus",
    "Larynx",
    "Mandible",
    "PTV56",
    "PTV63",
    "PTV70",
)
"""Names of the structures, in the order of their bits."""

POSSIBLE_DOSE_BIT = 10
_SOFT_TISSUE_HU = 30.0
_TOLERANCE_HU = 150.0
_PARTS = ("train", "validation", "test")


def structure_mask(structures: torch.Tensor, name: str) -> torch.Tensor:
    """Where the structure ``name`` is, bool, of the shape of the bit field ``structures``."""
    return (structures >> STRUCTURES.index(name)) & 1 > 0


def hounsfield(stored: NDArray[Any], structures: NDArray[Any], case: str) -> NDArray[np.float32]:
    """Stored CT values in HU: minus 1024 where the patient was stored with that offset.

    Which convention a patient follows is told from the soft tissue of the structures, whose median
    is about 30 HU. Zeros are the air that was blanked outside the body, -1024 HU under either
    convention. Metal is not clipped. Raises InputError where neither convention fits.
    """
    inside = stored[((structures & 0b111111) > 0) & (stored != 0)]
    if inside.size == 0:
        raise InputError("structures to tell the CT's scale from", came="none", case=case)
    median = float(np.median(inside))
    for offset in (1024.0, 0.0):
        if abs(median - offset - _SOFT_TISSUE_HU) <= _TOLERANCE_HU:
            values = stored.astype(np.float32) - np.float32(offset)
            values[stored == 0] = -1024.0
            return values
    raise InputError(
        "CT stored in HU or HU + 1024",
        came=f"soft tissue at a median of {median:g}",
        case=case,
        remedy="leave out this case",
    )


@dataclass(frozen=True)
class OpenKBP(Source):
    """Plans on 128x128x128 voxels: ``ct`` HU, ``dose`` Gy, ``structures``, ``possible_dose``.

    ``structures`` is a bit field (see :data:`STRUCTURES` and :func:`structure_mask`). Axial slices
    are ``[..., k]``: the first axis runs to the back, the second to the patient's left, the third
    towards the feet, which the affine says (told from where the structures lie; the origin is not
    known).
    """

    path: Path

    name: ClassVar[str] = "openkbp"
    licence: ClassVar[str] = "MIT"
    citation: ClassVar[str] = (
        "Babier et al., OpenKBP: the open-access knowledge-based planning grand challenge, "
        "Medical Physics 2021, doi:10.1002/mp.14845"
    )

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """A folder with ``train/pt_*.npz``, ``validation/pt_*.npz`` or ``test/pt_*.npz``."""
        return any(any((path / part).glob("pt_*.npz")) for part in _PARTS)

    def channels(self) -> Mapping[str, str]:
        """``ct``, ``dose``, ``structures``, ``possible_dose``."""
        return {"ct": "CT", "dose": "RTDOSE", "structures": "mask", "possible_dose": "mask"}

    def cases(self) -> tuple[Case, ...]:
        """One case a file, by official partition and patient number."""
        found = []
        for part in _PARTS:
            files = (Path(self.path) / part).glob("pt_*.npz")
            numbered = sorted((int(file.stem.removeprefix("pt_")), file.stem) for file in files)
            found += [Case(stem, stem, partition=part) for _, stem in numbered]
        return tuple(found)

    def read(self, case: Case) -> Mapping[str, Image]:
        """Data ``(1, 128, 128, 128)``: CT and dose float32, structures and mask int64."""
        who = case.identifier
        file = Path(self.path) / case.partition / f"{who}.npz"
        ct, dose, structures, spacing = read_arrays(file, "ct", "dose", "structures", "spacing_mm")
        if spacing.shape != (3,) or not (np.isfinite(spacing).all() and (spacing > 0).all()):
            raise InputError("three voxel sizes above 0 mm", came=str(spacing.tolist()), case=who)
        if structures.dtype.kind not in "iu" or not ct.ndim == dose.ndim == structures.ndim == 3:
            raise InputError(
                "3D arrays, structures as whole numbers",
                case=who,
                came=f"shapes {ct.shape}, {dose.shape}, {structures.shape} ({structures.dtype})",
            )
        if ct.shape != structures.shape:
            raise InputError(
                "CT and structures of one size", came=f"{ct.shape} and {structures.shape}", case=who
            )
        affine = np.eye(4)
        affine[:3, :3] = [[0, -spacing[1], 0], [-spacing[0], 0, 0], [0, 0, -spacing[2]]]
        values = {
            "ct": to_tensor(hounsfield(ct, structures, who)[None], label=False, case=who),
            "dose": to_tensor(dose[None], label=False, case=who) / 100.0,
            "structures": to_tensor(
                structures[None] & (1 << POSSIBLE_DOSE_BIT) - 1, label=True, case=who
            ),
            "possible_dose": to_tensor(
                structures[None] >> POSSIBLE_DOSE_BIT & 1, label=True, case=who
            ),
        }
        units = {"ct": "HU", "dose": "Gy", "structures": "label", "possible_dose": "label"}
        stored = {
            "ct": "int16",
            "dose": "float32",
            "structures": "uint16",
            "possible_dose": "uint8",
        }
        images = {
            channel: Image(
                values[channel],
                affine,
                unit=units[channel],
                modality=modality,
                stored=stored[channel],
            ).require_finite(who)
            for channel, modality in self.channels().items()
        }
        for image in images.values():
            images["ct"].require_same_grid(image, who)
        require_mask(images["possible_dose"], who)
        return images
