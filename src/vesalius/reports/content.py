"""What a report shows, as plain data: pictures, strips, curves, tables and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError
from vesalius.core.recipe import Provenance
from vesalius.core.record import Record

Colour = Literal["grey", "signed", "heat", "labels"]
Kind = Literal["typical", "best", "worst", "copy"]
Values = Sequence[float] | NDArray[Any]
Series = tuple[str, Values, Values]
Cell = str | int | float | None


@dataclass(frozen=True, eq=False)
class Picture:
    """One tile.

    Parameters
    ----------
    label:
        What it is: "given", "draw 1", "reference", "error".
    pixels:
        ``(row, column)`` in physical units; NaN where it is not defined.
    window:
        Lowest and highest value drawn, in ``unit``; values beyond are drawn like the nearer end.
    unit:
        ``"HU"``, ``"Gy"``, ``"a.u."``, or ``"1"`` for none.
    colour:
        "grey" for images, "signed" diverges around zero, "heat" for errors and uncertainty,
        "labels" for whole numbers that name tissues.
    pixel_aspect:
        Height of a pixel over its width.
    label_names:
        Names of the labels, for "labels" and ``overlay``.
    overlay:
        A label map ``(row, column)`` that is laid over the pixels, zero where there is nothing.

    Raises
    ------
    InputError
        For pixels that are not 2D, a window that is not finite or upside down, broken labels, an
        overlay of another size.
    """

    label: str
    pixels: NDArray[Any]
    window: tuple[float, float]
    unit: str
    colour: Colour = "grey"
    pixel_aspect: float = 1.0
    label_names: Mapping[int, str] = field(default_factory=dict)
    overlay: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or 0 in self.pixels.shape:
            raise InputError(
                "pixels of shape (row, column)",
                came=f"shape {self.pixels.shape}",
                case=f"picture '{self.label}'",
                remedy="pass one slice of one channel",
            )
        low, high = self.window
        if not (np.isfinite(low) and np.isfinite(high) and low <= high):
            raise InputError(
                "a finite window (low, high)",
                came=f"({low}, {high})",
                case=f"picture '{self.label}'",
                remedy="see reports.spanning_window",
            )
        if not (np.isfinite(self.pixel_aspect) and self.pixel_aspect > 0):
            raise InputError(
                "a positive pixel aspect", came=self.pixel_aspect, case=f"picture '{self.label}'"
            )
        if self.colour == "labels":
            known = np.asarray(self.pixels, dtype=np.float64)
            self._require_labels(known[np.isfinite(known)])
        if self.overlay is not None:
            if self.overlay.shape != self.pixels.shape:
                raise InputError(
                    f"an overlay of the picture's size {self.pixels.shape}",
                    came=str(self.overlay.shape),
                    case=f"picture '{self.label}'",
                )
            self._require_labels(np.asarray(self.overlay, dtype=np.float64))

    def _require_labels(self, values: NDArray[np.float64]) -> None:
        if not np.all((values >= 0) & (values == np.round(values))):
            raise InputError(
                "labels that are whole numbers from 0",
                case=f"picture '{self.label}'",
                remedy="resample labels with the nearest neighbour, or choose another colour",
            )


@dataclass(frozen=True, eq=False)
class Strip:
    """A row of pictures, of a case or of several ``cases``, with its scores ready to print."""

    case: str
    caption: str
    pictures: tuple[Picture, ...]
    scores: Mapping[str, str] = field(default_factory=dict)
    kind: Kind = "typical"
    cases: int = 1


@dataclass(frozen=True, eq=False)
class Curve:
    """Lines over a shared axis: training losses, sampler convergence, sparsification."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    log_y: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        _check_series(self.title, self.series)


@dataclass(frozen=True, eq=False)
class Scatter:
    """Points: uncertainty against error, predicted against measured."""

    title: str
    x_label: str
    y_label: str
    series: tuple[Series, ...]
    diagonal: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        _check_series(self.title, self.series)


@dataclass(frozen=True)
class Table:
    """Any other table; numbers are printed to three significant digits."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.columns):
                raise InputError(
                    f"{len(self.columns)} cells a row",
                    came=len(row),
                    case=f"table '{self.title}'",
                )


@dataclass(frozen=True, eq=False)
class ReportContent:
    """A run, told in full.

    ``facts`` are printed by name in the order given: recipe name, summary, family, data, split
    hash, patients by partition, fingerprint, seed, steps, seconds, device, machine, software
    versions. Paragraphs of ``verdict`` are parted by an empty line. ``warnings`` stand above all.
    ``reference`` are tables measured on other images, to read the numbers by. ``downloads`` are
    files, JSON or CSV by their names, that the page carries.
    """

    title: str
    question: str
    verdict: str
    facts: Mapping[str, Any]
    provenance: Provenance = field(default_factory=Provenance)
    strips: tuple[Strip, ...] = ()
    records: tuple[Record, ...] = ()
    curves: tuple[Curve | Scatter, ...] = ()
    tables: tuple[Table, ...] = ()
    reference: tuple[Table, ...] = ()
    recipe_json: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    downloads: Mapping[str, bytes] = field(default_factory=dict)


def spanning_window(
    *pixels: NDArray[Any], percentiles: tuple[float, float] = (0.5, 99.5), symmetric: bool = False
) -> tuple[float, float]:
    """A window that several images share, from percentiles of their finite pixels.

    ``symmetric`` centres it on zero, for differences. Without any finite pixel it is (0, 1).

    >>> spanning_window(np.array([[0.0, 4.0]]), percentiles=(0, 100))
    (0.0, 4.0)
    """
    values = np.concatenate([np.asarray(image, dtype=np.float64).ravel() for image in pixels])
    values = values[np.isfinite(values)]
    if values.size == 0:
        return (-1.0, 1.0) if symmetric else (0.0, 1.0)
    if symmetric:
        reach = float(np.percentile(np.abs(values), percentiles[1]))
        return -reach, reach
    low, high = np.percentile(values, percentiles)
    return float(low), float(high)


def _check_series(title: str, series: tuple[Series, ...]) -> None:
    for name, x, y in series:
        if len(x) != len(y):
            raise InputError(
                "as many x as y",
                came=f"{len(x)} and {len(y)}",
                case=f"series '{name}' of '{title}'",
            )
