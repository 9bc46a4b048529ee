"""Losses of differences between neighbours."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage

from vesalius.core import Batch, InputError
from vesalius.generative.losses import (
    ContrastiveEdge,
    Gradient,
    GradientDifference,
    JointSparsifyingTransform,
    TemporalConsistency,
    TotalVariation,
)

WANTED = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]]).double()
DRAWN = torch.tensor([[[[1.0, 1.0], [0.0, 3.0]]]]).double()
BATCH = Batch(wanted=WANTED, given=torch.zeros_like(WANTED))


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_gradients_by_hand() -> None:
    # down: -1, 2 against 2, 2; across: 0, 3 against 1, 1
    assert float(Gradient()(DRAWN, BATCH)) == pytest.approx((3 / 2 + 3 / 2) / 2)
    assert float(Gradient(norm="l2")(DRAWN, BATCH)) == pytest.approx((9 / 2 + 5 / 2) / 2)
    assert float(GradientDifference()(DRAWN, BATCH)) == pytest.approx((1 / 2 + 3 / 2) / 2)
    assert float(GradientDifference(alpha=2)(DRAWN, BATCH)) == pytest.approx((1 / 2 + 5 / 2) / 2)


@pytest.mark.parametrize("shape", [(2, 1, 5, 6), (2, 2, 4, 5, 3)])
def test_what_gradients_do_not_see(shape: tuple[int, ...]) -> None:
    drawn, batch = noise(*shape), Batch(wanted=noise(*shape, seed=1))
    for loss in (Gradient(), Gradient(norm="l2"), GradientDifference()):
        assert float(loss(drawn + 0.7, batch)) == pytest.approx(float(loss(drawn, batch)))
    inverted = GradientDifference()(-drawn, batch)
    assert float(inverted) == pytest.approx(float(GradientDifference()(drawn, batch)))
    assert float(Gradient()(-drawn, batch)) != pytest.approx(float(Gradient()(drawn, batch)))


def test_total_variation_by_hand_and_against_numpy() -> None:
    # lengths |(down, across)|: |(-1, 0)|, |(2, 0)|, |(0, 3)|, 0
    assert float(TotalVariation()(DRAWN, BATCH)) == pytest.approx((1 + 2 + 3 + 0) / 4)
    image = torch.tensor([[[[0.0, 3.0], [4.0, 0.0]]]]).double()
    assert float(TotalVariation()(image, BATCH)) == pytest.approx((5 + 3 + 4) / 4)
    images = noise(3, 2, 7, 9)
    array = images.numpy()
    steps = np.abs(np.diff(array, axis=2)).sum() + np.abs(np.diff(array, axis=3)).sum()
    found = float(TotalVariation(kind="anisotropic")(images, BATCH))
    assert found == pytest.approx(steps / array.size)


def test_total_variation_of_a_ramp_in_three_dimensions() -> None:
    """A plane a . p has a gradient of length |a| but at the last voxel of an axis."""
    grid = torch.meshgrid(*[torch.arange(float(n)).double() for n in (4, 5, 6)], indexing="ij")
    ramp = (1 * grid[0] + 2 * grid[1] + 2 * grid[2])[None, None]
    inner = 3 * 4 * 5 * 3.0
    one_edge = 4 * 5 * 8**0.5 + 3 * 5 * 5**0.5 + 3 * 4 * 5**0.5
    two_edges = 3 * 1 + 4 * 2 + 5 * 2
    assert float(TotalVariation()(ramp, BATCH)) == pytest.approx(
        (inner + one_edge + two_edges) / 120
    )


def test_joint_sparsity_is_a_mixture() -> None:
    drawn, given = noise(2, 1, 6, 6), noise(2, 1, 6, 6, seed=1)
    batch = Batch(wanted=None, given=given)
    own, residual = (float(TotalVariation()(x, batch)) for x in (drawn, given - drawn))
    for share in (0.0, 0.3, 1.0):
        found = float(JointSparsifyingTransform(share=share)(drawn, batch))
        assert found == pytest.approx(share * own + (1 - share) * residual)
    paired = JointSparsifyingTransform(against="wanted")
    assert float(paired(drawn, Batch(wanted=given))) == pytest.approx((own + residual) / 2)


@pytest.mark.parametrize("shape", [(7, 8), (5, 6, 7)])
def test_edges_against_scipy(shape: tuple[int, ...]) -> None:
    drawn, wanted, given = (noise(1, 1, *shape, seed=seed) for seed in range(3))
    inside = (slice(1, -1),) * len(shape)
    edges = [ndimage.laplace(x[0, 0].numpy())[inside] for x in (drawn, wanted, given)]
    near, far = (np.abs(edges[0] - other).mean() for other in edges[1:])
    found = ContrastiveEdge(floor=0.1)(drawn, Batch(wanted=wanted, given=given))
    assert float(found) == pytest.approx(near / (far + 0.1))


def test_staying_with_what_was_given_costs_more_than_going_to_what_is_wanted() -> None:
    wanted, given = noise(1, 1, 8, 8), noise(1, 1, 8, 8, seed=1)
    batch = Batch(wanted=wanted, given=given)
    costs = [float(ContrastiveEdge()(given.lerp(wanted, share), batch)) for share in (0, 0.5, 1)]
    assert costs[0] > 100 * costs[1] > costs[2] == 0


def test_changes_from_frame_to_frame() -> None:
    wanted = torch.zeros(1, 1, 3, 1, 2).double()
    drawn = torch.tensor([[0.0, 1.0], [2.0, 1.0], [2.0, 4.0]]).double().reshape(1, 1, 3, 1, 2)
    batch = Batch(wanted=wanted)
    assert float(TemporalConsistency()(drawn, batch)) == pytest.approx((2 + 0 + 0 + 3) / 4)
    periodic = TemporalConsistency(periodic=True)(drawn, batch)
    assert float(periodic) == pytest.approx((2 + 0 + 0 + 3 + 2 + 3) / 6)
    assert float(TemporalConsistency()(drawn + 5, batch)) == pytest.approx(5 / 4)
    as_channels = TemporalConsistency(frame_axis=1)(drawn[:, 0], Batch(wanted=wanted[:, 0]))
    assert float(as_channels) == pytest.approx(5 / 4)
    with pytest.raises(InputError, match="two frames or more along axis 2"):
        TemporalConsistency()(drawn[:, :, :1], Batch(wanted=wanted[:, :, :1]))
