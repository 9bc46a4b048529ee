"""Colour maps: even in lightness, safe for colour-blind eyes, dark where an image is dark.

Steps are even in the lightness of OKLab (Ottosson 2020, "A perceptual color space for image
processing"), so equal differences in value look like equal differences. Blue and orange tell signs
apart for every common kind of colour vision; plum belongs to none of the maps and marks pixels
that are not defined.
"""

from __future__ import annotations

from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

UNDEFINED_COLOUR = (150, 50, 135)
# not quite black: below a lightness of 0.06 sRGB bytes have no steps left
HEAT = ("#080405", "#4d1408", "#b8410c", "#f39a1e", "#fffbe6")
COLD_ARM = ("#0b0b0d", "#1a3f9c", "#3f8fe8", "#d6f0ff")
WARM_ARM = ("#0b0b0d", "#7a2f06", "#df7a16", "#fff0cf")
LABELS = (
    "#000000",
    "#e69f00",
    "#56b4e9",
    "#009e73",
    "#f0e442",
    "#0072b2",
    "#d55e00",
    "#b8a1d9",
    "#8c6d46",
    "#a6d854",
    "#7f7f7f",
    "#e8d8b8",
    "#2f4f6f",
)

_TO_CONE = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def rgb_of(colour: str) -> tuple[int, int, int]:
    """``"#ff8000"`` as three bytes."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Bytes in sRGB ``(n, 3)`` to OKLab ``(n, 3)``; lightness from 0 to 1 comes first."""
    encoded = rgb.astype(np.float64) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONE.T) @ _TO_LAB.T)


def srgb(lab: NDArray[np.float64]) -> NDArray[np.uint8]:
    """OKLab ``(n, 3)`` to the nearest sRGB bytes."""
    linear = ((lab @ np.linalg.inv(_TO_LAB).T) ** 3) @ np.linalg.inv(_TO_CONE).T
    linear = np.clip(linear, 0, 1)
    encoded = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.round(255 * encoded).astype(np.uint8)


def _ramp(colours: tuple[str, ...], steps: int) -> NDArray[np.uint8]:
    """A path through ``colours`` whose lightness rises evenly."""
    anchors = oklab(np.array([rgb_of(colour) for colour in colours], dtype=np.uint8))
    lightness = np.linspace(anchors[0, 0], anchors[-1, 0], steps)
    hue = [np.interp(lightness, anchors[:, 0], anchors[:, axis]) for axis in (1, 2)]
    return srgb(np.stack([lightness, *hue], axis=1))


@cache
def colour_table(colour: Literal["grey", "signed", "heat"], steps: int) -> NDArray[np.uint8]:
    """``(steps, 3)`` bytes from the lowest value to the highest; do not write to it."""
    if colour == "grey":
        grey = np.round(np.linspace(0, 255, steps)).astype(np.uint8)
        return np.repeat(grey[:, None], 3, axis=1)
    if colour == "heat":
        return _ramp(HEAT, steps)
    half = (steps + 1) // 2
    cold, warm = _ramp(COLD_ARM, half), _ramp(WARM_ARM, half)
    return np.concatenate([cold[::-1], warm[1 if steps % 2 else 0 :]])


def label_colour(label: int) -> str:
    """The colour of a label: black for zero, then twelve in turn."""
    return LABELS[0] if label == 0 else LABELS[1 + (label - 1) % (len(LABELS) - 1)]
