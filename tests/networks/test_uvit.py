"""U-ViT: tokens of everything, and long skips."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core import InputError
from vesalius.networks import UViT
from vesalius.networks.attention_block import AttentionBlock
from vesalius.testing.check_network import check_network


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def awake(network: UViT) -> UViT:
    """No weight is zero, so that every part shows."""
    with torch.no_grad():
        for k, parameter in enumerate(network.parameters()):
            parameter.add_(0.2 * noise(*parameter.shape, seed=k))
    return network.eval()


def attended(block: AttentionBlock, x: Tensor) -> Tensor:
    """The block in the words of Vaswani et al., a head and a token at a time."""
    tokens, width = x.shape
    part = width // block.heads
    normed = functional.layer_norm(x, (width,), block.first_norm.weight, block.first_norm.bias)
    rows = []
    for token in range(tokens):
        heads = []
        for head in range(block.heads):
            own = slice(head * part, (head + 1) * part)
            query = block.query(normed[token])[own]
            scores = torch.stack([query @ block.key(other)[own] for other in normed])
            weights = torch.softmax(scores / math.sqrt(part), 0)
            heads.append(weights @ torch.stack([block.value(other)[own] for other in normed]))
        rows.append(x[token] + block.out(torch.cat(heads)))
    h = torch.stack(rows)
    normed = functional.layer_norm(h, (width,), block.second_norm.weight, block.second_norm.bias)
    return h + block.narrow(functional.gelu(block.widen(normed)))


def test_it_is_what_the_paper_says() -> None:
    network = awake(
        UViT(channels_in=1, channels_out=1, condition_channels=3, takes_level=True, patch=2,
             width=8, n_layers=5, heads=2)
    )  # fmt: skip
    x, level, condition = noise(1, 1, 4, 6), torch.tensor([0.3]), noise(1, 3, 2, seed=1)
    assert network.told is not None
    assert network.told_places is not None
    assert network.embed is not None
    patches = [
        x[0, 0, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].flatten()
        for row in range(2)
        for column in range(3)
    ]
    tokens = [network.stem(p) + at for p, at in zip(patches, network.places((2, 3)), strict=True)]
    tokens += [network.told(condition[0, :, k]) + network.told_places((2,))[k] for k in range(2)]
    tokens += [network.embed(level)[0]]
    h0 = torch.stack(tokens)
    h1 = attended(network.shallow[0], h0)
    h2 = attended(network.shallow[1], h1)
    h3 = attended(network.middle[0], h2)
    h4 = attended(network.deep[0], network.joins[0](torch.cat([h3, h2], 1)))
    h5 = attended(network.deep[1], network.joins[1](torch.cat([h4, h1], 1)))
    image = torch.zeros(4, 6)
    for place, drawn in enumerate(network.last(network.last_norm(h5[:6]))):
        row, column = divmod(place, 3)
        image[2 * row : 2 * row + 2, 2 * column : 2 * column + 2] = drawn.reshape(2, 2)
    expected = network.smooth(image[None, None])
    torch.testing.assert_close(network(x, level, condition), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_layers", [1, 2, 5])
def test_an_untrained_one_returns_zero(n_layers: int) -> None:
    network = UViT(channels_in=1, channels_out=2, width=8, n_layers=n_layers, heads=2)
    assert (network(noise(1, 1, 9, 7)) == 0).all()
    assert len(network.joins) == n_layers // 2


@pytest.mark.parametrize("places", [(), (5,), (3, 2)])
def test_a_condition_has_places_or_none(places: tuple[int, ...]) -> None:
    network = UViT(
        channels_in=1, channels_out=1, condition_channels=4, width=8, n_layers=2, heads=2
    )
    check_network(network, noise(2, 1, 8, 8), condition=noise(2, 4, *places, seed=2))


def test_words_have_an_order() -> None:
    network = awake(
        UViT(channels_in=1, channels_out=1, condition_channels=4, width=8, n_layers=2, heads=2)
    )
    x, words = noise(1, 1, 8, 8), noise(1, 4, 5, seed=3)
    assert not torch.allclose(network(x, None, words), network(x, None, words.flip(2)), atol=1e-4)


def test_impossible_sizes_are_refused() -> None:
    for wrong in ({"patch": 0}, {"n_layers": 0}, {"width": 10, "heads": 4}):
        with pytest.raises(InputError):
            UViT(channels_in=1, channels_out=1, **wrong)
    network = UViT(channels_in=1, channels_out=1, condition_channels=4, width=8, heads=2)
    with pytest.raises(InputError, match=r"condition of shape \(1, 4\)"):
        network(noise(1, 1, 8, 8), None, noise(1, 3, 5))
