"""Pictures as PNG tiles; what a colour means is printed under every one."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vesalius.reports import numbers
from vesalius.reports.colours import (
    LABELS,
    UNDEFINED_COLOUR,
    colour_table,
    label_colour,
    rgb_of,
)
from vesalius.reports.content import Picture, Strip

# Below this many pixels a side, a tile shows its pixels as squares: smoothing would invent detail.
PIXELATED_BELOW = 200
COLUMNS = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 4, 8: 4, 9: 5, 10: 5}
MOST_COLUMNS = 6
MOST_LABELS = 12
LABEL_COLOURS = len(LABELS) - 1
#: How much of a label's colour covers the pixels below it.
OVERLAY_STRENGTH = 0.5


@dataclass(frozen=True)
class Tile:
    """A picture, ready for the page."""

    label: str
    alt: str
    uri: str
    width: int
    height: int
    pixelated: bool
    low: str
    high: str
    unit: str
    gradient: str
    labels: tuple[tuple[str, str], ...]
    undefined: bool


@dataclass(frozen=True)
class Plate:
    """A strip, ready for the page."""

    strip: Strip
    tiles: tuple[Tile, ...]
    columns: int
    aspect: float


def rendered(picture: Picture) -> NDArray[np.uint8]:
    """The picture's colours, ``(row, column, 3)`` bytes."""
    index, palette = _indexed(picture)
    colours = np.asarray(palette[index])
    if picture.overlay is None:
        return colours
    table = np.array([rgb_of(label_colour(label)) for label in range(1 + LABEL_COLOURS)])
    labels = np.asarray(picture.overlay, dtype=np.int64)
    laid = table[_cycled(labels)]
    blend = OVERLAY_STRENGTH * laid + (1 - OVERLAY_STRENGTH) * colours
    return np.where((labels > 0)[..., None], np.round(blend), colours).astype(np.uint8)


def png(picture: Picture) -> bytes:
    """The picture as a PNG file, one pixel a pixel."""
    from PIL import Image as PillowImage

    if picture.overlay is not None:
        image = PillowImage.fromarray(rendered(picture))
    else:
        index, palette = _indexed(picture)
        image = PillowImage.fromarray(index)
        if len(palette) != 256 or not np.array_equal(palette[:, 0], np.arange(256)):
            image.putpalette(palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def tile(picture: Picture, case: str) -> Tile:
    """The picture with its scale and its words."""
    low, high = picture.window
    decimals = numbers.decimals_for(max(abs(low), abs(high)), None, None)
    texts = [_trimmed(numbers.number(value, decimals)) for value in (low, high)]
    height, width = picture.pixels.shape
    undefined = bool(np.any(~np.isfinite(np.asarray(picture.pixels, dtype=np.float64))))
    unit = "" if picture.unit in ("", "1") else picture.unit
    scale = f"{texts[0]} to {texts[1]} {unit}".strip()
    words = "labels" if picture.colour == "labels" else f"window {scale}"
    words += ", labels laid over it" if picture.overlay is not None else ""
    return Tile(
        label=picture.label,
        alt=f"{case}, {picture.label}, {words}"
        + ("; plum where it is not defined" if undefined else ""),
        uri="data:image/png;base64," + base64.b64encode(png(picture)).decode(),
        width=width,
        height=max(1, round(height * picture.pixel_aspect)),
        pixelated=max(height, width) < PIXELATED_BELOW,
        low=texts[0],
        high=texts[1],
        unit=unit,
        gradient="" if picture.colour == "labels" else _gradient(picture),
        labels=_labels(picture),
        undefined=undefined,
    )


def plate(strip: Strip) -> Plate:
    """The strip's tiles, and how many of them stand side by side."""
    tiles = tuple(tile(picture, strip.case) for picture in strip.pictures)
    aspects = [round(item.width / item.height, 3) for item in tiles]
    most_common = max(aspects, key=aspects.count, default=1.0)
    return Plate(
        strip=strip,
        tiles=tiles,
        columns=COLUMNS.get(len(tiles), MOST_COLUMNS),
        aspect=min(max(most_common, 0.4), 2.5),
    )


def fractions(picture: Picture, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where ``values`` lie on the colour map, 0 to 1; not for labels.

    A signed map keeps zero in its middle whatever the window. A window without width draws what is
    below it like the low end, what is above like the high end, and itself as "no difference".
    """
    low, high = picture.window
    if picture.colour == "signed":
        reach = max(abs(low), abs(high))
        if reach == 0:
            return np.asarray(0.5 + 0.5 * np.sign(values))
        return np.asarray(0.5 + 0.5 * np.clip(values, low, high) / reach)
    if low == high:
        return np.asarray((values > high).astype(np.float64))
    return np.asarray((np.clip(values, low, high) - low) / (high - low))


def _indexed(picture: Picture) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Pixels as indices into a palette; its last entry marks what is not defined."""
    values = np.asarray(picture.pixels, dtype=np.float64)
    defined = np.isfinite(values)
    safe = np.where(defined, values, 0.0)
    if picture.colour == "labels":
        colours = [rgb_of(label_colour(label)) for label in range(255)]
        index = _cycled(safe)
        palette = np.array([*colours, UNDEFINED_COLOUR], dtype=np.uint8)
    elif picture.colour == "grey" and defined.all():
        index = np.round(255 * fractions(picture, safe))
        palette = colour_table("grey", 256)
    else:
        index = np.round(254 * fractions(picture, safe))
        table = colour_table(picture.colour, 255)
        palette = np.concatenate([table, np.array([UNDEFINED_COLOUR], dtype=np.uint8)])
    return np.where(defined, index, 255).astype(np.uint8), palette


def _cycled(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels from one on brought into whole turns of the colours; zero stays."""
    return np.where(labels == 0, 0, 1 + (labels - 1) % LABEL_COLOURS)


def _gradient(picture: Picture) -> str:
    """The window as CSS colour stops."""
    assert picture.colour != "labels"
    values = np.linspace(picture.window[0], picture.window[1], 17)
    table = colour_table(picture.colour, 255)
    stops = table[np.round(254 * fractions(picture, values)).astype(int)]
    return ",".join(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in stops)


def _labels(picture: Picture) -> tuple[tuple[str, str], ...]:
    if picture.colour != "labels" and picture.overlay is None:
        return ()
    shown = picture.pixels if picture.overlay is None else picture.overlay
    values = np.asarray(shown, dtype=np.float64)
    present = [int(label) for label in np.unique(values[np.isfinite(values)]) if label != 0]
    named = [(label_colour(x), picture.label_names.get(x, str(x))) for x in present[:MOST_LABELS]]
    if len(present) > MOST_LABELS:
        named.append(("", f"and {len(present) - MOST_LABELS} more"))
    return tuple(named)


def _trimmed(text: str) -> str:
    """``"0.500"`` as ``"0.5"``, ``"1.00"`` as ``"1"``; powers of ten stay."""
    if "." not in text or "×" in text:
        return text
    return text.rstrip("0").rstrip(".")
