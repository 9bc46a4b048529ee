"""A folder of image files: what is in it, and which file of another folder belongs to which."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import FORMATS, read_image
from vesalius.data.modality import modality_of
from vesalius.data.source import pseudonym
from vesalius.data.tables import read_table
from vesalius.runner.orientation import has_geometry

LISTED = 5
PATIENTS = "patients.csv"
DICOM = ".dcm"
SALT = "vesalius"


@dataclass(frozen=True)
class Item:
    """An image file, or a folder with one DICOM series: its name, and whose image it is.

    ``listed`` says that ``patients.csv`` or the DICOM header named the patient. Names of DICOM
    files may be those of patients: theirs are hashed, alike in every folder.
    """

    name: str
    path: Path
    patient: str
    listed: bool = False
    dicom: bool = False

    @property
    def bare(self) -> str:
        """The name without a last part that names a modality: ``p1`` of ``p1_ct``."""
        before, _, last = self.name.rpartition("_")
        return before if before and modality_of(last) != "unknown" else self.name

    @property
    def shown(self) -> str:
        """What messages call it: the name in its folder, as pairs have one name."""
        return f"{self.path.absolute().parent.name}/{self.file}"

    @property
    def file(self) -> str:
        """The name of the file; of DICOM, which may be a patient's, hashed."""
        return self.name if self.dicom else self.path.name

    @property
    def state(self) -> tuple[str, int, int]:
        """Name, bytes and time of the last change: another state is another file."""
        files = [self.path] if self.path.is_file() else sorted(self.path.glob(f"*{DICOM}"))
        known = [file.stat() for file in files]
        return (
            self.name,
            sum(one.st_size for one in known),
            max((one.st_mtime_ns for one in known), default=0),
        )

    def read_series(self) -> Image:
        """The image of a DICOM file or series."""
        from vesalius.dicom import read_series

        files = [self.path] if self.path.is_file() else sorted(self.path.glob(f"*{DICOM}"))
        image, _ = read_series(files, case=self.name)
        return image


#: Which files must have a partner of their name.
Pairs = Literal["every", "common", "none"]


@dataclass(frozen=True)
class Pairing:
    """Files with a partner, and those without."""

    pairs: tuple[tuple[Item, Item], ...]
    real_alone: tuple[Item, ...]
    generated_alone: tuple[Item, ...]

    @classmethod
    def none(cls, real: Sequence[Item], generated: Sequence[Item]) -> Pairing:
        """No pairs: a file's name says nothing, and only a named patient is the same as another."""
        apart = (
            item if item.listed else replace(item, patient=f"generated {item.patient}")
            for item in generated
        )
        return cls((), tuple(real), tuple(apart))

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
            remedy="rename them, or pass --pairs common (what pairs there are) or none (sets only)",
        )


def _listed(items: Sequence[Item]) -> str:
    names = ", ".join(item.file for item in items[:LISTED])
    return names + (", ..." if len(items) > LISTED else "")


def image_items(folder: Path) -> tuple[Item, ...]:
    """The image files of ``folder`` by name; subfolders with DICOM files are one series each.

    The patient is what ``patients.csv`` (columns ``file`` and ``patient``) in the folder says, else
    the DICOM header's, hashed, else the name. Raises InputError for no folder, no images, two files
    of one name, files that the table lacks.
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
        item = _item(path)
        if item is None:
            continue
        if item.name in found:
            raise InputError(
                f"one file named '{item.name}'", came=f"{found[item.name].file} and {item.file}",
                case=folder,
            )  # fmt: skip
        if patients:
            if not patients.get(path.name):
                raise InputError(
                    f"a patient for every file in {PATIENTS}", came="none", case=item.shown,
                    remedy="add the file to the table, or leave it out of the folder",
                )  # fmt: skip
            item = Item(item.name, path, patients[path.name], True, item.dicom)
        found[item.name] = item
    if not found:
        known = ", ".join(sorted([*FORMATS, DICOM]))
        raise InputError(f"image files ({known})", came="none", case=folder)
    return tuple(found.values())


def _item(path: Path) -> Item | None:
    if path.name.startswith("."):
        return None
    if path.is_dir():
        first = next(iter(sorted(path.glob(f"*{DICOM}"))), None)
        return None if first is None else _dicom_item(path, path.name, first)
    lower = path.name.lower()
    if lower.endswith(DICOM):
        return _dicom_item(path, path.name[: -len(DICOM)], path)
    suffix = next((s for s in sorted(FORMATS, key=len, reverse=True) if lower.endswith(s)), "")
    if not suffix:
        return None
    name = path.name[: -len(suffix)]
    return Item(name, path, name)


def _dicom_item(path: Path, name: str, file: Path) -> Item:
    from vesalius.dicom.header import raw_text
    from vesalius.dicom.read import open_file

    hidden = pseudonym(name, SALT)
    dataset = open_file(file, hidden, pixels=False)
    if dataset is None:
        raise InputError("a DICOM file", came="a file of another kind", case=hidden)
    who = raw_text(dataset, "PatientID")
    patient = pseudonym(who, SALT) if who else hidden
    return Item(hidden, path, patient, bool(who), True)


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
    return read_mask(masks[name], image)


def read_mask(item: Item, image: Image) -> Tensor:
    """The mask in a file, ``(1, *space)`` bool; InputError unless it fits and marks something."""
    mask = item.read_series() if item.dicom else read_image(item.path)
    if mask.space != image.space:
        raise InputError(f"a mask of {image.space} voxels", came=str(mask.space), case=item.shown)
    if has_geometry(mask) and has_geometry(image):
        image.require_same_grid(mask, item.shown)
    inside = mask.data[:1] > 0
    if not bool(inside.any()):
        raise InputError("a mask that marks a voxel", came="an empty one", case=item.shown)
    return inside
