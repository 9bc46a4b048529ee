"""Medical Segmentation Decathlon, task 4: hippocampi in T1-weighted MR."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.arrays import read_arrays
from vesalius.data.source import Case, Source
from vesalius.data.stored import to_tensor
from vesalius.data.tables import partition_name

_FILE = "hippocampus.npz"


@dataclass(frozen=True)
class Hippocampus(Source):
    """Crops around the hippocampus at 1 mm: ``image``, and ``label`` (1 anterior, 2 posterior).

    ``path`` is the file ``hippocampus.npz`` or its folder. Some crops were stored as integers with
    a scale; what is read is scaled back. The file keeps no orientation: axes are as stored, the
    affine is that of 1 mm voxels. One crop a patient; official partitions.
    """

    path: Path

    name: ClassVar[str] = "hippocampus"
    licence: ClassVar[str] = "CC BY-SA 4.0"
    citation: ClassVar[str] = (
        "Antonelli et al., The Medical Segmentation Decathlon, Nature Communications 2022, "
        "doi:10.1038/s41467-022-30695-9"
    )

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """``hippocampus.npz`` or a folder with it."""
        return (path.name == _FILE and path.is_file()) or (path / _FILE).is_file()

    @property
    def _file(self) -> Path:
        path = Path(self.path)
        return path / _FILE if path.is_dir() else path

    def channels(self) -> Mapping[str, str]:
        """``image`` and ``label``."""
        return {"image": "MR-T1w", "label": "mask"}

    def cases(self) -> tuple[Case, ...]:
        """The lists ``train``, ``val`` and ``test`` of the file."""
        lists = read_arrays(self._file, "train", "val", "test")
        return tuple(
            Case(str(identifier), str(identifier), partition=partition_name(name))
            for name, identifiers in zip(("train", "val", "test"), lists, strict=True)
            for identifier in identifiers
        )

    def read(self, case: Case) -> Mapping[str, Image]:
        """Data ``(1, x, y, z)``: the image float32 in arbitrary units, the label int64."""
        who = case.identifier
        image, label, scale = read_arrays(
            self._file, f"image_{who}", f"label_{who}", f"scale_{who}"
        )
        if image.ndim != 3 or label.ndim != 3 or scale.size != 1:
            raise InputError(
                "a 3D image, a 3D label and one scale",
                case=who,
                came=f"shapes {image.shape}, {label.shape} and {scale.shape}",
            )
        factor = float(scale.item())
        values = to_tensor(image[None], label=False, case=who) * factor
        found = {
            "image": Image(
                values, modality="MR-T1w", stored=image.dtype.name if factor == 1.0 else "float32"
            ).require_finite(who),
            "label": Image(
                to_tensor(label[None], label=True, case=who),
                unit="label",
                modality="mask",
                stored=label.dtype.name,
            ),
        }
        found["image"].require_same_grid(found["label"], who)
        return found
