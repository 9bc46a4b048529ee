"""Padding against NumPy's, and back."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.networks.padding import crop, pad, padded_size

sizes = st.integers(1, 9)


@given(sizes, sizes, st.sampled_from([1, 2, 4, 8]), st.integers(1, 20))
def test_mirrors_as_numpy_does_and_crops_back(
    height: int, width: int, multiple: int, minimum: int
) -> None:
    x = torch.randn(2, 3, height, width, generator=torch.Generator().manual_seed(height * width))
    padded = pad(x, multiple, minimum)
    around = [(0, 0), (0, 0)]
    for size, new in zip(x.shape[2:], padded.shape[2:], strict=True):
        assert new % multiple == 0
        assert new >= max(size, minimum)
        assert new - multiple < max(size, minimum)
        around.append(((new - size) // 2, new - size - (new - size) // 2))
    # a single voxel has nothing to be mirrored at: there NumPy too repeats it
    assert np.array_equal(padded.numpy(), np.pad(x.numpy(), around, mode="reflect"))
    assert torch.equal(crop(padded, (height, width)), x)


def test_by_hand_in_3d() -> None:
    x = torch.arange(3.0).reshape(1, 1, 1, 1, 3)
    assert pad(x, 8).shape == (1, 1, 8, 8, 8)
    assert pad(x, 8)[0, 0, 5, 2].tolist() == [2, 1, 0, 1, 2, 1, 0, 1]


def test_what_fits_is_not_copied() -> None:
    x = torch.zeros(1, 1, 8, 16)
    assert pad(x, 8) is x
    assert crop(x, (8, 16)) is x


def test_padded_size_by_hand() -> None:
    assert [padded_size(n, 4) for n in (1, 4, 5)] == [4, 4, 8]
    assert padded_size(5, 4, minimum=9) == 12
