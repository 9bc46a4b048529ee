from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.physics import LinearOperator, collate
from vesalius.physics.mri import CartesianMRI, UndersampledMRI, cg_sense, zero_filled

MakeMRI = Callable[[int, int, int, tuple[int, ...]], CartesianMRI]
MakeDense = Callable[[LinearOperator], torch.Tensor]


def test_dense_solution(random_mri: MakeMRI, dense_matrix: MakeDense) -> None:
    operator = random_mri(0, 2, 3, (3, 4))
    generator = torch.Generator().manual_seed(1)
    y = torch.randn(2, 3, 3, 4, dtype=torch.complex128, generator=generator)
    found = cg_sense(y, operator, iterations=60, regularisation=0.3)
    for case in range(2):
        matrix = dense_matrix(operator.take([case]))
        right = matrix.T @ torch.view_as_real(y[case]).flatten()
        wanted = torch.linalg.solve(matrix.T @ matrix + 0.3 * torch.eye(24), right)
        torch.testing.assert_close(found[case].flatten(), wanted, rtol=1e-5, atol=1e-6)


def test_twofold_acceleration_without_noise_is_undone() -> None:
    degradation = UndersampledMRI(2, 0.0, "equispaced", coils=8, noise_std=0.0)
    rng = np.random.default_rng(0)
    x = torch.randn(2, 2, 32, 32, generator=torch.Generator().manual_seed(0))
    made = [degradation.apply(each, degradation.draw(rng, (32, 32))) for each in x]
    y, operator = torch.stack([y for y, _ in made]), collate([each for _, each in made])
    found = cg_sense(y, operator, iterations=200, regularisation=0.0)
    torch.testing.assert_close(found, x, rtol=0, atol=1e-2)
    assert float((zero_filled(y, operator) - x).abs().max()) > 0.5


def test_everything_sampled_needs_one_step() -> None:
    x = torch.randn(1, 2, 16, 15, generator=torch.Generator().manual_seed(0))
    ones = torch.ones(1, 1, 16, 15)
    operator = CartesianMRI(ones.bool(), ones.to(torch.complex64))
    y = operator.forward(x)
    torch.testing.assert_close(zero_filled(y, operator), x)
    torch.testing.assert_close(cg_sense(y, operator, iterations=1, regularisation=0.25), x / 1.25)


def test_wrong_settings(random_mri: MakeMRI) -> None:
    operator = random_mri(0, 1, 1, (3, 4))
    with pytest.raises(InputError, match="zero or more"):
        cg_sense(torch.zeros(1, 1, 3, 4).cdouble(), operator, regularisation=-1)
