from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.physics import proximal
from vesalius.physics.mri import CartesianMRI, replace_measured
from vesalius.physics.operator import LinearOperator

MakeMRI = Callable[[int, int, int, tuple[int, ...]], CartesianMRI]
MakeDense = Callable[[LinearOperator], torch.Tensor]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def unit_coil(space: tuple[int, int] = (6, 5), batch: int = 2) -> CartesianMRI:
    mask = torch.rand(batch, 1, *space, generator=generator(4)) < 0.5
    return CartesianMRI(mask, torch.ones(batch, 1, *space, dtype=torch.complex128))


@pytest.mark.parametrize("strength", [0.0, 0.1, 3.0])
def test_dense_solution(random_mri: MakeMRI, dense_matrix: MakeDense, strength: float) -> None:
    operator = random_mri(0, 1, 2, (3, 4))
    x = torch.randn(1, 2, 3, 4, dtype=torch.float64, generator=generator(1))
    y = torch.randn(1, 2, 3, 4, dtype=torch.complex128, generator=generator(2))
    matrix = dense_matrix(operator)
    target = torch.view_as_real(y).flatten()
    wanted = torch.linalg.solve(
        torch.eye(24) + strength * matrix.T @ matrix, x.flatten() + strength * matrix.T @ target
    )
    found = proximal(x, y, operator, strength, iterations=40)
    torch.testing.assert_close(found.flatten(), wanted, rtol=1e-7, atol=1e-9)


def test_closed_form_for_a_single_coil() -> None:
    # on sampled frequencies the weighted mean of measured and present, elsewhere untouched
    operator = unit_coil()
    x = torch.randn(2, 2, 6, 5, dtype=torch.float64, generator=generator(1))
    y = operator.forward(torch.randn(2, 2, 6, 5, dtype=torch.float64, generator=generator(2)))
    strength = torch.tensor([0.5, 4.0], dtype=torch.float64)
    found = proximal(x, y, operator, strength, iterations=3)
    full = CartesianMRI(torch.ones_like(operator.mask), operator.coil_maps)
    weight = strength.reshape(2, 1, 1, 1) * operator.mask
    wanted = (full.forward(x) + weight * y) / (1 + weight)
    torch.testing.assert_close(full.forward(found), wanted)


def test_zero_strength_changes_nothing_and_infinite_is_replacement() -> None:
    operator = unit_coil()
    x = torch.randn(2, 2, 6, 5, dtype=torch.float64, generator=generator(1))
    y = operator.forward(torch.randn(2, 2, 6, 5, dtype=torch.float64, generator=generator(2)))
    torch.testing.assert_close(proximal(x, y, operator, 0.0), x)
    replaced = replace_measured(x, y, operator)
    torch.testing.assert_close(
        proximal(x, y, operator, 1e9, iterations=3), replaced, rtol=1e-6, atol=1e-6
    )
    torch.testing.assert_close(operator.forward(replaced), y)
    torch.testing.assert_close(replace_measured(replaced, y, operator), replaced)


def test_gradients_reach_image_measurement_and_strength(random_mri: MakeMRI) -> None:
    operator = random_mri(3, 1, 2, (2, 3))
    x = torch.randn(1, 2, 2, 3, dtype=torch.float64, generator=generator(1), requires_grad=True)
    y = torch.randn(1, 2, 2, 3, dtype=torch.complex128, generator=generator(2), requires_grad=True)
    strength = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)

    def run(x: torch.Tensor, y: torch.Tensor, strength: torch.Tensor) -> torch.Tensor:
        return proximal(x, y, operator, strength, iterations=12)

    assert torch.autograd.gradcheck(run, (x, y, strength), atol=1e-5)


def test_wrong_strengths_and_coils(random_mri: MakeMRI) -> None:
    operator = random_mri(0, 2, 2, (3, 4))
    x, y = torch.zeros(2, 2, 3, 4), torch.zeros(2, 2, 3, 4, dtype=torch.complex64)
    with pytest.raises(InputError, match="zero or more"):
        proximal(x, y, operator, -1.0)
    with pytest.raises(InputError, match="2 cases"):
        proximal(x, y, operator, torch.ones(3))
    with pytest.raises(InputError, match="proximal"):
        replace_measured(x, y, operator)
