"""New images for a trained run: which files belong to which case, and what is in them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.arrays import array_names, read_array, read_arrays
from vesalius.data.formats import FORMATS, read_image
from vesalius.data.formats.hdf5 import read_dataset
from vesalius.data.source import pseudonym
from vesalius.dicom import read_series
from vesalius.dicom.header import Header, raw_text
from vesalius.dicom.read import image_files, open_file

if TYPE_CHECKING:
    from vesalius.tasks.task import Task

Kind = Literal["image", "dicom", "kspace"]
KSPACE = "kspace"
#: First words of modalities that a file or its header states reliably.
_STATED = ("MR", "CT", "CBCT", "PET", "DX", "US")


@dataclass(frozen=True)
class NewCase:
    """Files of one case by channel. ``name`` is the file's own, or a hash for DICOM."""

    name: str
    kind: Kind
    files: Mapping[str, tuple[Path, ...]]

    @property
    def suffix(self) -> str:
        """Suffix of the first channel's file, ``".nii.gz"``; ``".dcm"`` for DICOM."""
        if self.kind == "dicom":
            return ".dcm"
        return _suffix(next(iter(self.files.values()))[0])

    def digest(self) -> str:
        """Identifies the content of the case's files."""
        found = hashlib.sha256()
        for channel in sorted(self.files):
            found.update(channel.encode())
            for file in self.files[channel]:
                found.update(hashlib.sha256(file.read_bytes()).digest())
        return found.hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Read:
    """What is in a case's files: images by channel, and the DICOM header where there is one.

    ``stack`` holds the slices of a k-space that was measured slice by slice; empty otherwise.
    """

    images: Mapping[str, Image]
    header: Header | None = None
    stack: tuple[Image, ...] = ()


def _suffix(path: Path) -> str:
    name = path.name.lower()
    return next((s for s in sorted(FORMATS, key=len, reverse=True) if name.endswith(s)), "")


def _stem(path: Path) -> str:
    return path.name[: len(path.name) - len(_suffix(path))]


def _is_dicom(path: Path) -> bool:
    if path.suffix.lower() == ".dcm":
        return True
    if _suffix(path) or path.stat().st_size < 132:
        return False
    with open(path, "rb") as file:
        return file.read(132)[128:] == b"DICM"


def new_cases(task: Task, path: Path) -> tuple[NewCase, ...]:
    """The cases at ``path``, a file or a folder, that bring what ``task`` is given.

    A file is one case. In a folder every image file is one, or, where file names end in
    ``_<channel>`` (or a case has its own folder of ``<channel>`` files), they are grouped by case.
    Every DICOM series of the right modality is a case; its name is a hash. Raises InputError where
    there is nothing of use.
    """
    path = Path(path)
    given = task.given_images()
    if not path.exists():
        raise InputError(
            "a file or a folder", came="nothing there", case=path, remedy="check the path"
        )
    kind: Kind = "kspace" if given == (KSPACE,) else "image"
    if path.is_file():
        if len(given) != 1:
            raise InputError(
                f"a folder with the channels {', '.join(given)}", came="one file", case=path
            )
        if _is_dicom(path):
            return _dicom_cases(task, [path])
        _require_known(path)
        return (NewCase(_stem(path), kind, {given[0]: (path,)}),)
    files = sorted(f for f in path.iterdir() if f.is_file() and not f.name.startswith("."))
    images = [file for file in files if _suffix(file)]
    if images:
        return _flat_cases(task, path, images, kind)
    everything = list(image_files(path))
    dicom = [file for file in everything if _is_dicom(file)]
    if dicom and kind == "image" and len(given) == 1:
        return _dicom_cases(task, dicom)
    nested = _nested_cases(task, path, kind)
    if not nested:
        raise InputError(
            f"image files ({', '.join(sorted(FORMATS))}) or DICOM series of the channel"
            f"{'s' if len(given) > 1 else ''} {', '.join(given)}",
            came="none",
            case=path,
            remedy="check the path",
        )
    return nested


