"""StyleGAN2's parts against reference formulations, and its networks' promises."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks import StyleDiscriminator, StyleGenerator, StyleMapping
from vesalius.networks.equalised import EqualisedConvolution, EqualisedLinear
from vesalius.networks.modulated_convolution import ModulatedConvolution
from vesalius.networks.smooth_resampling import doubled, halved, smoothed
from vesalius.networks.style_discriminator import group_deviation
from vesalius.testing.check_network import check_network


def noise(*shape: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def filter_of(dims: int) -> Tensor:
    """(1, 3, 3, 1) / 8 along every axis, as one kernel."""
    line = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.float64) / 8
    kernel = line
    for _ in range(dims - 1):
        kernel = kernel[..., None] * line
    return kernel


def filtered(x: Tensor) -> Tensor:
    """Every channel by itself, as far as the filter lies within ``x``."""
    dims = x.ndim - 2
    convolve = functional.conv2d if dims == 2 else functional.conv3d
    maps = x.flatten(0, 1)[:, None]
    return convolve(maps, filter_of(dims)[None, None]).reshape(
        *x.shape[:2], *(size - 3 for size in x.shape[2:])
    )


def spread(x: Tensor) -> Tensor:
    """Zeros between voxels, one behind the last."""
    wide = x.new_zeros(*x.shape[:2], *(2 * size for size in x.shape[2:]))
    wide[(..., *[slice(None, None, 2)] * (x.ndim - 2))] = x
    return wide


def bordered(x: Tensor, before: int, after: int) -> Tensor:
    return functional.pad(x, [before, after] * (x.ndim - 2))


SPACES = st.sampled_from([(4, 6), (5, 3), (2, 4, 3)])


@settings(max_examples=15, deadline=None)
@given(SPACES, st.integers(0, 1000))
def test_resampling_against_zeros_and_one_kernel(space: tuple[int, ...], seed: int) -> None:
    dims = len(space)
    x = noise(2, 3, *space, seed=seed)
    up = doubled(x)
    assert torch.allclose(up, 2**dims * filtered(bordered(spread(x), 2, 1)))
    within = (..., *[slice(1, -1)] * dims)
    linear = functional.interpolate(
        x, scale_factor=2.0, mode="bilinear" if dims == 2 else "trilinear"
    )
    assert torch.allclose(up[within], linear[within])
    y = noise(*up.shape, seed=seed + 1)
    every_second = (..., *[slice(None, None, 2)] * dims)
    assert torch.allclose(halved(y), filtered(bordered(y, 1, 1))[every_second])
    assert torch.allclose((up * y).sum(), 2**dims * (x * halved(y)).sum()), "the adjoint"
    assert torch.allclose(smoothed(x, 2), filtered(bordered(x, 2, 2)))


def one_by_one(layer: ModulatedConvolution, x: Tensor, style: Tensor) -> Tensor:
    """Equations 1 and 3 of the paper, weights of every case by themselves."""
    images = []
    dims = x.ndim - 2
    convolve = functional.conv2d if dims == 2 else functional.conv3d
    for image, one in zip(x, style, strict=True):
        scales = one @ layer.style.weight.T / math.sqrt(style.shape[1]) + layer.style.bias
        weight = layer.weight / math.sqrt(layer.weight[0].numel())
        weight = weight * scales.view(1, -1, *[1] * dims)
        if layer.demodulate:
            weight = weight / (weight.flatten(1).square().sum(1) + 1e-8).sqrt().view(
                -1, 1, *[1] * dims
            )
        if not layer.doubles:
            images.append(convolve(image[None], weight, padding=layer.size // 2))
            continue
        # doubled first, with so much around it that the border does not matter
        margin = 3
        wide = 2**dims * filtered(bordered(spread(bordered(image[None], margin, margin)), 2, 1))
        found = convolve(wide, weight, padding=layer.size // 2)
        images.append(found[(..., *[slice(2 * margin, -2 * margin)] * dims)])
    return torch.cat(images)


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("demodulate", [True, False])
@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("dims", [2, 3])
def test_modulation_is_that_of_weights_of_every_case(
    dims: Any, double: bool, demodulate: bool, size: int
) -> None:
    torch.manual_seed(0)
    layer = ModulatedConvolution(3, 5, size, dims, 4, demodulate=demodulate, double=double).double()
    x, style = noise(4, 3, *(4, 5, 3)[:dims]), noise(4, 4, seed=1)
    x.requires_grad_()
    style.requires_grad_()
    found, known = layer(x, style), one_by_one(layer, x, style)
    assert torch.allclose(found, known, atol=1e-10)
    target = noise(*found.shape, seed=2)
    leaves = [x, style, layer.weight]
    ours = torch.autograd.grad((found * target).sum(), leaves)
    theirs = torch.autograd.grad((known * target).sum(), leaves)
    assert all(torch.allclose(a, b, atol=1e-8) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize("scale", [0.1, 1.0, 20.0])
@pytest.mark.parametrize("dims", [2, 3])
def test_demodulated_maps_have_variance_one(dims: Any, scale: float) -> None:
    """Of maps of variance one, whatever the style's size; without, the style decides."""
    torch.manual_seed(0)
    space = (66, 66) if dims == 2 else (18, 18, 18)
    x, style = noise(2, 8, *space), scale * noise(2, 4, seed=1)
    within = (..., *[slice(1, -1)] * dims)  # zeros around an image take variance away
    layer = ModulatedConvolution(8, 4, 3, dims, 4).double()
    variance = layer(x, style)[within].flatten(2).var(2)
    assert torch.allclose(variance, torch.ones_like(variance), atol=0.12)
    plain = ModulatedConvolution(8, 4, 3, dims, 4, demodulate=False).double()
    ratio = plain(x, style)[within].var() / ((plain.style(style) ** 2).mean())
    assert ratio.item() == pytest.approx(1, rel=0.4)


