from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import Image
from vesalius.tasks.augmentation import augmented, left_right_axis, shifted


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_a_shift_moves_every_voxel(down: int, right: int) -> None:
    data = torch.arange(1.0, 43.0).view(1, 6, 7)
    moved = shifted(data, (down, right), -1.0)
    for i in range(6):
        for j in range(7):
            a, b = i - down, j - right
            inside = 0 <= a < 6 and 0 <= b < 7
            assert moved[0, i, j] == (data[0, a, b] if inside else -1.0)


@given(st.integers(0, 1000), st.sampled_from([None, 0, 1, 2]))
def test_all_parts_move_alike(seed: int, flip_axis: int | None) -> None:
    image = torch.rand(2, 5, 6, 4, generator=torch.Generator().manual_seed(seed)) + 0.1
    parts = {"image": image, "double": 2 * image, "mask": image[:1] > 0.5}
    fills = {"image": 0.0, "double": 0.0, "mask": 0.0}
    rng = np.random.default_rng(seed)
    moved = augmented(parts, fills, rng, flip_axis=flip_axis, reach=2)
    assert torch.equal(moved["double"], 2 * moved["image"])
    assert moved["mask"].dtype == torch.bool
    assert torch.equal(moved["mask"], moved["image"][:1] > 0.5)
    again = augmented(parts, fills, np.random.default_rng(seed), flip_axis=flip_axis, reach=2)
    assert torch.equal(again["image"], moved["image"])
    assert torch.equal(parts["image"], image), "what is kept is not changed"


def test_half_are_mirrored_and_shifts_reach_as_far_as_said() -> None:
    data = torch.arange(1.0, 82.0).view(1, 9, 9)
    seen, mirrored = set(), 0
    for seed in range(400):
        moved = augmented(
            {"x": data}, {"x": 0.0}, np.random.default_rng(seed), flip_axis=1, reach=2
        )["x"]
        i, j = (moved[0] == 41).nonzero()[0].tolist()  # the middle, which a flip leaves in place
        flipped = bool(moved[0, i, j - 1] == 42)
        mirrored += flipped
        seen.add((i - 4, (4 - j) if flipped else (j - 4)))
    assert seen == {(a, b) for a in range(-2, 3) for b in range(-2, 3)}
    assert mirrored / 400 == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize(
    ("columns", "dims", "axis"),
    [
        ([(1, 0, 0), (0, 1, 0), (0, 0, 1)], 3, 0),
        ([(0, 0, 1), (0, -2, 0), (-3, 0, 0)], 3, 2),
        ([(0, 1, 0), (-1, 0, 0), (0, 0, 1)], 2, 1),
        ([(0, 1, 0), (0, 0, 1), (1, 0, 0)], 2, None),  # a sagittal slice
        ([(1, 1, 0), (1, -1, 0), (0, 0, 1)], 2, None),  # turned by 45 degrees
        ([(0.95, 0.3, 0), (-0.3, 0.95, 0), (0, 0, 1)], 2, 0),
    ],
)
def test_left_and_right_are_where_the_affine_says(
    columns: list[tuple[float, float, float]], dims: int, axis: int | None
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.array(columns).T
    assert left_right_axis(Image(torch.zeros(1, *[4] * dims), affine)) == axis
