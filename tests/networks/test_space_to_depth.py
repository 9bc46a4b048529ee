"""Patches as channels, against torch's own in 2D and by hand in 3D."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import pixel_unshuffle

from vesalius.networks.space_to_depth import depth_to_space, space_to_depth


@pytest.mark.parametrize("patch", [1, 2, 4])
def test_is_pixel_unshuffle_in_2d(patch: int) -> None:
    x = torch.arange(2 * 3 * 8 * 12.0).reshape(2, 3, 8, 12)
    assert torch.equal(space_to_depth(x, patch), pixel_unshuffle(x, patch))
    assert torch.equal(depth_to_space(space_to_depth(x, patch), patch), x)


def test_by_hand_in_3d() -> None:
    x = torch.arange(2 * 4 * 6 * 8.0).reshape(1, 2, 4, 6, 8)
    y = space_to_depth(x, 2)
    assert y.shape == (1, 16, 2, 3, 4)
    for channel in range(2):
        for a, b, c in torch.cartesian_prod(*[torch.arange(2)] * 3).tolist():
            found = y[0, 8 * channel + 4 * a + 2 * b + c]
            assert torch.equal(found, x[0, channel, a::2, b::2, c::2])
    assert torch.equal(depth_to_space(y, 2), x)
