"""What the masked autoencoder and the embedder promise beyond the contract."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks import ImageEmbedder, PatchTransformer
from vesalius.networks.space_to_depth import space_to_depth
from vesalius.testing.check_network import check_network

TINY: dict[str, Any] = {
    "channels_in": 1,
    "channels_out": 1,
    "condition_channels": 1,
    "width": 16,
    "n_layers": 2,
    "decoder_width": 8,
    "decoder_layers": 1,
}


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def hidden(batch: int, grid: tuple[int, ...], number: int, seed: int = 0) -> Tensor:
    """``number`` patches of every case, other ones in each."""
    generator = torch.Generator().manual_seed(seed)
    places = torch.Size(grid).numel()
    rows = [torch.randperm(places, generator=generator) < number for _ in range(batch)]
    return torch.stack(rows).reshape(batch, *grid)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(1, 17), min_size=2, max_size=3).map(tuple),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_the_patches_that_a_mask_hides_are_those_that_it_was_made_from(
    space: tuple[int, ...], patch: int, random: Any
) -> None:
    dims: Literal[2, 3] = 2 if len(space) == 2 else 3
    network = PatchTransformer(**TINY, dims=dims, patch=patch)
    grid = network.grid(space)
    places = torch.Size(grid).numel()
    number = random.randrange(places)
    which = hidden(2, grid, number, seed=random.randrange(100))
    mask = network.mask(which, space)
    assert mask.shape == (2, 1, *space)
    seen = network._seen(noise(2, 1, *space), mask, grid)
    wanted = [(~case.flatten()).nonzero().flatten().tolist() for case in which]
    assert seen.tolist() == wanted


def test_only_patches_that_are_seen_are_encoded() -> None:
    network = PatchTransformer(**TINY).eval()
    x, which = noise(3, 1, 28, 28), hidden(3, (7, 7), 37)
    mask = network.mask(which, (28, 28))
    lengths: list[int] = []
    for layer in network.encoder:
        layer.register_forward_pre_hook(lambda m, inputs: lengths.append(inputs[0].shape[1]))
    y = network(x, None, mask)
    assert lengths == [12, 12]
    assert network.encode(x, None, mask).shape == (3, 12, 16)
    # what is hidden has no influence; what is seen has one everywhere
    assert torch.equal(network(torch.where(mask, 99.0, x), None, mask), y)
    changed = network(torch.where(mask, x, x + 1), None, mask)
    assert ((changed - y).abs().amax((1, 2, 3)) > 1e-4).all()
    assert torch.equal(network(x, None, mask.float()), y)


def test_every_token_stands_in_its_own_place() -> None:
    """With attention silenced a place that is seen speaks of its own patch alone."""
    network = PatchTransformer(**TINY).eval()
    with torch.no_grad():
        for layer in [*network.encoder, *network.decoder]:
            layer.out.weight.zero_()  # type: ignore[union-attr, operator]
    which = hidden(2, (4, 5), 8, seed=3)
    x, mask = noise(2, 1, 16, 20).requires_grad_(), network.mask(which, (16, 20))
    y = network(x, None, mask)
    for row in range(4):
        for column in range(5):
            here = (slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4))
            (gradient,) = torch.autograd.grad(y[0, 0][here].sum(), x, retain_graph=True)
            moved = space_to_depth(gradient, 4).abs().amax(1)[0] > 1e-9
            wanted = torch.zeros(4, 5).bool()
            wanted[row, column] = not which[0, row, column]
            assert torch.equal(moved, wanted)


def test_the_encoder_is_told_where_its_patches_were() -> None:
    network = PatchTransformer(**TINY).eval()
    x, which = noise(2, 1, 12, 16), hidden(2, (3, 4), 7)
    came: list[Tensor] = []
    network.encoder[0].register_forward_pre_hook(lambda module, inputs: came.append(inputs[0]))
    network(x, None, network.mask(which, (12, 16)))
    places = network.places((3, 4))
    for case in range(2):
        seen = (~which[case]).nonzero().tolist()
        assert len(seen) == 5
        for slot, (row, column) in enumerate(seen):
            patch = x[case, 0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            wanted = network.stem(patch.flatten()) + places[4 * row + column]
            assert torch.allclose(came[0][case, slot], wanted, atol=1e-5)


def test_hidden_places_are_told_apart_by_where_they_are() -> None:
    network = PatchTransformer(**TINY).eval()
    which = hidden(1, (7, 7), 37)
    y = network(noise(1, 1, 28, 28), None, network.mask(which, (28, 28)))
    patches = space_to_depth(y, 4)[0].flatten(1).T[which.flatten()]
    distance = torch.cdist(patches, patches) + torch.eye(len(patches))
    assert distance.min().item() > 1e-3


def test_without_a_mask_all_is_seen() -> None:
    network = PatchTransformer(**TINY).eval()
    x = noise(2, 1, 14, 13)
    nothing = torch.zeros(2, 1, 14, 13).bool()
    assert torch.equal(network(x), network(x, None, nothing))
    assert network.encode(x).shape == (2, 16, 16)


def test_cases_that_see_unequally_much_or_nothing_are_named() -> None:
    network = PatchTransformer(**TINY)
    which = hidden(2, (7, 7), 30)
    which[0] = hidden(1, (7, 7), 31)[0]
    with pytest.raises(InputError, match=r"as many patches to see in every case.*18 to 19 of 49"):
        network(noise(2, 1, 28, 28), None, network.mask(which, (28, 28)))
    with pytest.raises(InputError, match="from 0 to 0 of 49"):
        network(noise(2, 1, 28, 28), None, torch.ones(2, 1, 28, 28))
    with pytest.raises(InputError, match=r"hidden patches \(batch, 8, 7\)"):
        network.mask(which, (32, 28))


def test_nonsense_is_refused() -> None:
    with pytest.raises(InputError, match="one channel of a mask"):
        PatchTransformer(**TINY | {"condition_channels": 2})
    with pytest.raises(InputError, match="at least one layer"):
        PatchTransformer(**TINY | {"n_layers": 0})


def test_it_learns_to_fill_in() -> None:
    """Stripes of a brightness that every patch shows: three quarters are hidden."""
    torch.manual_seed(0)
    network = PatchTransformer(**TINY | {"width": 32, "decoder_width": 32})
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(120):
        x = torch.randn(16, 1, 1, 1).expand(16, 1, 16, 16)
        mask = network.mask(hidden(16, (4, 4), 12, seed=step), (16, 16))
        error = (network(x, None, mask) - x)[mask].square().mean()
        loss = error / x.square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.2


@pytest.mark.parametrize("dims", [2, 3])
def test_an_embedding_has_length_one_and_features_before_it(dims: Literal[2, 3]) -> None:
    network = ImageEmbedder(channels_in=1, channels_out=6, dims=dims, width=4, levels=2)
    x = 7 * noise(3, 1, *[9] * dims)
    check_network(network, x, shape=(3, 6))
    assert torch.allclose(network(x).norm(dim=1), torch.ones(3), atol=1e-6)
    assert network.features(x).shape == (3, 8)
    direction = network.network.head(network.features(x))
    assert torch.allclose(nn.functional.cosine_similarity(network(x), direction), torch.ones(3))