def _require_known(path: Path) -> None:
    if not _suffix(path):
        raise InputError(
            f"a file that ends in {', '.join(sorted(FORMATS))}, or DICOM",
            came=f"'{path.suffix or 'no suffix'}'",
            case=path,
        )


def _accompanying(task: Task) -> tuple[str, ...]:
    """Channels of use if they are there: the mask that images are placed by."""
    kinds = task.channels
    given = task.given_images()
    return tuple(n for n in task.needed() if n not in given and kinds.get(n) == "mask")


def _flat_cases(task: Task, folder: Path, files: list[Path], kind: Kind) -> tuple[NewCase, ...]:
    given = task.given_images()
    named: dict[str, dict[str, tuple[Path, ...]]] = {}
    for file in files:
        before, _, channel = _stem(file).rpartition("_")
        if before and channel.lower() in (*given, *_accompanying(task)):
            _add(named, before, channel.lower(), file)
    if any(channel in given for found in named.values() for channel in found):
        return _complete(task, named, kind)
    if len(given) != 1:
        raise InputError(
            f"files named <case>_<channel> for the channels {', '.join(given)}",
            came=files[0].name,
            case=folder,
        )
    others = set(task.channels) - set(given)
    bare: dict[str, dict[str, tuple[Path, ...]]] = {}
    for file in files:
        if _stem(file).rpartition("_")[2].lower() not in others:
            _add(bare, _stem(file), given[0], file)
    if not bare:
        raise InputError(
            f"files of the channel '{given[0]}'",
            came=f"only files of other channels ({files[0].name}, ...)",
            case=folder,
            remedy=f"name the files <case>_{given[0]}",
        )
    return _complete(task, bare, kind)


def _nested_cases(task: Task, folder: Path, kind: Kind) -> tuple[NewCase, ...]:
    given = task.given_images()
    named: dict[str, dict[str, tuple[Path, ...]]] = {}
    for inside in sorted(f for f in folder.iterdir() if f.is_dir() and f.name[0] != "."):
        for file in sorted(f for f in inside.iterdir() if f.is_file() and _suffix(f)):
            channel = _stem(file).removeprefix(inside.name).lstrip("_-").lower()
            if channel in (*given, *_accompanying(task)):
                _add(named, inside.name, channel, file)
    if not any(channel in given for found in named.values() for channel in found):
        return ()
    return _complete(task, named, kind)


def _add(
    named: dict[str, dict[str, tuple[Path, ...]]], case: str, channel: str, file: Path
) -> None:
    found = named.setdefault(case, {})
    if channel in found:
        raise InputError(
            f"one file for '{case}'", came=f"{found[channel][0].name} and {file.name}", case=case
        )
    found[channel] = (file,)


def _complete(
    task: Task, named: Mapping[str, Mapping[str, tuple[Path, ...]]], kind: Kind
) -> tuple[NewCase, ...]:
    given = task.given_images()
    cases = []
    for name, files in sorted(named.items()):
        lacking = [channel for channel in given if channel not in files]
        if lacking:
            raise InputError(
                f"the channels {', '.join(given)}",
                came=f"{', '.join(files)} only",
                case=name,
                remedy="add the missing files or leave out this case",
            )
        order = (*given, *(channel for channel in files if channel not in given))
        cases.append(NewCase(name, kind, {channel: files[channel] for channel in order}))
    return tuple(cases)


