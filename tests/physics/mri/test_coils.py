from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.physics.mri import simulated_coil_maps


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(2, 24), min_size=2, max_size=3).map(tuple),
    st.integers(1, 16),
    st.integers(0, 10_000),
)
def test_squares_sum_to_one(space: tuple[int, ...], coils: int, seed: int) -> None:
    maps = simulated_coil_maps(space, coils, seed)
    assert maps.shape == (coils, *space)
    assert maps.dtype == torch.complex64
    torch.testing.assert_close(maps.abs().square().sum(0), torch.ones(space))
    assert torch.equal(maps, simulated_coil_maps(space, coils, seed))


@pytest.mark.parametrize("seed", range(10))
def test_maps_are_smooth(seed: int) -> None:
    maps = simulated_coil_maps((128, 128), 8, seed)
    for axis in (1, 2):
        assert float(maps.diff(dim=axis).abs().max()) < 0.1


@pytest.mark.parametrize("seed", range(5))
def test_coils_see_different_places(seed: int) -> None:
    maps = simulated_coil_maps((64, 64), 8, seed)
    peaks = maps.abs().flatten(1).argmax(1)
    assert len(set(peaks.tolist())) == 8
    # four places that fourfold acceleration lays on top of each other can be told apart
    for first in range(0, 16, 5):
        assert float(torch.linalg.cond(maps[:, 32, first::16])) < 20
    other = simulated_coil_maps((64, 64), 8, seed + 100)
    assert float((maps - other).abs().mean()) > 0.05


def test_the_same_field_at_another_resolution() -> None:
    coarse, fine = simulated_coil_maps((32, 32), 4, 0), simulated_coil_maps((64, 64), 4, 0)
    torch.testing.assert_close(fine[:, ::2, ::2], coarse)


def test_a_single_coil_is_one() -> None:
    assert torch.equal(simulated_coil_maps((3, 4), 1, 5), torch.ones(1, 3, 4).to(torch.complex64))


def test_wrong_requests() -> None:
    with pytest.raises(InputError, match="2 or 3 axes"):
        simulated_coil_maps((8,), 4, 0)
    with pytest.raises(InputError, match="a coil or more"):
        simulated_coil_maps((8, 8), 0, 0)
