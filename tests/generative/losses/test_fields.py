"""Losses of displacement fields."""

from __future__ import annotations

import pytest
import torch

from vesalius.core import Batch, InputError
from vesalius.generative.losses import (
    AngleError,
    DistanceError,
    Folding,
    Smoothness,
    jacobian_determinant,
)

NOTHING = Batch(wanted=None)


def affine(matrix: torch.Tensor, n: int = 5) -> torch.Tensor:
    """The field u(x) = matrix x on ``n`` voxels along each axis."""
    dims = len(matrix)
    grid = torch.meshgrid(*[torch.arange(n).double()] * dims, indexing="ij")
    return torch.einsum("ij,j...->i...", matrix, torch.stack(grid))[None]


@pytest.mark.parametrize("dims", [2, 3])
def test_affine_fields(dims: int) -> None:
    matrix = torch.randn(
        dims, dims, dtype=torch.float64, generator=torch.Generator().manual_seed(dims)
    )
    field = affine(matrix)
    wanted = torch.linalg.det(torch.eye(dims).double() + matrix)
    found = jacobian_determinant(field)
    assert found.shape == (1, *(4,) * dims)
    torch.testing.assert_close(found, wanted.expand(found.shape))
    assert float(Smoothness()(field, NOTHING)) == pytest.approx(float(matrix.square().mean()))
    assert float(Smoothness(kind="l1")(field, NOTHING)) == pytest.approx(float(matrix.abs().mean()))
    assert float(Smoothness(kind="bending")(field, NOTHING)) == pytest.approx(0, abs=1e-20)


def test_bending_of_a_parabola_and_of_a_saddle() -> None:
    y, x = torch.meshgrid(torch.arange(6).double(), torch.arange(6).double(), indexing="ij")
    still = torch.zeros_like(x)
    loss = Smoothness(kind="bending")
    # second derivatives: 6 along x; 1 across, which counts twice; averaged over two components
    assert float(loss(torch.stack([3 * x**2, still])[None], NOTHING)) == pytest.approx(36 / 2)
    assert float(loss(torch.stack([still, x * y])[None], NOTHING)) == pytest.approx(2 / 2)


def test_folding() -> None:
    stretched, mirrored = torch.diag(torch.tensor([0.5, 0.0])), torch.diag(torch.tensor([-3.0, 0]))
    assert float(Folding()(affine(stretched.double()), NOTHING)) == 0
    assert float(Folding()(affine(mirrored.double()), NOTHING)) == pytest.approx(2)
    assert float(Folding(margin=2.0)(affine(stretched.double()), NOTHING)) == pytest.approx(0.5)
    still = affine(torch.zeros(3, 3).double())
    assert float(Folding(margin=1.0)(still, NOTHING)) == 0


def test_two_vectors_that_swap_places_fold() -> None:
    field = torch.zeros(1, 2, 4, 4).double()
    field[0, 1, :, 1], field[0, 1, :, 2] = 2.0, -2.0
    # along x: steps of 2, -4, 2, so determinants of 3, -3, 3
    assert float(Folding()(field, NOTHING)) == pytest.approx(3 / 3)


def test_distance_and_angle_by_hand() -> None:
    truth = torch.zeros(1, 2, 2, 2).double()
    truth[0, 0] = 2.0
    batch = Batch(wanted=truth)
    turned = torch.zeros_like(truth)
    turned[0, 1] = 2.0
    for drawn, distance, angle in (
        (truth, 0, 0),
        (turned, 2, 1),
        (-truth, 4, 2),
        (0.5 * truth, 0.25, 0),
        (truth + turned, 1, 1 - 2**-0.5),
    ):
        assert float(DistanceError()(drawn, batch)) == pytest.approx(distance, abs=1e-5)
        assert float(AngleError()(drawn, batch)) == pytest.approx(angle, abs=1e-5)


def test_vectors_count_by_their_length() -> None:
    truth = torch.tensor([[[[3.0, 1.0]], [[0.0, 0.0]]]]).double()
    drawn = torch.tensor([[[[3.0, -1.0]], [[0.0, 0.0]]]]).double()
    assert float(AngleError()(drawn, Batch(wanted=truth))) == pytest.approx(1 - 8 / 10, abs=1e-6)


def test_what_is_no_field_is_refused() -> None:
    image = torch.zeros(1, 1, 4, 4)
    for loss in (Smoothness(), Folding(), DistanceError(), AngleError()):
        with pytest.raises(InputError, match="one channel an axis of space"):
            loss(image, Batch(wanted=image))
