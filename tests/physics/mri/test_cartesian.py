from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.physics.mri import CartesianMRI, simulated_coil_maps
from vesalius.testing.check_operator import check_operator

MakeMRI = Callable[[int, int, int, tuple[int, ...]], CartesianMRI]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(1, 3),
    st.integers(1, 4),
    st.lists(st.integers(2, 7), min_size=2, max_size=3).map(tuple),
)
def test_laws(
    random_mri: MakeMRI, seed: int, batch: int, coils: int, space: tuple[int, ...]
) -> None:
    check_operator(random_mri(seed, batch, coils, space), generator=generator(seed))


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 8),
    st.lists(st.integers(2, 9), min_size=2, max_size=3).map(tuple),
    st.integers(0, 99),
)
def test_everything_sampled_with_normalised_coils_is_the_identity(
    coils: int, space: tuple[int, ...], seed: int
) -> None:
    maps = simulated_coil_maps(space, coils, seed)[None]
    operator = CartesianMRI(torch.ones(1, 1, *space, dtype=torch.bool), maps)
    x = torch.randn(1, 2, *space, generator=generator(seed))
    torch.testing.assert_close(operator.gram.forward(x), x, rtol=1e-4, atol=1e-5)
    energy = operator.forward(x).abs().square().sum()
    torch.testing.assert_close(energy, x.square().sum(), rtol=1e-4, atol=0)


def test_a_point_in_the_middle_gives_flat_kspace() -> None:
    space = (6, 7)
    mask = torch.zeros(1, 1, *space, dtype=torch.bool)
    mask[..., ::2] = True
    maps = torch.full((1, 1, *space), 2j, dtype=torch.complex128)
    x = torch.zeros(1, 2, *space, dtype=torch.float64)
    x[0, 0, 3, 3] = 1
    wanted = 2j / 42**0.5 * mask
    torch.testing.assert_close(CartesianMRI(mask, maps).forward(x), wanted.to(torch.complex128))


def test_unsampled_values_of_a_measurement_are_not_seen(random_mri: MakeMRI) -> None:
    operator = random_mri(0, 2, 3, (5, 4))
    y = torch.randn(2, 3, 5, 4, dtype=torch.complex128, generator=generator())
    assert bool((operator.forward(operator.adjoint(y))[~operator.mask.expand_as(y)] == 0).all())
    torch.testing.assert_close(operator.adjoint(y), operator.adjoint(y * operator.mask))


def test_wrong_parts_are_refused(random_mri: MakeMRI) -> None:
    operator = random_mri(0, 2, 3, (5, 4))
    with pytest.raises(InputError, match="bool mask"):
        CartesianMRI(operator.mask.float(), operator.coil_maps)
    with pytest.raises(InputError, match="bool mask of shape \\(2, 1, 5, 4\\)"):
        CartesianMRI(operator.mask[:1], operator.coil_maps)
    with pytest.raises(InputError, match="complex coil maps"):
        CartesianMRI(operator.mask, operator.coil_maps.real)
