"""Between the numbers stored in a DICOM image and what they mean."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def rescale(dataset: Dataset, case: str) -> tuple[float, float]:
    """Slope and intercept from stored values to physical ones; (1, 0) where there are none.

    Raises InputError for a CT image without them, whose values could not be told to be HU.
    """
    slope, intercept = dataset.get("RescaleSlope"), dataset.get("RescaleIntercept")
    if slope is None or intercept is None:
        if dataset.get("Modality") == "CT":
            raise InputError(
                "RescaleSlope and RescaleIntercept in a CT image",
                came="none",
                case=case,
                remedy="fetch the original images",
            )
        return 1.0, 0.0
    if float(slope) == 0:
        raise InputError("a RescaleSlope other than 0", came="0", case=case)
    return float(slope), float(intercept)


def stored_type(dataset: Dataset) -> str:
    """NumPy's name of the type of the stored values."""
    signed = "" if int(dataset.PixelRepresentation) else "u"
    return f"{signed}int{int(dataset.BitsAllocated)}"


def decode(dataset: Dataset, case: str) -> NDArray[np.float32]:
    """Physical values ``(row, column)``, float32: stored x slope + intercept.

    Raises InputError for colour, several frames, pixels that are missing, cut off or compressed in
    a way for which no decoder is installed.
    """
    if int(dataset.get("SamplesPerPixel", 1)) != 1:
        raise InputError("grey images", came="colour", case=case)
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise InputError(
            "images of one frame",
            came=f"one of {frames} frames",
            case=case,
            remedy="convert the series to single-frame images",
        )
    try:
        stored = dataset.pixel_array
    except (RuntimeError, NotImplementedError):
        syntax = dataset.file_meta.TransferSyntaxUID.name
        raise InputError(
            "pixels in a form that an installed package decodes",
            came=syntax,
            case=case,
            remedy="pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg",
        ) from None
    except (ValueError, AttributeError, KeyError, EOFError, OSError, IndexError) as error:
        raise InputError(
            "whole pixel data",
            came=f"missing or truncated ones ({type(error).__name__})",
            case=case,
            remedy="export the series again",
        ) from None
    slope, intercept = rescale(dataset, case)
    values = stored.astype(np.float64) * slope + intercept
    if not np.isfinite(values).all():
        raise InputError("finite values", came="NaN or infinite ones", case=case)
    return values.astype(np.float32)


def encode(
    values: NDArray[np.float64], dataset: Dataset, slope: float, intercept: float, case: str
) -> bytes:
    """Stored values of physical ones, in the bits that ``dataset`` describes.

    Values are rounded, and clipped to what ``BitsStored`` hold; a UserWarning says how many were.
    """
    bits, signed = int(dataset.BitsStored), int(dataset.PixelRepresentation)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    stored = np.rint((values - intercept) / slope)
    outside = int(((stored < low) | (stored > high)).sum())
    if outside:
        warnings.warn(
            f"{case}: {outside} values outside [{low * slope + intercept:g}, "
            f"{high * slope + intercept:g}], which {bits} bits hold, were clipped",
            stacklevel=3,
        )
    kind = np.dtype(stored_type(dataset)).newbyteorder("<")
    content = np.clip(stored, low, high).astype(kind).tobytes()
    return content + b"\0" * (len(content) % 2)