def test_equalised_layers_keep_variance_and_learn_at_their_rate() -> None:
    torch.manual_seed(0)
    x = noise(4000, 100, dtype=torch.float32)
    for rate in (1.0, 0.01):
        layer = EqualisedLinear(100, 50, rate=rate, gain=2.0)
        assert layer(x).std().item() == pytest.approx(2, rel=0.05)
        before = layer(torch.eye(100)).detach()
        optimiser = torch.optim.Adam(layer.parameters(), lr=1e-2)
        layer(x).square().mean().backward()  # type: ignore[no-untyped-call]
        layer.bias.requires_grad_(False)
        layer.bias.grad = None
        optimiser.step()
        moved = (layer(torch.eye(100)) - before).abs()
        # Adam's first step is its rate for every weight, whatever its gradient
        assert moved.mean().item() == pytest.approx(1e-2 * rate * 2 / 10, rel=0.01)
    assert EqualisedLinear(4, 2, bias=1.0, rate=0.01)(torch.zeros(1, 4)).tolist() == [[1, 1]]
    convolution = EqualisedConvolution(16, 32, 3, 3, padding=1)
    y = convolution(noise(2, 16, 8, 8, 8, dtype=torch.float32))[..., 1:-1, 1:-1, 1:-1]
    assert y.std().item() == pytest.approx(1, rel=0.1)


def generator(dims: Any, **changes: Any) -> StyleGenerator:
    torch.manual_seed(0)
    made = StyleGenerator(
        **{
            "channels_in": 6,
            "channels_out": 2,
            "dims": dims,
            "width": 4,
            "multipliers": (1, 2, 2),
            "extent": 8,
        }
        | changes
    ).double()
    with torch.no_grad():
        for layer in made.layers:
            layer.strength.fill_(0.3)  # type: ignore[union-attr, operator]
    return made


@pytest.mark.parametrize("dims", [2, 3])
def test_a_style_becomes_an_image(dims: Any) -> None:
    ones = [1] * dims
    made = generator(dims).float()
    check_network(
        made,
        noise(3, 6, *ones, dtype=torch.float32),
        shape=(3, 2, *[8] * dims),
        batch_independent=False,
    )
    assert made.extent == (8,) * dims
    assert made.n_styles == 6
    spaces = [(size,) * dims for size in (2, 4, 4, 8, 8)]
    assert made.noise_spaces() == tuple(spaces)
    long = generator(3, extent=(8, 16, 4)) if dims == 3 else generator(2, extent=(8, 16))
    assert long(noise(1, 6, *ones)).shape == (1, 2, *long.extent)


