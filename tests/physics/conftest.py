"""Operators with random parameters, and their dense matrices."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vesalius.physics.mri import CartesianMRI
from vesalius.physics.operator import LinearOperator


def _random_mri(seed: int, batch: int, coils: int, space: tuple[int, ...]) -> CartesianMRI:
    g = torch.Generator().manual_seed(seed)
    mask = torch.rand(batch, 1, *space, generator=g) < 0.5
    maps = torch.randn(batch, coils, *space, dtype=torch.complex128, generator=g)
    return CartesianMRI(mask, maps)


def _dense_matrix(operator: LinearOperator) -> torch.Tensor:
    size = operator.domain.shape
    unit = torch.eye(int(torch.tensor(size).prod()), dtype=torch.float64).reshape(-1, 1, *size)
    columns = [torch.view_as_real(operator.forward(x)).flatten() for x in unit]
    return torch.stack(columns, dim=1)


@pytest.fixture(scope="session")
def random_mri() -> Callable[[int, int, int, tuple[int, ...]], CartesianMRI]:
    """(seed, batch, coils, space) to an operator in double precision; half of k-space sampled."""
    return _random_mri


@pytest.fixture(scope="session")
def dense_matrix() -> Callable[[LinearOperator], torch.Tensor]:
    """An operator with complex values, for one case, to its real matrix."""
    return _dense_matrix
