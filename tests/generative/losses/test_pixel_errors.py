"""Losses of voxels by themselves."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core import Batch, InputError
from vesalius.generative.losses import (
    L1,
    L2,
    AdaptiveRobust,
    BiologicalConstraints,
    Charbonnier,
    ConfidenceMap,
    Huber,
    MeanPNorm,
    MultipleContrast,
    MultiScale,
    RootMeanSquare,
)

WANTED = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]], [[[0.0, 0.0], [0.0, 0.0]]]]).double()
DRAWN = torch.tensor([[[[1.0, 1.0], [0.0, 3.0]]], [[[3.0, 0.0], [0.0, 4.0]]]]).double()
BATCH = Batch(wanted=WANTED)


def test_by_hand() -> None:
    assert float(RootMeanSquare()(DRAWN, BATCH)) == pytest.approx((math.sqrt(5) + 5) / 2 / 2)
    half = ((1 + 2**1.5) / 4) ** (2 / 3) + ((3**1.5 + 4**1.5) / 4) ** (2 / 3)
    assert float(MeanPNorm()(DRAWN, BATCH)) == pytest.approx(half / 2)
    smooth = [math.hypot(d, 0.5) - 0.5 for d in (1, 0, 2, 0, 3, 0, 0, 4)]
    assert float(Charbonnier(epsilon=0.5)(DRAWN, BATCH)) == pytest.approx(sum(smooth) / 8)
    # threshold 2: 1/2, 2 (2 - 1), 2 (3 - 1), 2 (4 - 1)
    assert float(Huber(threshold=2)(DRAWN, BATCH)) == pytest.approx((0.5 + 2 + 4 + 6) / 8)


def test_members_of_a_family() -> None:
    assert float(MeanPNorm(p=2)(DRAWN, BATCH)) == pytest.approx(
        float(RootMeanSquare()(DRAWN, BATCH))
    )
    assert float(MeanPNorm(p=1)(DRAWN, BATCH)) == pytest.approx(float(L1()(DRAWN, BATCH)))
    assert float(Charbonnier(epsilon=1e-9)(DRAWN, BATCH)) == pytest.approx(
        float(L1()(DRAWN, BATCH))
    )
    assert float(Huber(threshold=100)(DRAWN, BATCH)) == pytest.approx(float(L2()(DRAWN, BATCH)) / 2)
    smooth = torch.nn.functional.smooth_l1_loss(DRAWN, WANTED, beta=0.7)
    assert float(Huber(threshold=0.7)(DRAWN, BATCH)) / 0.7 == pytest.approx(float(smooth))


@pytest.mark.parametrize(
    ("alpha", "formula"),
    [
        (2.0, lambda r: r**2 / 2),
        (1.0, lambda r: math.sqrt(r**2 + 1) - 1),
        (0.0, lambda r: math.log(r**2 / 2 + 1)),
        (-2.0, lambda r: 2 * r**2 / (r**2 + 4)),
        (-math.inf, lambda r: 1 - math.exp(-(r**2) / 2)),
    ],
)
def test_barron_table_of_special_cases(alpha: float, formula: object) -> None:
    """Barron 2019, equation 8."""
    ratios = [1 / 0.8, 0, 2 / 0.8, 0, 3 / 0.8, 0, 0, 4 / 0.8]
    found = float(AdaptiveRobust(alpha=alpha, scale=0.8)(DRAWN, BATCH))
    assert found == pytest.approx(sum(map(formula, ratios)) / 8)  # type: ignore[call-overload]


@settings(max_examples=30, deadline=None)
@given(st.sampled_from([2.0, 0.0]), st.floats(0.01, 5))
def test_barron_is_continuous_in_alpha(alpha: float, error: float) -> None:
    batch = Batch(wanted=torch.zeros(1, 1, 1, 1).double())
    drawn = torch.full((1, 1, 1, 1), error).double()
    at, near = (
        float(AdaptiveRobust(alpha=a, scale=1.0)(drawn, batch)) for a in (alpha, alpha + 1e-6)
    )
    assert near == pytest.approx(at, rel=1e-3, abs=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.floats(-10, 1.9), st.floats(0.1, 3))
def test_barron_counts_outliers_less_as_alpha_falls(alpha: float, error: float) -> None:
    batch = Batch(wanted=torch.zeros(1, 1, 1, 1).double())
    drawn = torch.full((1, 1, 1, 1), error).double()
    low, high = (float(AdaptiveRobust(alpha=a, scale=1.0)(drawn, batch)) for a in (alpha, 2.0))
    assert low < high


def test_through_windows() -> None:
    loss = MultipleContrast(windows=((0.0, 2.0), (2.0, 3.0)))
    # clipped to [0, 2]: 1, 0, 2, 0 / 2, 0, 0, 2; to [2, 3]: 0, 0, 0, 0 / 1, 0, 0, 1
    assert float(loss(DRAWN, BATCH)) == pytest.approx((7 / 8 / 2 + 2 / 8) / 2)
    with pytest.raises(InputError, match="low below high"):
        MultipleContrast(windows=((1.0, 1.0),))


def test_at_several_scales() -> None:
    # means of the whole image: 1.25 and 1.5; 1.75 and 0
    loss = MultiScale(loss=L1(weight=5.0), scales=2)
    assert float(loss(DRAWN, BATCH)) == pytest.approx((10 / 8 + (0.25 + 1.75) / 2) / 2)
    with pytest.raises(InputError, match="at least 4 voxels"):
        MultiScale(scales=3)(DRAWN, BATCH)


def test_confidence_is_best_where_it_pays() -> None:
    """C |e| - price log C is least at C = price / |e|, where it is price (1 - log C)."""
    error, price = 0.4, 0.1
    shares = torch.linspace(0.01, 0.99, 197).double()
    wanted = torch.zeros(197, 1, 1, 1).double()
    drawn = torch.stack([wanted + error, torch.logit(shares)[:, None, None, None]], 1).squeeze(2)
    losses = [
        float(ConfidenceMap(price=price)(drawn[i : i + 1], Batch(wanted=wanted[i : i + 1])))
        for i in range(197)
    ]
    best = int(np.argmin(losses))
    assert float(shares[best]) == pytest.approx(price / error)
    assert losses[best] == pytest.approx(price * (1 + math.log(error / price)))


def test_inside_the_band_nothing_is_lost() -> None:
    course = Batch(
        wanted=None, extras={"expected": WANTED, "tolerance": torch.tensor(1.5).double()}
    )
    assert float(BiologicalConstraints()(DRAWN, course)) == pytest.approx((0 + 0.5 + 1.5 + 2.5) / 8)
    with pytest.raises(InputError, match="'expected' and 'tolerance'"):
        BiologicalConstraints()(DRAWN, BATCH)


@pytest.mark.parametrize(
    "make",
    [
        lambda: MeanPNorm(p=0.5),
        lambda: Charbonnier(epsilon=0.0),
        lambda: Huber(threshold=-1.0),
        lambda: AdaptiveRobust(scale=0.0),
        lambda: AdaptiveRobust(alpha=math.nan),
        lambda: MultiScale(scales=0),
        lambda: ConfidenceMap(price=0.0),
    ],
)
def test_settings_that_cannot_be(make: object) -> None:
    with pytest.raises(InputError):
        make()  # type: ignore[operator]
