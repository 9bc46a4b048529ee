"""HA-GAN's generator and critic: what a slab needs of the whole."""

from __future__ import annotations

from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks import HierarchicalHead, HierarchicalTrunk, SlabDiscriminator
from vesalius.networks.hierarchical_generator import _Doubling
from vesalius.testing.check_network import check_network

SPACE = {2: (6, 5), 3: (6, 5, 4)}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("dims", [2, 3])
def test_contract_of_the_trunk(dims: Literal[2, 3]) -> None:
    ones = (1,) * dims
    first = (2, 3, 1)[:dims]
    trunk = HierarchicalTrunk(
        channels_in=5, channels_out=4, dims=dims, width=8, multipliers=(1, 2), first_grid=first
    )
    assert trunk.grid == tuple(2 * size for size in first)
    check_network(trunk, noise(2, 5, *ones), shape=(2, 4, *trunk.grid))
    told = HierarchicalTrunk(
        channels_in=5, channels_out=4, dims=dims, condition_channels=2, width=8, first_grid=(1,)
    )
    condition = noise(2, 2, *(3,) * dims, seed=1)
    check_network(told, noise(2, 5, *ones), None, condition, shape=(2, 4, *(4,) * dims))


@pytest.mark.parametrize(("doublings", "depth"), [(0, 1), (0, 2), (1, 2), (2, 1)])
@pytest.mark.parametrize("dims", [2, 3])
def test_contract_of_the_head(dims: Literal[2, 3], doublings: int, depth: int) -> None:
    head = HierarchicalHead(
        channels_in=4, channels_out=3, dims=dims, width=6, doublings=doublings, depth=depth
    )
    x = noise(2, 4, *SPACE[dims])
    check_network(head, x, shape=(2, 3, *(size * 2**doublings for size in SPACE[dims])))


@pytest.mark.parametrize("dims", [2, 3])
def test_contract_of_the_critic(dims: Literal[2, 3]) -> None:
    x = noise(2, 2, *(1, 9, 16)[:dims])
    sizes = {"channels_in": 2, "channels_out": 3, "dims": dims, "width": 4, "levels": 3}
    check_network(SlabDiscriminator(**sizes), x, shape=(2, 3))
    told = SlabDiscriminator(**sizes, takes_level=True, condition_channels=2)
    condition = noise(2, 2, *(3,) * dims, seed=1)
    check_network(told, x, torch.tensor([0.2, 0.9]), condition, shape=(2, 3))


@pytest.mark.parametrize("dims", [2, 3])
def test_a_doubling_is_repeated_voxels_and_a_convolution(dims: Literal[2, 3]) -> None:
    doubling, x = _Doubling(3, 5, dims).double(), noise(2, 3, *SPACE[dims]).double()
    wanted = doubling.mix(functional.interpolate(x, scale_factor=2.0, mode="nearest"))
    assert torch.allclose(doubling(x), wanted, rtol=0, atol=1e-12)


@settings(max_examples=25, deadline=None)
@given(
    dims=st.sampled_from([2, 3]),
    doublings=st.integers(0, 2),
    depth=st.integers(1, 2),
    first=st.integers(0, 9),
    length=st.integers(1, 5),
)
def test_a_slab_with_its_margin_is_that_of_the_whole(
    dims: Literal[2, 3], doublings: int, depth: int, first: int, length: int
) -> None:
    """Cut anywhere: but for the margin, the part gives what the whole gives; nearer it does not."""
    torch.manual_seed(doublings + 3 * depth)
    head = HierarchicalHead(
        channels_in=3, channels_out=1, dims=dims, width=4, doublings=doublings, depth=depth
    ).double()
    x = noise(1, 3, 12, *(3,) * (dims - 1)).double()
    whole, reduction = head(x), head.reduction
    first, last = min(first, 11), min(first + length, 12)
    low, high = max(0, first - head.margin), min(12, last + head.margin)
    part = head(x[:, :, low:high])
    inside = part[:, :, (first - low) * reduction : (last - low) * reduction]
    assert torch.allclose(inside, whole[:, :, first * reduction : last * reduction], atol=1e-12)
    if low > 0:
        assert not torch.allclose(part[:, :, 0], whole[:, :, low * reduction], atol=1e-6)


@pytest.mark.parametrize(
    ("doublings", "depth", "margin"), [(0, 1, 1), (0, 2, 2), (1, 1, 1), (2, 1, 1), (2, 2, 3)]
)
def test_margins_by_hand(doublings: int, depth: int, margin: int) -> None:
    """Two doublings of one convolution: 1 voxel, then 2 + 1 = 3 of 4 that a place is."""
    sizes = {"doublings": doublings, "depth": depth}
    assert HierarchicalHead(channels_in=2, channels_out=1, **sizes).margin == margin


def test_a_slab_keeps_less_for_the_way_back_than_the_whole() -> None:
    """Values that autograd keeps, counted: of the paper's slab, an eighth, and of the volume."""

    def kept(places: int) -> int:
        found: dict[int, int] = {}

        def keep(x: Tensor) -> Tensor:
            found[x.data_ptr()] = x.numel()
            return x

        head = HierarchicalHead(channels_in=8, channels_out=1, width=8)
        features = noise(1, 8, places, 32, 8)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
            head(features).sum().backward()
        return sum(found.values())

    slab, whole = kept(4 + 2), kept(32)
    assert slab / whole < 1.1 * 6 / 32


def test_what_does_not_fit_is_named() -> None:
    trunk = HierarchicalTrunk(channels_in=3, channels_out=2, width=8)
    with pytest.raises(InputError, match=r"HierarchicalTrunk.*codes of one place.*\(2, 3, 1, 1, 1"):
        trunk(noise(2, 3, 2, 1, 1))
    with pytest.raises(InputError, match="a first grid of one size or 3"):
        HierarchicalTrunk(channels_in=3, channels_out=2, first_grid=(2, 2))
    with pytest.raises(InputError, match="a depth of at least one"):
        HierarchicalHead(channels_in=3, channels_out=2, depth=0)
    with pytest.raises(InputError, match="at least one level"):
        SlabDiscriminator(channels_in=1, levels=0)
    with pytest.raises(InputError, match=r"HierarchicalHead.*\(batch, 3, 3 axes of space\)"):
        HierarchicalHead(channels_in=3, channels_out=2)(noise(1, 2, 3, 3, 3))