def _dicom_cases(task: Task, files: list[Path]) -> tuple[NewCase, ...]:
    (channel,) = task.given_images()
    expected = task.channels.get(channel, "").split("-")[0]
    expected = {"PET": "PT"}.get(expected, expected)
    series: dict[str, list[Path]] = {}
    found: set[str] = set()
    for number, file in enumerate(files, start=1):
        dataset = open_file(file, f"DICOM file {number} of {len(files)}", pixels=False)
        if dataset is None or "Rows" not in dataset:
            continue
        modality = raw_text(dataset, "Modality")
        found.add(modality)
        if expected in ("MR", "CT", "PT") and modality != expected:
            continue
        digits = pseudonym(raw_text(dataset, "SeriesInstanceUID"), "vesalius")[:8]
        number_text = raw_text(dataset, "SeriesNumber")
        prefix = f"series-{number_text}-" if number_text.isdigit() else "series-"
        series.setdefault(prefix + digits, []).append(file)
    if not series:
        raise InputError(
            f"DICOM images of modality {expected or 'any'}",
            came=", ".join(sorted(found)) or "none with pixels",
            case="DICOM folder",
            remedy=f"pass the series of the channel '{channel}'",
        )
    return tuple(
        NewCase(name, "dicom", {channel: tuple(members)})
        for name, members in sorted(series.items())
    )


def read_case(task: Task, case: NewCase) -> Read:
    """The images of a case; raises InputError for broken files, grids or modalities that differ."""
    if case.kind == KSPACE:
        return _read_kspace(task, case)
    if case.kind == "dicom":
        (channel, files), *_ = case.files.items()
        image, header = read_series(files, case=case.name)
        return Read({channel: image}, header)
    images = {channel: read_image(files[0]) for channel, files in case.files.items()}
    first = next(iter(images.values()))
    kinds = task.channels
    for channel, image in images.items():
        image.require_same_grid(first, case.name)
        stated, expected = (m.split("-")[0] for m in (image.modality, kinds.get(channel, "")))
        if stated in _STATED and expected in _STATED and stated != expected:
            raise InputError(f"an image of modality {expected}", came=stated, case=case.name)
        if image.data.shape[0] != 1:
            raise InputError(
                "one channel",
                came=f"{image.data.shape[0]} channels",
                case=case.name,
                remedy="convert it to grey values",
            )
    return Read(images)


def _read_kspace(task: Task, case: NewCase) -> Read:
    """K-space ``(coil, *space)`` from NumPy, or fastMRI's ``(slice, coil, row, column)``."""
    file = case.files[KSPACE][0]
    if case.suffix == ".npy":
        array = read_array(file)
    elif case.suffix == ".npz":
        names = array_names(file)
        name = KSPACE if KSPACE in names or len(names) != 1 else names[0]
        (array,) = read_arrays(file, name)
    elif case.suffix in (".h5", ".hdf5"):
        array = read_dataset(file, KSPACE)
    else:
        raise InputError("complex k-space in .npy, .npz or .h5", came=case.suffix, case=case.name)
    if array.dtype.kind != "c":
        raise InputError(
            "complex k-space",
            came=f"an array of {array.dtype} and shape {array.shape}",
            case=case.name,
            remedy="pass the measurement, not an image",
        )
    data = torch.from_numpy(np.ascontiguousarray(array, dtype=np.complex64))
    if not bool(torch.isfinite(torch.view_as_real(data)).all()):
        raise InputError("finite k-space", came="NaN or infinite samples", case=case.name)
    dims = task.shape.dims
    if case.suffix in (".h5", ".hdf5"):
        if data.ndim == dims + 1:  # fastMRI single-coil: (slice, row, column)
            data = data[:, None]
        if data.ndim != dims + 2:
            raise InputError(
                "k-space (slice, coil, row, column)", came=f"shape {array.shape}", case=case.name
            )
        stack = tuple(Image(part, modality="MR", stored="complex64") for part in data)
        return Read({KSPACE: stack[0]}, stack=stack)
    if data.ndim != dims + 1:
        raise InputError(
            f"k-space (coil, *space) with {dims} axes of space",
            came=f"shape {array.shape}",
            case=case.name,
        )
    return Read({KSPACE: Image(data, modality="MR", stored="complex64")})
