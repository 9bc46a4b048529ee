"""The vision transformer: a class token over a set of placed patches."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks.vision_transformer import VisionTransformer


def made(**options: object) -> VisionTransformer:
    sizes: dict[str, object] = {"channels_in": 1, "channels_out": 3, "width": 8, "n_layers": 2}
    return VisionTransformer(**{**sizes, "heads": 2, **options}).double().eval()  # type: ignore[arg-type]


def image(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize("dims", [2, 3])
def test_places_alone_tell_patches_apart(dims: int) -> None:
    network, x = made(dims=dims), image(2, 1, *[8] * dims)
    moved = x.roll(4, -1)  # the patches of each line change places
    assert not torch.allclose(network(x), network(moved))
    torch.nn.init.zeros_(network.places.mix.weight)
    torch.testing.assert_close(network(x), network(moved))


@pytest.mark.parametrize("takes_level", [False, True])
def test_encodes_a_class_token_and_every_patch(takes_level: bool) -> None:
    network, x = made(takes_level=takes_level), image(2, 1, 9, 16)
    level = torch.zeros(2).double() if takes_level else None
    encoded = network.encode(x, level)
    assert encoded.shape == (2, 1 + 3 * 4, 8)
    assert torch.equal(network.features(x, level), encoded[:, 0])
    torch.testing.assert_close(network(x, level), network.head(encoded[:, 0]))


def test_the_class_token_sees_every_patch() -> None:
    network, x = made(), image(1, 1, 16, 16).requires_grad_()
    network.features(x)[0, 0].backward()
    per_patch = x.grad.unfold(2, 4, 4).unfold(3, 4, 4).abs().amax((-1, -2))
    assert per_patch.numel() == 16
    assert (per_patch > 1e-9).all()


def test_sizes_that_do_not_fit_are_named() -> None:
    with pytest.raises(InputError, match=r"patches of at least one voxel.*patch 0"):
        made(patch=0)
    with pytest.raises(InputError, match="heads share evenly, got width 9 and heads 2"):
        made(width=9)
