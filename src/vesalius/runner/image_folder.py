"""A folder of image files: what is in it, and which file of another folder belongs to which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import FORMATS, read_image
from vesalius.data.modality import modality_of
from vesalius.data.tables import read_table

LISTED = 5
PATIENTS = "patients.csv"


@dataclass(frozen=True)
class Item:
    """An image file: its name without suffix, and whose image it is."""

    name: str
    path: Path
    patient: str

    @property
    def bare(self) -> str:
        """The name without a last part that names a modality: ``p1`` of ``p1_ct``."""
        before, _, last = self.name.rpartition("_")
        return before if before and modality_of(last) != "unknown" else self.name

    def read(self) -> Image:
        """The image; raises InputError for broken files, colour, and labels."""
        image = read_image(self.path)
        if image.data.shape[0] != 1:
            raise InputError(
                "one channel", came=image.data.shape[0], case=self.path,
                remedy="convert it to grey values",
            )  # fmt: skip
        if image.unit == "label":
            raise InputError("an image of intensities", came="labels", case=self.path)
        return image


@dataclass(frozen=True)
class Pairing:
    """Files with a partner, and those without."""

    pairs: tuple[tuple[Item, Item], ...]
    real_alone: tuple[Item, ...]
    generated_alone: tuple[Item, ...]

    def require_partners(self) -> None:
        """Raise an InputError that lists the files without a partner, if there are any."""
        if not self.real_alone and not self.generated_alone:
            return
        parts = [
            f"{len(alone)} {where} alone ({_listed(alone)})"
            for where, alone in (("real", self.real_alone), ("generated", self.generated_alone))
            if alone
        ]
        raise InputError(
            "a generated file of the same name for every real one",
            came=f"{len(self.pairs)} pairs, {' and '.join(parts)}",
            remedy="rename them, or pass --unpaired to compare the sets and what pairs there are",
        )


def _listed(items: Sequence[Item]) -> str:
    names = ", ".join(item.path.name for item in items[:LISTED])
    return names + (", ..." if len(items) > LISTED else "")


def image_items(folder: Path) -> tuple[Item, ...]:
    """The image files of ``folder`` by name.

    The patient is the name, or what ``patients.csv`` (columns ``file`` and ``patient``) in the
    folder says. Raises InputError for no folder, no images, two files of one name, files that the
    table lacks.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError("a folder of images", came="none there", case=folder)
    patients: dict[str, str] = {}
    if (folder / PATIENTS).is_file():
        rows = read_table(folder / PATIENTS, "file", "patient")
        patients = {row["file"]: row["patient"] for row in rows}
    found: dict[str, Item] = {}
    for path in sorted(folder.iterdir()):
        suffix = next(
            (s for s in sorted(FORMATS, key=len, reverse=True) if path.name.lower().endswith(s)), ""
        )
        if not suffix or path.name.startswith(".") or not path.is_file():
            continue
        name = path.name[: -len(suffix)]
        if name in found:
            raise InputError(
                f"one file named '{name}'", came=f"{found[name].path.name} and {path.name}",
                case=folder,
            )  # fmt: skip
        if patients and not patients.get(path.name):
            raise InputError("a patient for every file", came="none", case=path, remedy=PATIENTS)
        found[name] = Item(name, path, patients.get(path.name, name))
    if not found:
        raise InputError(f"image files ({', '.join(sorted(FORMATS))})", came="none", case=folder)
    return tuple(found.values())


def pairing(real: Sequence[Item], generated: Sequence[Item]) -> Pairing:
    """Pairs by name; where no name is in both, by name without the modality (``p1_ct``, ``p1``)."""
    for key in ("name", "bare"):
        by_real = {getattr(item, key): item for item in real}
        by_generated = {getattr(item, key): item for item in generated}
        shared = by_real.keys() & by_generated.keys()
        unique = len(by_real) == len(real) and len(by_generated) == len(generated)
        if shared and unique:
            return Pairing(
                tuple((by_real[name], by_generated[name]) for name in sorted(shared)),
                tuple(item for name, item in by_real.items() if name not in shared),
                tuple(item for name, item in by_generated.items() if name not in shared),
            )
    return Pairing((), tuple(real), tuple(generated))


def mask_of(masks: Mapping[str, Item] | None, name: str, image: Image) -> Tensor | None:
    """The mask of an image, ``(1, *space)`` bool; None where there are no masks."""
    if masks is None:
        return None
    if name not in masks:
        raise InputError(
            "a mask of this name", came="none", case=name, remedy="add it, or use none"
        )
    from vesalius.data.formats import read_image

    mask = read_image(masks[name].path)
    if mask.space != image.space:
        raise InputError(f"a mask of {image.space} voxels", came=str(mask.space), case=name)
    inside = mask.data[:1] > 0
    if not bool(inside.any()):
        raise InputError("a mask that marks a voxel", came="an empty one", case=name)
    return inside