@pytest.mark.parametrize("dims", [2, 3])
def test_given_the_noise_cases_do_not_know_each_other(dims: Any) -> None:
    made, ones = generator(dims), [1] * dims
    styles = noise(3, 6, *ones)
    given_noise = [noise(3, 1, *space, seed=k) for k, space in enumerate(made.noise_spaces())]
    together = made(styles, noise=given_noise)
    for case in range(3):
        alone = made(styles[case : case + 1], noise=[each[case : case + 1] for each in given_noise])
        assert torch.allclose(together[case : case + 1], alone)
    for place in range(len(given_noise)):
        other = [each + (k == place) * 0.5 for k, each in enumerate(given_noise)]
        assert not torch.allclose(made(styles, noise=other), together), "every layer's matters"
    with pytest.raises(InputError, match="noise of"):
        made(styles, noise=given_noise[1:])


def test_noise_comes_from_the_default_stream_and_starts_with_no_strength() -> None:
    made, styles = generator(2).eval(), noise(2, 6, 1, 1)

    def drawn(seed: int) -> Tensor:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            image: Tensor = made(styles)
        return image

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.allclose(drawn(1), drawn(2))
    made = StyleGenerator(channels_in=6, channels_out=1, width=4, extent=16).double()
    assert torch.equal(drawn(1), drawn(2))


@pytest.mark.parametrize("dims", [2, 3])
def test_every_layer_has_a_style_of_its_own(dims: Any) -> None:
    made, ones = generator(dims), [1] * dims
    noises = [noise(1, 1, *space) for space in made.noise_spaces()]
    styles = noise(1, 6, *ones)
    column = styles.expand(1, 6, made.n_styles, *ones[1:])
    together = made(styles, noise=noises)
    assert torch.allclose(made(column, noise=noises), together)
    seen: list[Tensor] = []
    for layer in made.layers:
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    made(column, noise=noises)
    before = list(seen)
    for place in range(made.n_styles):
        seen.clear()
        other = column.clone()
        other[:, :, place] += 1
        assert not torch.allclose(made(other, noise=noises), together)
        unmoved = [torch.equal(a, b) for a, b in zip(before, seen, strict=True)]
        assert unmoved == [layer < place for layer in range(len(before))], "the coarser are as were"


def test_one_resolution_by_hand() -> None:
    made = generator(2, multipliers=(2,), extent=(3, 5))
    style, given_noise = noise(2, 6, 1, 1), noise(2, 1, 3, 5, seed=1)
    (layer,) = made.layers
    assert isinstance(layer.convolution, ModulatedConvolution)
    h = made.constant[None].expand(2, -1, -1, -1)
    h = one_by_one(layer.convolution, h, style[..., 0, 0])
    h = h + 0.3 * given_noise + layer.bias  # type: ignore[operator]
    h = torch.where(h > 0, h, 0.2 * h) * math.sqrt(2)
    image = made.images[0]
    assert isinstance(image, ModulatedConvolution)
    known = one_by_one(image, h, style[..., 0, 0]) + made.bias
    assert torch.allclose(made(style, noise=[given_noise]), known)
    assert made.n_styles == 2


def test_a_mapping_takes_the_length_of_a_code_away() -> None:
    torch.manual_seed(0)
    mapping = StyleMapping(channels_in=8, channels_out=32)
    codes = noise(500, 8, 1, 1, dtype=torch.float32)
    styles = mapping(codes)
    assert torch.allclose(mapping(7 * codes), styles, atol=1e-4)
    assert styles.square().mean().item() == pytest.approx(1, abs=0.7), "eight layers keep its size"
    assert len(mapping.layers) == 8


def test_deviation_of_groups_by_hand() -> None:
    x = noise(6, 3, 2, 4)
    found = group_deviation(x, 4)  # the largest divisor of 6 up to 4 is 3
    assert found.shape == (6, 1, 2, 4)
    for case in range(6):
        group = x[[k for k in range(6) if k % 2 == case % 2]]
        known = (group.var(0, unbiased=False) + 1e-8).sqrt().mean()
        assert torch.allclose(found[case], known.expand(1, 2, 4))
    alike = group_deviation(x[:1].expand(4, -1, -1, -1), 4)
    assert torch.allclose(alike, torch.full_like(alike, 1e-4))
    assert torch.allclose(group_deviation(x[:1], 4), alike[:1]), "one case alone"


