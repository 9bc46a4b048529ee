"""Dice, IoU, surface distances and volumes against hand-worked values, MONAI and scikit-learn."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, jaccard_score

from vesalius.core.errors import InputError
from vesalius.metrics.clinical import HD95, Dice, IoU, SurfaceDice, VolumeError

LEFT = torch.tensor([[[[1, 1, 0, 2], [1, 1, 0, 2]]]])
WIDE = torch.tensor([[[[1, 1, 1, 2], [1, 1, 1, 0]]]])
NOTHING = torch.zeros_like(LEFT)


def blobs(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Two overlapping random blobs a case, away from each other by a few voxels."""
    generator = torch.Generator().manual_seed(seed)
    axes = [torch.arange(n, dtype=torch.float64) for n in space]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    maps = []
    for _ in range(4):
        centre = torch.tensor(space) / 2 + 4 * torch.rand(len(space), generator=generator) - 2
        radii = torch.tensor(space) / 4 * (0.7 + 0.6 * torch.rand(len(space), generator=generator))
        ones = [1] * len(space)
        distance = (((grid - centre.view(-1, *ones)) / radii.view(-1, *ones)) ** 2).sum(0)
        noise = 0.3 * torch.rand(space, generator=generator)
        maps.append(((distance + noise) < 1).to(torch.int64))
    stacked = torch.stack(maps).unsqueeze(1)
    return stacked[:2], stacked[2:]


def test_overlap_by_hand() -> None:
    assert Dice(1, "liver").statistic(WIDE, LEFT).item() == pytest.approx(2 * 4 / (6 + 4))
    assert IoU(1, "liver").statistic(WIDE, LEFT).item() == pytest.approx(4 / 6)
    assert Dice(2, "spleen").statistic(WIDE, LEFT).item() == pytest.approx(2 * 1 / (1 + 2))
    mask = torch.zeros(1, 1, 2, 4, dtype=torch.bool)
    mask[..., 0, 1:] = True  # of label 1: two predicted, one true, one in common
    assert Dice(1, "liver").statistic(WIDE, LEFT, mask).item() == pytest.approx(2 / 3)


def test_volume_by_hand() -> None:
    error = VolumeError(1, "liver", (2.0, 5.0, 10.0))
    assert error.unit == "ml"
    assert error.statistic(WIDE, LEFT).item() == pytest.approx(0.2)  # two voxels of 0.1 ml
    assert error.statistic(LEFT, WIDE).item() == pytest.approx(-0.2)
    assert error.statistic(NOTHING, NOTHING).item() == 0.0
    with pytest.raises(InputError, match="slice thickness"):
        VolumeError(1, "liver", (2.0, 5.0))


def test_absent_labels() -> None:
    distance = HD95(1, "liver", (3.0, 1.0))
    surface = SurfaceDice(1, "liver", (3.0, 1.0), tolerance_mm=1.0)
    for predicted, reference in ((NOTHING, LEFT), (LEFT, NOTHING)):
        assert Dice(1, "liver").statistic(predicted, reference).item() == 0.0
        assert IoU(1, "liver", both_absent=1.0).statistic(predicted, reference).item() == 0.0
        # the diagonal of an image of 2 x 3 mm by 4 x 1 mm
        assert distance.statistic(predicted, reference).item() == pytest.approx(math.hypot(6, 4))
        assert surface.statistic(predicted, reference).item() == 0.0
    for metric in (Dice(1, "liver"), IoU(1, "liver"), distance, surface):
        assert math.isnan(metric.statistic(NOTHING, NOTHING).item())
    assert Dice(1, "liver", both_absent=1.0).statistic(NOTHING, NOTHING).item() == 1.0


