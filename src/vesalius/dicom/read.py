"""Reading one DICOM series as an image."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.dicom.geometry import ordered, plane_affine
from vesalius.dicom.header import Header, raw_text
from vesalius.dicom.pixels import decode, stored_type

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

_INTEGERS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "NumberOfFrames",
)
_NUMBERS = ("RescaleSlope", "RescaleIntercept", "SliceThickness")
_OTHERS = (
    "PixelSpacing",
    "ImagerPixelSpacing",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "Modality",
    "Units",
    "PhotometricInterpretation",
    "PlanarConfiguration",
)
_UNREADABLE = (
    EOFError,
    OSError,
    ValueError,
    TypeError,
    struct.error,
    AttributeError,
    KeyError,
    NotImplementedError,
    OverflowError,
    RecursionError,
)
"""What pydicom raises, beside its own exceptions, for files that are cut off or corrupt."""

_MODALITIES = {"PT": "PET", "CR": "DX", "DX": "DX"}


def open_file(path: Path, case: str, *, pixels: bool = True) -> FileDataset | None:
    """The dataset of a file, None if it is no DICOM; raises InputError if it is cut off.

    Errors name ``case`` and never the file, whose name may be the patient's.
    """
    from pydicom import dcmread
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        dataset = dcmread(path, stop_before_pixels=not pixels)
        _convert(dataset)
    except InvalidDicomError:
        return None
    except (*_UNREADABLE, BytesLengthException) as error:
        raise InputError(
            "a readable DICOM file",
            case=case,
            came=f"a truncated or corrupt one ({type(error).__name__})",
            remedy="export the series again",
        ) from None
    return dataset


def _convert(dataset: FileDataset) -> None:
    """Turn the elements that we use from bytes into values, which fails where they are corrupt."""
    for keyword in _INTEGERS:
        if dataset.get(keyword) is not None:
            int(dataset.get(keyword))
    for keyword in _NUMBERS:
        if dataset.get(keyword) is not None:
            float(dataset.get(keyword))
    for keyword in _OTHERS:
        dataset.get(keyword)


def image_files(folder: Path) -> Iterator[Path]:
    """The files in a folder and its subfolders, by name, hidden ones and DICOMDIR left out."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith(".") and path.name != "DICOMDIR":
            yield path


def _datasets(source: Path | Sequence[Path], case: str) -> list[FileDataset]:
    """The datasets with pixels; files that are no DICOM are an error only if they were named."""
    named = not isinstance(source, Path)
    if isinstance(source, Path) and not source.exists():
        raise InputError("a folder of DICOM files", came="nothing there", case=case)
    files = (
        [source]
        if isinstance(source, Path) and source.is_file()
        else (list(image_files(source)) if isinstance(source, Path) else list(source))
    )
    found = []
    for number, path in enumerate(files, start=1):
        who = f"{case}, file {number} of {len(files)}"
        if not path.is_file():
            raise InputError("a file", came="nothing there", case=who)
        if path.stat().st_size == 0:
            raise InputError("a DICOM file", came="an empty file", case=who)
        dataset = open_file(path, who)
        if dataset is None:
            if named or len(files) == 1:
                raise InputError("a DICOM file", came="a file of another kind", case=who)
            continue
        if "Rows" in dataset and "Columns" in dataset:
            found.append(dataset)
    if not found:
        raise InputError("DICOM images", came="none", case=case, remedy="check the path")
    return found


def _require_one_series(datasets: Sequence[FileDataset], case: str) -> None:
    numbers = {raw_text(d, "SeriesInstanceUID"): raw_text(d, "SeriesNumber") for d in datasets}
    if len(numbers) > 1:
        listed = ", ".join(sorted(number or "none" for number in numbers.values()))
        raise InputError(
            "the images of one series",
            case=case,
            came=f"{len(numbers)} series (numbers {listed})",
            remedy="pass the files of one of them, or open the folder as a DicomFolder",
        )
    for keyword in ("Rows", "Columns", "BitsAllocated", "PixelRepresentation"):
        if len({int(d.get(keyword, -1)) for d in datasets}) > 1:
            raise InputError(f"one value of {keyword} in a series", came="several", case=case)
        if keyword not in datasets[0]:
            raise InputError(f"{keyword} in every image", came="none", case=case)


def _unit(dataset: FileDataset) -> str:
    modality = dataset.get("Modality")
    if modality == "CT":
        return "HU"
    if modality == "PT" and dataset.get("Units") == "BQML":
        return "Bq/ml"
    return "a.u."


def read_series(
    source: Path | str | Sequence[Path], *, case: str = "DICOM series"
) -> tuple[Image, Header]:
    """One series as an image with its affine, and its header.

    Parameters
    ----------
    source:
        A folder (searched with its subfolders), a file, or a sequence of files.
    case:
        What errors call the series; they never name files, patients or identifiers.

    Returns
    -------
    Data ``(1, row, column, slice)`` float32, slices in order along their normal, or
    ``(1, row, column)`` for one image. CT in HU; PET in Bq/ml where the file says so; others in
    arbitrary units after the file's own rescaling. Padding and MONOCHROME1 are left as stored.

    Raises
    ------
    InputError
        For no images, several series, a missing slice (naming gap and position), truncated or
        undecodable pixels, several frames in a file, colour.
    """
    source = Path(source) if isinstance(source, str | Path) else [Path(file) for file in source]
    datasets = _datasets(source, case)
    _require_one_series(datasets, case)
    if len(datasets) == 1:
        order: tuple[int, ...] = (0,)
        affine = plane_affine(datasets[0], case)
    else:
        order, affine = ordered(datasets, case)
    slices = []
    for number, index in enumerate(order, start=1):
        slices.append(decode(datasets[index], f"{case}, slice {number} of {len(order)}"))
        del datasets[index].PixelData
    array = slices[0] if len(slices) == 1 else np.stack(slices, axis=-1)
    first = datasets[order[0]]
    modality = raw_text(first, "Modality")
    image = Image(
        torch.from_numpy(np.ascontiguousarray(array)[None]),
        affine,
        unit=_unit(first),
        modality=_MODALITIES.get(modality, modality or "unknown"),
        stored=stored_type(first),
    )
    return image, Header(tuple(datasets[index] for index in order), affine)