@pytest.mark.parametrize("train", [True, False], ids=["train", "eval"])
def test_the_discriminator_tells_one_image_from_many(train: bool) -> None:
    torch.manual_seed(0)
    network = StyleDiscriminator(channels_in=1, width=4, extent=16).double().train(train)
    seen: list[Tensor] = []
    network.lowest.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    x = noise(4, 1, 16, 16)
    logits = network(x)
    assert torch.allclose(seen[0][:, -1:], group_deviation(seen[0][:, :-1], 4))
    collapsed = network(x[:1].expand(4, -1, -1, -1))
    assert not torch.allclose(logits[:1], collapsed[:1], atol=1e-3), "also for the same image"


@pytest.mark.parametrize("dims", [2, 3])
def test_a_block_by_hand(dims: Any) -> None:
    torch.manual_seed(0)
    network = StyleDiscriminator(
        channels_in=2, dims=dims, width=3, multipliers=(1, 2), extent=4, group=1
    ).double()
    convolve = functional.conv2d if dims == 2 else functional.conv3d

    def applied(layer: Any, x: Tensor, stride: int = 1, padding: int = 0) -> Tensor:
        weight = layer.weight / math.sqrt(layer.weight[0].numel())
        return convolve(x, weight, layer.bias, stride=stride, padding=padding)

    def active(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x) * math.sqrt(2)

    x = noise(2, 2, *[4] * dims)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if name.endswith("bias"):
                parameter.copy_(noise(*parameter.shape, seed=3))
    (block,) = network.blocks
    stem = active(applied(network.stem, x))
    h = active(applied(block.first, stem, padding=1))
    h = active(applied(block.second, filtered(bordered(h, 2, 2)), stride=2))
    every_second = (..., *[slice(None, None, 2)] * dims)
    h = (h + applied(block.around, filtered(bordered(stem, 1, 1))[every_second])) / math.sqrt(2)
    maps = network.features(x)
    assert torch.allclose(maps[0], h)
    h = active(applied(network.lowest, h, padding=1))
    known = applied(network.last, active(applied(network.whole, h)))
    assert torch.allclose(network(x), known)
    assert network(noise(1, 2, *[7] * dims)).shape == (1, 1, *[3] * dims), "larger: more places"


def test_a_class_is_judged_by_projection() -> None:
    torch.manual_seed(0)
    network = StyleDiscriminator(
        channels_in=1, condition_channels=3, width=4, multipliers=(1, 2), extent=8
    ).double()
    x, seen = noise(3, 1, 8, 8), []
    network.last.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))

    def told(condition: Tensor) -> Tensor:
        logits: Tensor = network(x, None, condition)
        return logits.flatten()

    classes = torch.eye(3, dtype=torch.float64)
    assert network.embed is not None
    difference = told(classes) - told(classes.roll(1, 0))
    weight = network.embed.weight / math.sqrt(3)
    known = ((weight.T - weight.T.roll(1, 0)) * seen[0].flatten(1)).sum(1) / math.sqrt(8)
    assert torch.allclose(difference, known)
    spatial = classes[:, :, None, None].expand(-1, -1, 5, 7)
    assert torch.allclose(told(spatial), told(classes))


def test_sizes_and_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match=r"StyleGenerator: expected .* halved 3 times, got 20"):
        StyleGenerator(channels_in=4, channels_out=1, extent=20)
    with pytest.raises(InputError, match="at least one multiplier"):
        StyleGenerator(channels_in=4, channels_out=1, multipliers=())
    with pytest.raises(InputError, match="a group of 1 or more"):
        StyleDiscriminator(channels_in=1, group=0)
    with pytest.raises(InputError, match="at least one layer"):
        StyleMapping(channels_in=4, channels_out=4, n_layers=0)
    with pytest.raises(InputError, match=r"a grid of \(1, 1\) or \(6, 1\), got \(4, 1\)"):
        generator(2)(noise(1, 6, 4, 1))
    with pytest.raises(InputError, match="expected no condition"):
        generator(2)(noise(1, 6, 1, 1), None, noise(1, 1, 1, 1))