def test_distance_of_two_points_by_hand() -> None:
    predicted, reference = torch.zeros(2, 1, 1, 9, 9, 9)
    predicted[..., 1, 2, 3], reference[..., 5, 2, 6] = 1, 1
    value = HD95(1, "point", (2.0, 7.0, 0.5)).statistic(predicted, reference)
    assert value.item() == pytest.approx(math.hypot(4 * 2.0, 3 * 0.5))
    for tolerance, wanted in ((8.13, 0.0), (8.14, 1.0)):  # the distance is 8.139
        metric = SurfaceDice(1, "point", (2.0, 7.0, 0.5), tolerance_mm=tolerance)
        assert metric.statistic(predicted, reference).item() == wanted


def test_a_shifted_square_by_hand() -> None:
    predicted, reference = torch.zeros(2, 1, 1, 12, 12)
    predicted[..., 3:8, 3:8], reference[..., 3:8, 4:9] = 1, 1
    # each surface has 16 voxels; of the shifted one, 4 lie at a distance of 0 on each of the two
    # common edges and 1 beyond, and the inner edges' 3 on either side lie 1 from the other's
    value = SurfaceDice(1, "square", (1.0, 1.0), tolerance_mm=0.5)
    assert value.statistic(predicted, reference).item() == pytest.approx(8 / 16)
    assert HD95(1, "square", (1.0, 1.0)).statistic(predicted, reference).item() == 1.0


# MONAI warns of an argument that it passes to itself
@pytest.mark.filterwarnings("ignore:monai.metrics.utils get_mask_edges:FutureWarning")
@pytest.mark.parametrize("space", [(24, 30), (14, 16, 18)])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_against_monai(space: tuple[int, ...], seed: int) -> None:
    from monai.metrics import (
        compute_dice,
        compute_hausdorff_distance,
        compute_iou,
        compute_surface_dice,
    )

    predicted, reference = blobs(seed, *space)
    spacing = (0.8, 1.5, 2.5)[: len(space)]
    both = {"include_background": True}
    wanted = {
        "dice": compute_dice(predicted, reference, **both),
        "iou": compute_iou(predicted, reference, **both),
        "hd95": compute_hausdorff_distance(
            predicted, reference, percentile=95, spacing=list(spacing), **both
        ),
        "surface_dice": compute_surface_dice(
            predicted, reference, class_thresholds=[2.0], spacing=list(spacing), **both
        ),
    }
    for metric in (
        Dice(1, "blob"),
        IoU(1, "blob"),
        HD95(1, "blob", spacing),
        SurfaceDice(1, "blob", spacing, tolerance_mm=2.0),
    ):
        found = metric.statistic(predicted, reference)
        assert torch.allclose(found, wanted[metric.name][:, 0].double(), atol=1e-5), metric.name


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), label=st.integers(0, 3))
def test_against_scikit_learn(seed: int, label: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    predicted, reference = torch.randint(0, 4, (2, 1, 1, 9, 11), generator=generator)
    x, y = ((labels == label).flatten().numpy() for labels in (predicted, reference))
    assert Dice(label, "a").statistic(predicted, reference).item() == pytest.approx(f1_score(y, x))
    assert IoU(label, "a").statistic(predicted, reference).item() == pytest.approx(
        jaccard_score(y, x)
    )


def test_labels_are_whole_numbers_in_one_channel() -> None:
    with pytest.raises(InputError, match="whole numbers in 'predicted'"):
        Dice(1, "liver").statistic(LEFT + 0.5, LEFT.double())
    with pytest.raises(InputError, match="one channel, got 2"):
        Dice(1, "liver").statistic(LEFT.expand(1, 2, 2, 4), LEFT.expand(1, 2, 2, 4))


def test_spacing_fits_the_image() -> None:
    with pytest.raises(InputError, match="2 voxel sizes"):
        HD95(1, "liver", (1.0, 1.0, 1.0)).statistic(LEFT, LEFT)
    with pytest.raises(InputError, match="spacing_mm"):
        HD95(1, "liver", (1.0, 0.0))
    with pytest.raises(InputError, match="tolerance_mm"):
        SurfaceDice(1, "liver", (1.0, 1.0), tolerance_mm=-1.0)
