"""A window that cannot be is refused by whatever takes one, before any image is seen."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from vesalius.core import InputError
from vesalius.metrics.feature import (
    LPIPS,
    EfficientNetDistance,
    EfficientNetLite0Features,
    PixelFeatures,
    RadiomicFeatures,
    ScriptedVolumeFeatures,
)
from vesalius.metrics.feature.image_window import check_window
from vesalius.metrics.feature.video import (
    ScriptedClips,
    ScriptedFlow,
    ScriptedMidpoint,
    ScriptedRater,
)

PATH = Path("network.pt")
TAKERS: dict[str, Callable[[tuple[float, float]], object]] = {
    "pixels": PixelFeatures,
    "radiomics": RadiomicFeatures,
    "efficientnet": EfficientNetLite0Features,
    "efficientnet distance": EfficientNetDistance,
    "lpips": lambda window: LPIPS("network.pt", window),
    "volumes": lambda window: ScriptedVolumeFeatures(PATH, window),
    "clips": lambda window: ScriptedClips(PATH, window),
    "scale of clips": lambda window: ScriptedClips(PATH, (0, 1), scale=window),
    "flow": lambda window: ScriptedFlow(PATH, window),
    "midpoint": lambda window: ScriptedMidpoint(PATH, window),
    "rater": lambda window: ScriptedRater(PATH, window),
}


@pytest.mark.parametrize("taker", TAKERS.values(), ids=TAKERS.keys())
@pytest.mark.parametrize("window", [(1, 0), (1, 1), (-math.inf, 0), (0, math.nan)])
def test_a_window_that_cannot_be(
    taker: Callable[[tuple[float, float]], object], window: tuple[float, float]
) -> None:
    with pytest.raises(InputError, match="low < high"):
        taker(window)
    taker((-1000, 1000))


def test_a_window_is_given_back_as_floats() -> None:
    assert check_window((-1, 2)) == (-1.0, 2.0)
    assert all(type(bound) is float for bound in check_window((-1, 2)))
    with pytest.raises(InputError, match="'scale'"):
        check_window((2, 1), "scale")
