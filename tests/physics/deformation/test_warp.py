from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.deformation import compose, exponential, warp

SPACES = st.sampled_from([(5, 8), (9, 6), (4, 5, 6)])


def draw(*shape: int, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=rng, dtype=torch.float64)


def points(space: tuple[int, ...]) -> Tensor:
    """Positions of all voxels, ``(1, axis, *space)``."""
    axes = [torch.arange(n, dtype=torch.float64) for n in space]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"))[None]


def affine(space: tuple[int, ...], matrix: Tensor) -> Tensor:
    """The field of the linear map ``matrix`` about the middle."""
    middle = torch.tensor([(n - 1) / 2 for n in space], dtype=torch.float64)
    offset = points(space) - middle.view(1, -1, *[1] * len(space))
    change = matrix - torch.eye(len(space), dtype=torch.float64)
    return torch.einsum("ij,bj...->bi...", change, offset)


def bump(space: tuple[int, ...], amplitude: float, phase: float = 0.0) -> Tensor:
    """A smooth field that is zero at the borders."""
    place = points(space)
    window = torch.ones(1, *space, dtype=torch.float64)
    for axis, n in enumerate(space):
        window = window * torch.sin(math.pi * place[:, axis] / (n - 1)) ** 2
    waves = [
        torch.cos(2 * math.pi * place[:, (k + 1) % len(space)] / n + phase + k)
        for k, n in enumerate(space)
    ]
    return amplitude * window[:, None] * torch.stack(waves, dim=1)


@given(SPACES, st.integers(0, 2), st.integers(-3, 3), st.sampled_from(["linear", "nearest"]))
def test_whole_voxels_are_moved_exactly(
    space: tuple[int, ...], axis: int, shift: int, interpolation: str
) -> None:
    axis %= len(space)
    image = draw(2, 3, *space)
    field = torch.zeros(2, len(space), *space, dtype=torch.float64)
    field[:, axis] = shift
    moved = warp(image, field, interpolation=interpolation)  # type: ignore[arg-type]
    place = (torch.arange(space[axis]) + shift).clamp(0, space[axis] - 1)
    assert torch.allclose(moved, image.index_select(axis + 2, place), atol=1e-12)
    dark = warp(image, field, interpolation=interpolation, outside="zeros")  # type: ignore[arg-type]
    inside = (torch.arange(space[axis]) + shift == place).view(-1, *[1] * (len(space) - 1 - axis))
    assert torch.allclose(dark, moved * inside, atol=1e-12)


@given(SPACES, st.integers(0, 99))
def test_linear_images_are_read_exactly_anywhere_inside(space: tuple[int, ...], seed: int) -> None:
    """a + b.p at p + u(p) is a + b.(p + u)."""
    slope = draw(len(space), seed=seed)
    image = 2 + torch.einsum("i,bi...->b...", slope, points(space))[:, None]
    last = torch.tensor([n - 1.0 for n in space], dtype=torch.float64)
    target = points(space) + draw(1, len(space), *space, seed=seed + 1)
    target = target.clamp(torch.zeros(()), last.view(1, -1, *[1] * len(space)))
    found = warp(image, target - points(space))
    expected = 2 + torch.einsum("i,bi...->b...", slope, target)[:, None]
    assert torch.allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize(("interpolation", "order"), [("linear", 1), ("nearest", 0)])
@pytest.mark.parametrize("space", [(7, 9), (5, 6, 7)])
def test_values_are_those_of_scipy(space: tuple[int, ...], interpolation: str, order: int) -> None:
    image, field = draw(1, 1, *space), 1.7 * draw(1, len(space), *space, seed=1)
    found = warp(image, field, interpolation=interpolation)  # type: ignore[arg-type]
    place = (points(space) + field)[0].numpy()
    expected = map_coordinates(image[0, 0].numpy(), place, order=order, mode="nearest")
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-10)


@pytest.mark.parametrize("space", [(8, 11), (7, 8, 9)])
def test_affine_maps_compose_as_their_matrices(space: tuple[int, ...]) -> None:
    dims = len(space)
    eye = torch.eye(dims, dtype=torch.float64)
    # contractions, so that nothing is read outside
    first = 0.6 * eye + 0.05 * draw(dims, dims)
    second = 0.7 * eye + 0.05 * draw(dims, dims, seed=1)
    found = compose(affine(space, first), affine(space, second))
    assert torch.allclose(found, affine(space, first @ second), atol=1e-12)
    assert not torch.allclose(found, affine(space, second @ first), atol=1e-3), "order matters"


@pytest.mark.parametrize("space", [(48, 56), (24, 28, 26)])
def test_composition_is_warping_twice(space: tuple[int, ...]) -> None:
    first, second = bump(space, space[0] / 16), bump(space, space[0] / 12, phase=1.0)
    image = torch.cos(2 * math.pi * points(space)[:, :1] / space[0] + 0.3)
    once = warp(image, compose(first, second))
    assert torch.allclose(once, warp(warp(image, first), second), atol=16 / space[0] ** 2)
    assert not torch.allclose(once, warp(warp(image, second), first), atol=0.05)


@pytest.mark.parametrize("space", [(48, 56), (24, 28, 26)])
def test_the_exponential_of_minus_a_velocity_is_the_inverse(space: tuple[int, ...]) -> None:
    velocity = bump(space, space[0] / 16)
    there, back = exponential(velocity), exponential(-velocity)
    assert float(there.abs().max()) > space[0] / 24
    for around in (compose(there, back), compose(back, there)):
        assert float(around.abs().max()) < 0.05
    assert float((there + back).abs().max()) > 0.1, "the inverse is not the negative"


def test_the_exponential_of_a_linear_velocity_is_the_matrix_exponential() -> None:
    space = (15, 13)
    generator = torch.tensor([[-0.5, 0.3], [-0.3, -0.4]], dtype=torch.float64)
    eye = torch.eye(2, dtype=torch.float64)
    velocity = affine(space, eye + generator)
    found = exponential(velocity, squarings=14)
    assert torch.allclose(found, affine(space, torch.matrix_exp(generator)), atol=1e-3)
    assert torch.equal(exponential(velocity, squarings=0), velocity)
    # Euler's n steps: (1 + A/n)^n
    steps = torch.linalg.matrix_power(eye + generator / 8, 8)
    assert torch.allclose(exponential(velocity, squarings=3), affine(space, steps), atol=1e-12)


def test_gradients_are_those_of_differences() -> None:
    image = draw(1, 2, 5, 6).requires_grad_()
    field = (0.3 * draw(1, 2, 5, 6, seed=3)).requires_grad_()
    assert torch.autograd.gradcheck(warp, (image, field))
    assert torch.autograd.gradcheck(compose, (0.3 * image, field))


def test_labels_keep_their_values_under_the_nearest() -> None:
    labels = torch.randint(0, 4, (1, 1, 12, 12), generator=torch.Generator().manual_seed(0)).float()
    moved = warp(labels, 2 * draw(1, 2, 12, 12), interpolation="nearest")
    assert set(moved.unique().tolist()) <= {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    ("image", "field"),
    [((1, 1, 8, 8), (1, 3, 8, 8)), ((1, 1, 8, 8), (1, 2, 8, 9)), ((2, 1, 8, 8), (1, 2, 8, 8))],
)
def test_a_field_of_another_grid_is_refused(image: tuple[int, ...], field: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"a field \(batch, axis, \*space\)"):
        warp(torch.zeros(image), torch.zeros(field))
    with pytest.raises(InputError, match="squarings"):
        exponential(torch.zeros(1, 2, 4, 4), squarings=-1)
