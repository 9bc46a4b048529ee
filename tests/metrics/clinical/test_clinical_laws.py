"""Every clinical metric of one image keeps the laws of a metric."""

from __future__ import annotations

import pytest

from vesalius.metrics.clinical import (
    HD95,
    BrainVolumeError,
    Dice,
    DoseScore,
    DoseToPercentError,
    IoU,
    MeanDoseError,
    RegionDice,
    SurfaceDice,
    SUVBias,
    TissueAgreement,
    VolumeError,
)
from vesalius.metrics.metric import CaseMetric
from vesalius.testing.check_metric import IMAGES, LABELS, Material, check_case_metric

PLANE, VOLUME = (21, 24), (13, 12, 15)
DIMMED = Material(IMAGES.references, lambda images, amount, _: images * (1 - amount / 2))
"""Smooth positive images of about 500, spoiled by taking some of every value away."""


@pytest.mark.parametrize(
    ("metric", "best", "symmetric", "material", "spaces"),
    [
        (Dice(1, "ball"), 1.0, True, LABELS, (PLANE, VOLUME)),
        (Dice(1, "ball", both_absent=1.0), 1.0, True, LABELS, (PLANE, VOLUME)),
        (IoU(1, "ball"), 1.0, True, LABELS, (PLANE, VOLUME)),
        (HD95(1, "ball", (0.7, 1.3)), 0.0, True, LABELS, (PLANE,)),
        (HD95(1, "ball", (0.7, 1.3, 2.0)), 0.0, True, LABELS, (VOLUME,)),
        (SurfaceDice(1, "ball", (1.0, 1.1), tolerance_mm=2.0), 1.0, True, LABELS, (PLANE,)),
        (VolumeError(1, "ball", (0.7, 1.3, 2.0)), 0.0, False, LABELS, (PLANE, VOLUME)),
        (RegionDice(500.0, "bone", data_unit="HU"), 1.0, True, IMAGES, (PLANE, VOLUME)),
        (
            RegionDice(500.0, "fat", data_unit="HU", side="below"),
            1.0,
            True,
            IMAGES,
            (PLANE, VOLUME),
        ),
        (TissueAgreement(), 1.0, False, IMAGES, (PLANE, VOLUME)),
        (BrainVolumeError((1,)), 0.0, False, LABELS, (PLANE, VOLUME)),
        (DoseScore(), 0.0, False, IMAGES, (PLANE, VOLUME)),
        (DoseToPercentError(95), 0.0, False, DIMMED, (PLANE, VOLUME)),
        (MeanDoseError(), 0.0, False, DIMMED, (PLANE, VOLUME)),
        (SUVBias(), 0.0, False, DIMMED, (PLANE, VOLUME)),
        (SUVBias(uptake="maximum"), 0.0, False, DIMMED, (PLANE, VOLUME)),
    ],
    ids=lambda value: "" if type(value).__name__ == "Material" else str(value),
)
def test_laws(
    metric: CaseMetric,
    best: float,
    symmetric: bool,
    material: Material,
    spaces: tuple[tuple[int, ...], ...],
) -> None:
    check_case_metric(metric, best=best, symmetric=symmetric, material=material, spaces=spaces)
