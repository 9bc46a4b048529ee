"""What a DICOM series says besides its pixels: the template of what is derived from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


def raw_text(dataset: Dataset, keyword: str) -> str:
    """The text of an element, "" where it is absent, without validating (which would print it)."""
    from pydicom.datadict import tag_for_keyword

    tag = tag_for_keyword(keyword)
    if tag is None or tag not in dataset:
        return ""
    value = dataset.get_item(tag).value
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return "" if value is None else str(value).strip(" \0")


@dataclass(frozen=True, eq=False)
class Header:
    """The datasets of a series without pixels, in the order of its slices.

    They hold the patient's identity, so they are never printed: the representation says how many.

    Parameters
    ----------
    slices:
        One dataset a slice, along the last axis of the image.
    affine:
        (4, 4), index (row, column, slice) to RAS+ mm.
    """

    slices: tuple[Dataset, ...] = field(repr=False)
    affine: NDArray[np.float64] = field(repr=False)

    def __repr__(self) -> str:
        return f"Header({len(self.slices)} slices, modality {self.modality})"

    @property
    def modality(self) -> str:
        """DICOM's own word, ``"CT"``, ``"MR"``, ``"PT"``."""
        return raw_text(self.slices[0], "Modality")

    @property
    def series_number(self) -> int | None:
        """Number of the series in its study."""
        text = raw_text(self.slices[0], "SeriesNumber")
        return int(text) if text.lstrip("+-").isdigit() else None

    @property
    def space(self) -> tuple[int, ...]:
        """Rows, columns and, for more than one slice, slices."""
        plane = (int(self.slices[0].Rows), int(self.slices[0].Columns))
        return plane if len(self.slices) == 1 else (*plane, len(self.slices))
