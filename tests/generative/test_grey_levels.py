"""Grey levels as tokens."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import Batch, InputError
from vesalius.generative.codecs import GreyLevels

NOBODY = Batch(wanted=None)


def test_four_levels_by_hand() -> None:
    codec = GreyLevels(levels=4)
    image = torch.tensor([-1.5, -1.0, -0.51, -0.49, 0.0, 0.49, 0.51, 1.0, 7.0]).view(1, 1, 3, 3)
    tokens = codec.encode(image, NOBODY)
    assert tokens.dtype == torch.int64
    assert tokens.tolist() == [[[0, 0, 0], [1, 2, 2], [3, 3, 3]]]
    centres = codec.decode(torch.arange(4).view(1, 2, 2), NOBODY)
    assert centres.tolist() == [[[[-0.75, -0.25], [0.25, 0.75]]]]
    assert codec.kinds == 4


@given(st.integers(2, 300), st.integers(0, 99))
def test_an_image_comes_back_to_half_a_level(levels: int, seed: int) -> None:
    codec = GreyLevels(levels)
    image = torch.rand(2, 1, 5, 7, generator=torch.Generator().manual_seed(seed)) * 2 - 1
    tokens = codec.encode(image, NOBODY)
    back = codec.decode(tokens, NOBODY)
    assert back.shape == image.shape
    assert float((back - image).abs().max()) <= 1 / levels + 1e-6
    assert torch.equal(codec.encode(back, NOBODY), tokens)


def test_what_cannot_be_tokens_is_refused() -> None:
    with pytest.raises(InputError, match="two grey levels or more, got 1"):
        GreyLevels(levels=1)
    with pytest.raises(InputError, match="images of one channel for grey levels, got 2"):
        GreyLevels().encode(torch.zeros(1, 2, 4, 4), NOBODY)
