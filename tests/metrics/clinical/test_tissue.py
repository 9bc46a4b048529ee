"""Regions and tissue classes of physical images."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from skimage.filters import threshold_multiotsu

from vesalius.core.errors import InputError
from vesalius.metrics import title
from vesalius.metrics.clinical import RegionDice, TissueAgreement


def test_bone_by_hand() -> None:
    reference = torch.tensor([[[[-1000.0, 40.0, 250.0], [900.0, 1200.0, 30.0]]]])
    predicted = torch.tensor([[[[-1000.0, 260.0, 250.0], [100.0, 1200.0, 30.0]]]])
    bone = RegionDice(250.0, "bone", data_unit="HU")
    assert title(bone) == "region dice (threshold 250 HU, region_name bone)"
    assert bone.statistic(predicted, reference).item() == pytest.approx(2 * 2 / 6)
    air = RegionDice(-500.0, "air", data_unit="HU", side="below")
    assert air.statistic(predicted, reference).item() == 1.0
    nothing = RegionDice(5000.0, "metal", data_unit="HU")
    assert math.isnan(nothing.statistic(predicted, reference).item())


def tissues(seed: int) -> torch.Tensor:
    """A slice of four tissues with noise, ``(1, 1, 40, 40)``."""
    generator = torch.Generator().manual_seed(seed)
    image = torch.zeros(1, 1, 40, 40, dtype=torch.float64)
    image[..., 5:35, 5:35], image[..., 10:30, 10:30], image[..., 15:22, 15:22] = 300, 600, 950
    noise = torch.randn(image.shape, generator=generator, dtype=torch.float64)
    return image + 20 * noise


@pytest.mark.parametrize("classes", [2, 3, 4])
def test_tissue_agreement_against_its_definition(classes: int) -> None:
    reference = tissues(0)
    predicted = reference + 80 * torch.randn(
        reference.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64
    )
    truth, found = reference.numpy(), predicted.numpy()
    width = (truth.max() - truth.min()) / 256
    # scikit-image gives the centre of the bin after which it cuts
    cuts = threshold_multiotsu(truth, classes=classes) + width / 2
    a, b = np.digitize(found, cuts), np.digitize(truth, cuts)
    dice = [
        2 * ((a == k) & (b == k)).sum() / ((a == k).sum() + (b == k).sum()) for k in range(classes)
    ]
    value = TissueAgreement(classes=classes).statistic(predicted, reference).item()
    assert value == pytest.approx(np.mean(dice), abs=1e-12)
    assert 0.5 < value < 1


def test_a_lost_tissue_is_seen() -> None:
    reference = tissues(0)
    # the inner square of 20 x 20 becomes like what surrounds it: class 2 of 4 is lost
    predicted = torch.where((reference > 450) & (reference < 775), reference - 300, reference)
    outer, inner, middle = 30 * 30 - 20 * 20, 20 * 20 - 7 * 7, 0.0
    wanted = (1 + 2 * outer / (outer + outer + inner) + middle + 1) / 4
    value = TissueAgreement(classes=4).statistic(predicted, reference)
    assert value.item() == pytest.approx(wanted, abs=1e-12)


def test_thresholds_come_from_the_mask() -> None:
    reference = tissues(0)
    mask = reference > 450
    beyond = torch.where(mask, reference, reference + 1e5)
    metric = TissueAgreement(classes=2)
    value = metric.statistic(reference + 50, reference, mask)
    assert torch.equal(value, metric.statistic(reference + 50, beyond, mask))


def test_fewer_values_than_classes() -> None:
    constant = torch.full((1, 1, 8, 8), 3.0)
    assert math.isnan(TissueAgreement(classes=2).statistic(constant, constant).item())
    halves = constant.clone()
    halves[..., 4:] = 7.0
    assert TissueAgreement(classes=2).statistic(halves, halves).item() == 1.0
    assert math.isnan(TissueAgreement(classes=3).statistic(halves, halves).item())


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="2 to 4 classes"):
        TissueAgreement(classes=1)
    two = torch.zeros(1, 2, 4, 4)
    for metric in (TissueAgreement(), RegionDice(1.0, "bone", data_unit="HU")):
        with pytest.raises(InputError, match="one channel"):
            metric.statistic(two, two)
