"""Attention within shifted windows, against MONAI's and against its own promises."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import SwinRestorer
from vesalius.networks.swin_layer import SwinLayer
from vesalius.networks.window_attention import (
    from_windows,
    relative_places,
    shift_mask,
    to_windows,
    window_shift,
)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def stirred(network: torch.nn.Module) -> Any:
    """In double precision, with noise on every parameter."""
    network.double().eval()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for each in network.parameters():
            each.add_(0.2 * torch.randn(each.shape, generator=generator))
    return network


def monai_twin(layer: SwinLayer, heads: int, grid: tuple[int, ...], shifted: bool) -> Tensor:
    """What MONAI's block with the same weights gives for the noise of ``grid``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from monai.networks.nets.swin_unetr import (
            SwinTransformerBlock,
            compute_mask,
            get_window_size,
        )

    window = [layer.window] * len(grid)
    shift = [layer.window // 2 if shifted else 0] * len(grid)
    width = layer.first_norm.weight.shape[0]
    twin = SwinTransformerBlock(width, heads, window, shift, mlp_ratio=2.0, qkv_bias=True).double()
    pairs = {
        "norm1": layer.first_norm,
        "norm2": layer.second_norm,
        "attn.qkv": layer.attention.query_key_value,
        "attn.proj": layer.attention.out,
        "mlp.linear1": layer.widen,
        "mlp.linear2": layer.narrow,
    }
    state = {
        f"{name}.{part}": getattr(module, part)
        for name, module in pairs.items()
        for part in ("weight", "bias")
    }
    state["attn.relative_position_bias_table"] = layer.attention.bias
    state["attn.relative_position_index"] = twin.attn.relative_position_index
    twin.load_state_dict(state)
    used_window, used_shift = get_window_size(grid, window, shift)
    mask = compute_mask(grid, used_window, used_shift, "cpu") if any(used_shift) else None
    found: Tensor = twin(noise(2, *grid, width).double(), mask)
    return found


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("grid", [(8, 12), (4, 8), (4, 4), (4, 8, 4), (8, 4, 8)])
def test_a_layer_is_that_of_monai(grid: tuple[int, ...], shifted: bool) -> None:
    layer = stirred(SwinLayer(8, 2, 4, len(grid), shifted=shifted))
    mine = layer(noise(2, *grid, 8).double(), shift_mask(4, grid).double())
    assert torch.allclose(mine, monai_twin(layer, 2, grid, shifted), rtol=0, atol=1e-12)


@given(
    window=st.integers(2, 4),
    blocks=st.lists(st.integers(1, 3), min_size=1, max_size=3),
    batch=st.integers(1, 2),
)
def test_windows_go_back_to_where_they_came_from(
    window: int, blocks: list[int], batch: int
) -> None:
    grid = tuple(window * n for n in blocks)
    x = torch.arange(2 * batch * torch.Size(grid).numel()).reshape(batch, *grid, 2)
    windows = to_windows(x, window)
    assert windows.shape == (batch * torch.Size(blocks).numel(), window ** len(grid), 2)
    assert torch.equal(from_windows(windows, window, grid), x)
    first = x[0][tuple(slice(window) for _ in grid)].reshape(-1, 2)
    assert torch.equal(windows[0], first)


@pytest.mark.parametrize("grid", [(8, 12), (4, 8), (4, 8, 12)])
def test_after_a_roll_only_true_neighbours_attend(grid: tuple[int, ...]) -> None:
    window = 4
    places = torch.stack(torch.meshgrid(*map(torch.arange, grid), indexing="ij"), -1)[None]
    moved = window_shift(window, grid)
    rolled = places.roll([-n for n in moved], tuple(range(1, 1 + len(grid))))
    inside = to_windows(rolled, window)
    near = ((inside[:, :, None] - inside[:, None]).abs() < window).all(-1)
    mask = shift_mask(window, grid)[:, 0]
    assert torch.equal(mask == 0, near)
    assert mask[~near].eq(-torch.inf).all()
    assert not near.all(), "a roll does bring borders together"


def test_places_number_displacements() -> None:
    tokens = list(itertools.product(range(3), repeat=3))
    numbers = relative_places(3, 3)
    seen: dict[tuple[int, ...], int] = {}
    for (i, a), (j, b) in itertools.product(enumerate(tokens), repeat=2):
        apart = tuple(p - q for p, q in zip(a, b, strict=True))
        assert seen.setdefault(apart, int(numbers[i, j])) == numbers[i, j]
    assert sorted(seen.values()) == list(range(5**3))


@pytest.mark.parametrize(("dims", "size"), [(2, 56), (3, 36)])
def test_an_image_moved_by_a_window_comes_out_moved(dims: int, size: int) -> None:
    options: dict[str, Any] = {"width": 4, "heads": 2, "n_blocks": 1, "n_layers": 2, "window": 4}
    network = stirred(SwinRestorer(channels_in=1, channels_out=2, dims=dims, **options))
    image = noise(1, 1, *[size + 4] * dims).double()
    inside = (slice(None), slice(None), *[slice(16, size - 16)] * dims)
    with torch.no_grad():

        def crop(start: int) -> Tensor:
            part = (slice(None), slice(None), *[slice(start, start + size)] * dims)
            return network(image[part])  # type: ignore[no-any-return]

        here, there = crop(0), crop(4)
        back = (slice(None), slice(None), *[slice(12, size - 20)] * dims)
        assert torch.allclose(here[inside], there[back], rtol=0, atol=1e-10)
        aside = (slice(None), slice(None), *[slice(15, size - 17)] * dims)
        assert not torch.allclose(here[inside], crop(1)[aside], atol=1e-3)


def test_windows_bound_what_a_layer_sees_and_shifts_open_them() -> None:
    def changed(shifted: bool) -> Tensor:
        layer = stirred(SwinLayer(8, 2, 4, 2, shifted=shifted))
        x, mask = noise(1, 12, 12, 8).double(), shift_mask(4, (12, 12)).double()
        other = x.clone()
        other[:, 5, 5, 0] += 1
        return ((layer(other, mask) - layer(x, mask)).abs().sum((0, 3)) > 1e-9).nonzero()

    for shifted, first in ((False, 4), (True, 2)):
        places = changed(shifted)
        assert places.min(0).values.tolist() == [first, first]
        assert places.max(0).values.tolist() == [first + 3, first + 3]
        assert len(places) == 16


@pytest.mark.parametrize("patch", [1, 2])
def test_untrained_it_returns_its_image(patch: Any) -> None:
    options: dict[str, Any] = {"width": 8, "heads": 2, "n_blocks": 1, "patch": patch}
    x = noise(2, 2, 30, 17)
    assert torch.equal(SwinRestorer(channels_in=2, channels_out=2, **options)(x), x)
    assert not SwinRestorer(channels_in=2, channels_out=1, **options)(x).any()


def test_a_level_scales_and_shifts_both_normalisations() -> None:
    layer = stirred(SwinLayer(8, 2, 4, 2, shifted=False, level_features=3))
    plain = stirred(SwinLayer(8, 2, 4, 2, shifted=False))
    plain.load_state_dict({k: v for k, v in layer.state_dict().items() if "adapt" not in k})
    embedding = noise(1, 3).double()
    one_up, up, one_up_too, up_too = layer.adapt(embedding)[0].chunk(4)
    with torch.no_grad():
        for norm, scale, shift in (
            (plain.first_norm, one_up, up),
            (plain.second_norm, one_up_too, up_too),
        ):
            norm.weight.mul_(1 + scale)
            norm.bias.mul_(1 + scale).add_(shift)
        x, mask = noise(1, 8, 8, 8).double(), shift_mask(4, (8, 8)).double()
        assert torch.allclose(layer(x, mask, embedding), plain(x, mask), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 10, "heads": 4}, "heads share evenly.*width 10 and heads 4"),
        ({"window": 1}, "SwinRestorer.*at least 2 tokens.*window 1"),
        ({"n_blocks": 0}, "at least one block"),
        ({"n_layers": 0}, "at least one block of one layer"),
    ],
)
def test_sizes_that_cannot_be_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        SwinRestorer(channels_in=1, channels_out=1, **options)
