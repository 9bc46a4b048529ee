"""The U-Net that works within slices and across them, and its linear attention."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import FactorisedUNet
from vesalius.networks.factorised_unet import AcrossSlices, WithinSlices
from vesalius.networks.linear_attention import LinearAttention
from vesalius.testing.check_network import check_network

TINY = {"width": 4, "multipliers": (1, 2)}


def volume(channels: int, seed: int = 0) -> Tensor:
    return torch.randn(2, channels, 6, 8, 7, generator=torch.Generator().manual_seed(seed))


def moved(network: nn.Module, seed: int = 0) -> nn.Module:
    """In double precision with every parameter moved, so that none is at a quiet zero."""
    rng = torch.Generator().manual_seed(seed)
    network = network.double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn(parameter.shape, generator=rng, dtype=torch.float64))
    return network


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_contract(axis: int) -> None:
    check_network(FactorisedUNet(channels_in=2, channels_out=3, axis=axis, **TINY), volume(2))
    told = FactorisedUNet(
        channels_in=1, channels_out=3, condition_channels=2, takes_level=True, axis=axis, **TINY
    )
    check_network(told, volume(1), torch.tensor([0.2, -3.0]), volume(2, seed=1))


def test_images_without_slices_and_impossible_sizes_are_refused() -> None:
    with pytest.raises(InputError, match=r"volumes, which have slices.*use UNet"):
        FactorisedUNet(channels_in=1, channels_out=1, dims=2)
    with pytest.raises(InputError, match="at least one resolution"):
        FactorisedUNet(channels_in=1, channels_out=1, multipliers=())
    network = FactorisedUNet(channels_in=2, channels_out=2, **TINY)
    with pytest.raises(InputError, match=r"FactorisedUNet.*\(batch, 2, 3 axes of space\)"):
        network(torch.zeros(2, 2, 8, 8))
    with pytest.raises(InputError, match="expected no level"):
        network(volume(2), torch.zeros(2))


def test_the_axis_of_slices_only_names_the_axis() -> None:
    """A volume lying otherwise, with the axis told, comes out lying otherwise."""
    first = moved(FactorisedUNet(channels_in=1, channels_out=1, axis=0, **TINY))
    last = FactorisedUNet(channels_in=1, channels_out=1, axis=2, **TINY).double().eval()
    last.load_state_dict(first.state_dict())
    x = volume(1).double()
    lying = x.movedim(2, 4)
    assert torch.allclose(last(lying), first(x).movedim(2, 4), atol=1e-10)
    assert not torch.allclose(first(lying), first(x).movedim(2, 4), atol=1e-3)


@torch.no_grad()
def test_slices_hear_of_each_other_by_attention_alone() -> None:
    """With what attention across slices adds put to zero, and norms aside, each is by itself."""
    network = moved(FactorisedUNet(channels_in=1, channels_out=1, **TINY))
    for module in network.modules():
        if isinstance(module, nn.GroupNorm):  # its statistics are of the volume
            module.forward = lambda x: x  # type: ignore[method-assign, assignment]
    x = volume(1).double()[:, :, :, :, :6]
    other = x.clone()
    other[:, :, 4] += 1.0
    kept = [0, 1, 2, 3, 5]
    heard = (network(other) - network(x))[:, :, kept].abs().amax(dim=(0, 1, 3, 4))
    assert bool((heard > 1e-6).all()), "every slice hears of another one"
    for module in network.modules():
        if isinstance(module, AcrossSlices):
            module.forward = lambda x: x  # type: ignore[method-assign, assignment]
    apart = network(other) - network(x)
    assert float(apart[:, :, kept].abs().max()) == 0.0
    assert float(apart[:, :, 4].abs().max()) > 0.0


def test_attention_across_slices_by_hand() -> None:
    """One line of voxels after the other, with a table of scores."""
    layer = moved(AcrossSlices(8))
    assert isinstance(layer, AcrossSlices)
    x = torch.randn(2, 8, 5, 3, 2, generator=torch.Generator().manual_seed(1)).double()
    normed, places, attention = layer.norm(x), layer.places((5,)), layer.attention
    expected = x.clone()
    for case in range(2):
        for row in range(3):
            for column in range(2):
                line = normed[case, :, :, row, column].T + places
                scores = attention.query(line) @ attention.key(line).T / 8**0.5
                seen = torch.exp(scores) / torch.exp(scores).sum(1, keepdim=True)
                expected[case, :, :, row, column] += attention.out(seen @ attention.value(line)).T
    assert torch.allclose(layer(x), expected, atol=1e-10)


def test_within_slices_is_the_inner_layer_on_each() -> None:
    layer = WithinSlices(nn.Conv2d(3, 3, 3, padding=1).double())
    x = torch.randn(2, 3, 4, 5, 6, generator=torch.Generator().manual_seed(1)).double()
    for place in range(4):
        assert torch.allclose(layer(x)[:, :, place], layer.inner(x[:, :, place]), atol=1e-12)


@pytest.mark.parametrize("channels", [6, 64])
def test_linear_attention_is_a_table_of_products(channels: int) -> None:
    """out_i = sum_j (q_i . k_j) v_j, with q a distribution of features and k of voxels."""
    layer = moved(LinearAttention(channels))
    assert isinstance(layer, LinearAttention)
    heads = 2 if channels == 64 else 1
    x = torch.randn(2, channels, 3, 4, generator=torch.Generator().manual_seed(1)).double()
    tokens = layer.norm(x).flatten(2).transpose(1, 2)
    parts = []
    for head in range(heads):
        own = slice(head * channels // heads, (head + 1) * channels // heads)
        q = layer.query(tokens)[..., own].exp()
        q = q / q.sum(2, keepdim=True)
        k = layer.key(tokens)[..., own].exp()
        k = k / k.sum(1, keepdim=True)
        table = torch.einsum("nif,njf->nij", q, k)
        assert torch.allclose(table.sum(2), torch.ones(2, 12).double()), "shares of voxels"
        parts.append(table @ layer.value(tokens)[..., own])
    expected = x + layer.out(torch.cat(parts, 2)).transpose(1, 2).reshape(x.shape)
    assert torch.allclose(layer(x), expected, atol=1e-10)
