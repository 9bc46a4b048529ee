"""What the Mamba networks promise beyond the contract: causality, reach, turns, the formulas."""

from __future__ import annotations

from typing import Any, Literal

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks import IsotropicMamba, MambaUNet, MedMamba
from vesalius.networks.mamba_block import CausalConvolution, MambaBlock
from vesalius.networks.mamba_unet import StateLayer
from vesalius.networks.med_mamba import HybridBlock
from vesalius.networks.selective_states import SelectiveStates
from vesalius.networks.visual_states import VisualStates

Kind = Literal["s6", "ssd"]
KINDS: tuple[Kind, ...] = ("s6", "ssd")


def noise(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def step_by_step(block: MambaBlock, x: Tensor) -> Tensor:
    """Mamba's block after its paper, a token at a time; one direction, channels' own rates."""
    scan, width = block.scan, block.widen.out_features // 2
    inner, gate = block.widen(block.norm(x)).chunk(2, 2)
    taps = block.convolution.weight
    inner = functional.conv1d(
        functional.pad(inner.transpose(1, 2), (len(taps) - 1, 0)),
        taps.T.unsqueeze(1),
        block.convolution.bias,
        groups=width,
    ).transpose(1, 2)
    inner = functional.silu(inner)
    chosen = inner @ scan.choose[0]
    rank = chosen.shape[2] - 2 * scan.states
    low, write, read = chosen.split([rank, scan.states, scan.states], 2)
    assert scan.widen is not None
    step = functional.softplus(low @ scan.widen[0] + scan.step_bias[0])
    state = x.new_zeros(len(x), width, scan.states)
    seen = []
    for t in range(x.shape[1]):
        decay = torch.exp(step[:, t, :, None] * -scan.log_rate.exp())
        added = step[:, t, :, None] * write[:, t, None, :] * inner[:, t, :, None]
        state = decay * state + added
        seen.append((state @ read[:, t, :, None])[..., 0] + scan.skip * inner[:, t])
    return x + block.narrow(torch.stack(seen, 1) * functional.silu(gate))


def test_the_block_is_mambas() -> None:
    block = MambaBlock(12, states=5).double()
    x = noise(3, 29, 12)
    assert torch.allclose(block(x), step_by_step(block, x), atol=1e-12)


def test_steps_and_rates_begin_as_mambas_do() -> None:
    states = SelectiveStates(32, states=16, directions=2)
    steps = functional.softplus(states.step_bias)
    assert steps.min() > 0.999e-3
    assert steps.max() < 0.1001
    assert torch.allclose(states.log_rate.exp(), torch.arange(1, 17).float().expand(64, 16))
    heads = SelectiveStates(32, kind="ssd", head_width=4)
    assert heads.log_rate.shape == (8,)
    assert heads.log_rate.exp().min() >= 1
    assert heads.log_rate.exp().max() <= 16


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_sees_what_came_before_and_nothing_else(kind: Kind) -> None:
    block = MambaBlock(8, kind=kind, states=3, head_width=4).double()
    x = noise(1, 90, 8).requires_grad_()
    (gradient,) = torch.autograd.grad(block(x)[0, 40].square().sum(), x)
    seen = gradient[0].abs().amax(1)
    assert (seen[41:] == 0).all()
    assert (seen[:41] > 0).all()


def test_the_convolution_sees_its_taps() -> None:
    convolution = CausalConvolution(3, 4).double()
    x = noise(2, 11, 3)
    weight = convolution.weight.T.unsqueeze(1)
    padded = functional.pad(x.transpose(1, 2), (3, 0))
    wanted = functional.conv1d(padded, weight, convolution.bias, groups=3)
    assert torch.allclose(convolution(x), wanted.transpose(1, 2))


@pytest.mark.parametrize("kind", KINDS)
def test_directions_know_nothing_of_each_other(kind: Kind) -> None:
    """Together as each alone, with its own weights."""
    states = SelectiveStates(6, kind=kind, states=3, directions=3, head_width=2).double()
    x = noise(2, 3, 13, 6)
    together = states(x)
    for direction in range(3):
        alone = SelectiveStates(6, kind=kind, states=3, head_width=2).double()
        with torch.no_grad():
            for name, parameter in alone.named_parameters():
                whole = getattr(states, name)
                part = len(whole) // 3
                parameter.copy_(whole[direction * part : (direction + 1) * part])
        one = slice(direction, direction + 1)
        assert torch.allclose(alone(x[:, one]), together[:, one], atol=1e-12)


def shared(layer: VisualStates) -> VisualStates:
    """The same weights in all directions, and a convolution that knows no direction."""
    states = layer.states
    with torch.no_grad():
        states.step_bias.zero_()  # steps long enough for directions to tell
        for parameter in states.parameters():
            part = len(parameter) // layer.directions
            parameter.copy_(parameter[:part].repeat(layer.directions, *[1] * (parameter.ndim - 1)))
        kernel = layer.beside.weight
        kernel.copy_(
            kernel.flatten(2).mean(2)[(...,) + (None,) * (kernel.ndim - 2)].expand_as(kernel)
        )
    return layer


def test_the_cross_scan_reads_rows_and_columns_both_ways_and_puts_all_back() -> None:
    layer = VisualStates(4, 2, states=3).double()
    x = noise(2, 4, 3, 5)
    h, gate = layer.widen(x.movedim(1, -1)).chunk(2, -1)
    h = functional.silu(layer.beside(h.movedim(-1, 1)))
    rows, columns = h.flatten(2).mT, h.mT.flatten(2).mT
    seen = layer.states(torch.stack([rows, rows.flip(1), columns, columns.flip(1)], 1))
    by_rows = seen[:, 0] + seen[:, 1].flip(1)
    by_columns = seen[:, 2] + seen[:, 3].flip(1)
    together = by_rows.unflatten(1, (3, 5)) + by_columns.unflatten(1, (5, 3)).transpose(1, 2)
    wanted = layer.narrow(layer.norm(together) * functional.silu(gate)).movedim(-1, 1)
    assert torch.allclose(layer(x), wanted, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_the_cross_scan_with_shared_weights_turns_with_the_image(kind: Kind) -> None:
    layer = shared(VisualStates(4, 2, kind=kind, states=3).double())
    x = noise(2, 4, 5, 5)
    y = layer(x)
    assert torch.allclose(layer(x.flip(2, 3)), y.flip(2, 3), atol=1e-12)
    assert torch.allclose(layer(x.transpose(2, 3)), y.transpose(2, 3), atol=1e-12)
    # one axis alone is not promised: no sequence starts at that corner
    assert not torch.allclose(layer(x.flip(3)), y.flip(3), atol=1e-6)
    volume = shared(VisualStates(2, 3, kind=kind, states=3).double())
    x = noise(1, 2, 4, 4, 4)
    y = volume(x)
    assert torch.allclose(volume(x.flip(2, 3, 4)), y.flip(2, 3, 4), atol=1e-12)
    assert torch.allclose(volume(x.movedim(2, 4)), y.movedim(2, 4), atol=1e-12)


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("scan", ["raster", "snake"])
def test_a_layer_over_space_sees_every_place_from_every_place(
    dims: Literal[2, 3], scan: Literal["raster", "snake"]
) -> None:
    layer = VisualStates(4, dims, scan=scan, states=2).double()
    x = noise(1, 4, *(5, 6, 4)[:dims]).requires_grad_()
    for place in ((0, 0, 0), (4, 5, 3), (2, 3, 1)):
        here = (slice(None), slice(None), *place[:dims])
        (gradient,) = torch.autograd.grad(layer(x)[here].square().sum(), x)
        assert (gradient.abs().amax(1) > 0).all()


def test_four_blocks_of_the_isotropic_network_see_all_and_one_does_not() -> None:
    def seen(n_layers: int, scan: Any) -> Tensor:
        network = IsotropicMamba(
            channels_in=1, channels_out=1, patch=2, width=8, n_layers=n_layers, scan=scan
        ).double()
        torch.nn.init.normal_(network.last.weight)
        x = noise(1, 1, 8, 8).requires_grad_()
        (gradient,) = torch.autograd.grad(network(x)[..., 4, 4].sum(), x)
        return gradient[0, 0] != 0

    for scan in ("raster", "snake", "spiral", "circular", "hilbert"):
        assert seen(2, scan).all()
    one = seen(1, "raster")
    assert one[:4].all()
    assert not one[6:].any()


def test_an_isotropic_network_with_level_begins_as_the_identity_inside() -> None:
    block = MambaBlock(8, level_features=6)
    x, embedding = torch.randn(2, 5, 8), torch.randn(2, 6)
    assert torch.equal(block(x, embedding), x)


def test_halves_are_shuffled() -> None:
    """Channels of the convolved and of the scanned half take turns in what is added."""
    block = HybridBlock(8, 2, scan="raster", kind="s6", states=2, engine="chunked").double()
    x = noise(1, 8, 4, 4)
    near = block.near(x[:, :4])
    added = block(x) - x
    assert torch.allclose(added[:, ::2], near, atol=1e-12)
    far = block.far(block.norm(x[:, 4:].movedim(1, -1)).movedim(-1, 1))
    assert torch.allclose(added[:, 1::2], far, atol=1e-12)


def test_a_state_layer_adds_what_is_near_and_what_is_far() -> None:
    layer = StateLayer(
        8, 2, level_features=0, scan="snake", kind="s6", states=2, engine="chunked"
    ).double()
    x = noise(1, 8, 9, 9).requires_grad_()
    near = layer.near(layer.norm(x))
    assert torch.allclose(layer(x), x + near + layer.far(layer.norm(x)), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("network", [IsotropicMamba, MambaUNet])
def test_volumes_of_32_voxels_a_side(network: type, kind: Kind) -> None:
    sizes: dict[str, Any] = (
        {"width": 16, "n_layers": 6, "patch": 4}
        if network is IsotropicMamba
        else {"width": 8, "multipliers": (1, 2), "patch": 4, "states": 4}
    )
    made = network(channels_in=1, channels_out=1, dims=3, takes_level=True, kind=kind, **sizes)
    torch.nn.init.normal_(made.last.weight)
    x = torch.randn(1, 1, 32, 32, 32)
    y = made(x, torch.tensor([0.3]))
    assert y.shape == x.shape
    y.square().mean().backward()
    assert all(each.grad is not None for each in made.parameters())


def test_nonsense_is_refused() -> None:
    sizes: dict[str, Any] = {"channels_in": 1, "channels_out": 1}
    with pytest.raises(InputError, match=r"heads share evenly, got 20 channels and heads of 8"):
        IsotropicMamba(**sizes, width=10, kind="ssd", head_width=8)
    with pytest.raises(InputError, match="at least one layer"):
        IsotropicMamba(**sizes, n_layers=0)
    with pytest.raises(InputError, match=r"an even width.*7.*half of the channels"):
        MedMamba(**sizes, width=7)
    with pytest.raises(InputError, match="at least one block at every resolution"):
        MedMamba(**sizes, n_blocks=(1, 0))
    with pytest.raises(InputError, match="at least one resolution"):
        MambaUNet(**sizes, multipliers=())
    with pytest.raises(InputError, match="expansion"):
        MambaBlock(8, expand=0)
    with pytest.raises(InputError, match="expansion"):
        VisualStates(8, 2, expand=0)
    with pytest.raises(InputError, match="state"):
        SelectiveStates(8, states=0)
    network = IsotropicMamba(**sizes, width=8, head_width=8, n_layers=1, scan="zigzag")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="an order of tokens among"):
        network(torch.zeros(1, 1, 8, 8))


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_what_lies_far_away(kind: Kind) -> None:
    """The answer at the last token is the first token's sign, which no convolution reaches."""
    torch.manual_seed(0)
    block, last = MambaBlock(8, kind=kind, states=4), torch.nn.Linear(8, 1)
    optimiser = torch.optim.Adam([*block.parameters(), *last.parameters()], lr=1e-2)
    generator = torch.Generator().manual_seed(1)
    for _ in range(250):
        x = torch.randn(32, 16, 8, generator=generator)
        sign = (x[:, 0, :1] > 0).float()
        x[:, :, 0] = 0
        x[:, 0, 0] = 6 * sign[:, 0] - 3
        x[:, -1] = 1  # asks
        loss = functional.binary_cross_entropy_with_logits(last(block(x)[:, -1]), sign)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.4
