"""What every network must do, as one check for our tests and for plug-ins."""

from __future__ import annotations

import copy

import torch
from safetensors.torch import load, save
from torch import Tensor, nn

from vesalius.core.errors import InputError


def _require(holds: bool, network: nn.Module, what: str) -> None:
    if not holds:
        raise AssertionError(f"{type(network).__name__}: {what}")


def _perturbed(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Copy the network in double precision with noise on every parameter.

    A last layer that starts at zero passes no gradient on and hides whatever lies before it; noise
    brings any network to a point where all of it is at work. In double precision a gradient that is
    only rounding (of a bias before a normalisation, say) is far below one that is real.
    """
    changed = copy.deepcopy(network).double()
    with torch.no_grad():
        for parameter in changed.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.1 * noise.to(parameter.device))
    return changed


def _call(network: nn.Module, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
    """One forward with the same default random stream every time, for networks that draw."""
    torch.manual_seed(0)
    y = network(x, level, condition)
    _require(isinstance(y, Tensor), network, f"returned a {type(y).__name__}, not a tensor")
    assert isinstance(y, Tensor)
    return y


def _is_discrete(x: Tensor) -> bool:
    """Whether ``x`` holds tokens or a mask, which pass no gradient and have no precision."""
    return not x.is_floating_point()


def _double(x: Tensor) -> Tensor:
    return x if _is_discrete(x) else x.double()


def _axes(x: Tensor) -> range:
    """Return the axes of space: of tokens ``(batch, *grid)`` all but the first."""
    return range(1 if x.dtype is torch.int64 else 2, x.ndim)


def _changed(x: Tensor, kinds: int) -> Tensor:
    """Give another image, mask (as many voxels hidden) or grid of ``kinds`` of tokens."""
    if x.dtype is torch.int64:
        return (x + 1) % kinds
    return x.flip(-1) if _is_discrete(x) else x + 0.1 * x.flip(-1) + 0.1


def _raises(network: nn.Module, x: Tensor, level: Tensor | None, condition: Tensor | None) -> bool:
    try:
        _call(network, x, level, condition)
    except ValueError:
        return True
    return False


def _check_gradients(
    network: nn.Module, x: Tensor, level: Tensor | None, condition: Tensor | None
) -> None:
    """Every parameter, and every image that comes in, moves what comes out."""
    images: dict[str, Tensor] = {}
    if not _is_discrete(x):
        images["the input"] = x = x.clone().requires_grad_()
    if condition is not None and not _is_discrete(condition):
        images["the condition"] = condition = condition.clone().requires_grad_()
    network.train()
    y = _call(network, x, level, condition)
    torch.autograd.backward((y * torch.randn_like(y)).sum())
    named: dict[str, Tensor] = {
        name: each for name, each in network.named_parameters() if each.requires_grad
    }
    named |= images
    sizes = {
        name: 0.0 if each.grad is None else each.grad.abs().max().item()
        for name, each in named.items()
    }
    dead = [name for name, size in sizes.items() if not size > 1e-11 * max(sizes.values())]
    _require(not dead, network, f"no gradient reaches {', '.join(dead)}")


def _check_batch(
    network: nn.Module, x: Tensor, level: Tensor | None, condition: Tensor | None
) -> None:
    """In eval mode every case comes out as it would alone."""
    together = _call(network, x, level, condition)
    for case in range(x.shape[0]):
        one = slice(case, case + 1)
        alone = _call(
            network,
            x[one],
            None if level is None else level[one],
            None if condition is None else condition[one],
        )
        _require(
            torch.allclose(together[one], alone, rtol=1e-6, atol=1e-9),
            network,
            f"case {case} of a batch comes out otherwise than alone",
        )


def _check_sizes(
    network: nn.Module, x: Tensor, level: Tensor | None, condition: Tensor | None, images: bool
) -> None:
    """Sizes that nothing divides, different along every axis, come out finite and as they came."""
    axes = _axes(x)
    # a text's features, say, have places of their own
    shares = condition is not None and not _is_discrete(x) and condition.shape[2:] == x.shape[2:]
    for fewer in range(len(axes)):
        smaller, smaller_condition = x, condition
        for place, axis in enumerate(axes):
            size = max(1, x.shape[axis] - 1 - 2 * ((place + fewer) % len(axes)))
            smaller = smaller.narrow(axis, 0, size)
            if smaller_condition is not None and shares:
                smaller_condition = smaller_condition.narrow(axis, 0, size)
        space = tuple(smaller.shape[axis] for axis in axes)
        y = _call(network, smaller, level, smaller_condition)
        _require(bool(y.isfinite().all()), network, f"not finite for an image of {space}")
        if images:
            _require(
                tuple(y.shape[2:]) == space, network, f"{space} came out as {tuple(y.shape[2:])}"
            )


def _check_matters(
    network: nn.Module,
    x: Tensor,
    level: Tensor | None,
    condition: Tensor | None,
    condition_optional: bool,
) -> None:
    """Change what it takes, which must be seen, and give what it does not, which it must refuse."""
    y = _call(network, x, level, condition)
    kinds = getattr(network, "channels_in", 0)
    assert isinstance(kinds, int)

    def differs(other: Tensor) -> bool:
        return bool((other - y).flatten(1).abs().amax(1).gt(1e-9).all())

    _require(
        differs(_call(network, _changed(x, kinds), level, condition)),
        network,
        "the input does not matter",
    )
    if level is None:
        level_given = torch.zeros(x.shape[0], dtype=y.dtype, device=x.device)
        _require(
            _raises(network, x, level_given, condition),
            network,
            "takes a level without a word: pass one to check_network, or raise a ValueError",
        )
    else:
        _require(
            differs(_call(network, x, level + 0.25, condition)),
            network,
            "the level does not matter",
        )
        _require(_raises(network, x, None, condition), network, "does without its level silently")
    if condition is None:
        _require(
            _raises(network, x, level, x),
            network,
            "takes a condition without a word: pass one to check_network, or raise a ValueError",
        )
    else:
        _require(
            differs(_call(network, x, level, _changed(condition, kinds))),
            network,
            "the condition does not matter",
        )
        if condition_optional:
            _require(
                differs(_call(network, x, level, None)), network, "no condition is as good as one"
            )
        else:
            _require(
                _raises(network, x, level, None), network, "does without its condition silently"
            )


def check_network(
    network: nn.Module,
    x: Tensor,
    level: Tensor | None = None,
    condition: Tensor | None = None,
    *,
    shape: tuple[int, ...] | None = None,
    batch_independent: bool = True,
    condition_optional: bool = False,
) -> None:
    """Check that ``network`` keeps the contract of :mod:`vesalius.networks`.

    Shape and type of what comes out; gradient reaches every parameter, the input and the condition;
    cases of a batch do not know each other in eval mode; sizes that nothing divides; finite values;
    the input, the level and the condition matter where they are taken and are refused where not;
    the state survives safetensors. All but the first is checked in double precision on copies whose
    parameters have noise added, since a network whose last layer starts at zero says nothing. The
    network and the random streams are left as they were.

    Parameters
    ----------
    network:
        Any module that is called as ``network(x, level, condition)``.
    x:
        ``(batch, channel, *space)``, or int64 tokens ``(batch, *grid)`` of
        ``network.channels_in`` kinds; at least two cases that differ.
    level, condition:
        (batch,) and ``(batch, channel, *space)``, for a network that takes them; the space of a
        condition may be its own, or none. A condition of type bool is a mask, which is changed by
        being mirrored along the last axis.
    shape:
        Of what comes out; by default an image like ``x`` with ``network.channels_out`` channels.
    batch_independent:
        False for a network that draws noise of its own in eval mode, or that is meant to look at
        its batch.
    condition_optional:
        Whether the network may be called without the condition that it takes.

    Raises
    ------
    AssertionError
        Naming the network and what it does not do.
    """
    if x.shape[0] < 2:
        raise InputError("a batch of at least two cases", came=x.shape[0])
    images = shape is None
    if shape is None:
        channels_out = network.channels_out
        assert isinstance(channels_out, int)
        shape = (x.shape[0], channels_out, *(x.shape[axis] for axis in _axes(x)))
    devices = [x.device] if x.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        y = _call(copy.deepcopy(network), x, level, condition)
        _require(tuple(y.shape) == shape, network, f"expected {shape}, got {tuple(y.shape)}")
        own = next((each.dtype for each in network.parameters()), x.dtype)
        wanted = own if _is_discrete(x) else x.dtype
        _require(y.dtype == wanted, network, f"{x.dtype} came out as {y.dtype}")
        _require(bool(y.isfinite().all()), network, "not finite as it starts")

        generator = torch.Generator().manual_seed(0)
        changed = _perturbed(network, generator)
        x = _double(x)
        level = None if level is None else level.double()
        condition = None if condition is None else _double(condition)
        _check_gradients(changed, x, level, condition)
        changed.eval()
        with torch.no_grad():
            if batch_independent:
                _check_batch(changed, x, level, condition)
            _check_sizes(changed, x, level, condition, images)
            _check_matters(changed, x, level, condition, condition_optional)
            other = _perturbed(changed, generator).eval()
            before = _call(changed, x, level, condition)
            _require(
                not torch.equal(before, _call(other, x, level, condition)),
                network,
                "its parameters do not matter",
            )
            other.load_state_dict(load(save(changed.state_dict())))
            _require(
                torch.equal(before, _call(other, x, level, condition)),
                network,
                "comes out otherwise after its state was saved and loaded",
            )
