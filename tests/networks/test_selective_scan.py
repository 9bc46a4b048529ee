"""The scans against the recurrence itself, a step at a time in double precision."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from vesalius.core.errors import InputError
from vesalius.networks import selective_scan as chunked
from vesalius.networks.head_scan import head_scan
from vesalius.networks.selective_scan import selective_scan


def recurrence(
    x: Tensor, step: Tensor, log_rate: Tensor, write: Tensor, read: Tensor, skip: Tensor
) -> Tensor:
    """The definition: one state after the other, all in memory."""
    batch, length, channels = x.shape
    each = channels // write.shape[2]
    write, read = (part.repeat_interleave(each, 2) for part in (write, read))
    state = x.new_zeros(batch, channels, log_rate.shape[1])
    found = []
    for t in range(length):
        decay = torch.exp(-step[:, t, :, None] * log_rate.exp())
        state = decay * state + (step[:, t] * x[:, t])[..., None] * write[:, t]
        found.append((read[:, t] * state).sum(2) + skip * x[:, t])
    return torch.stack(found, 1)


def inputs(
    batch: int,
    length: int,
    groups: int,
    each: int,
    states: int,
    *,
    seed: int = 0,
    longest_step: float = 2.0,
) -> list[Tensor]:
    """Arguments of ``selective_scan`` in double precision, with gradient."""
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    channels = groups * each
    step = torch.rand(batch, length, channels, generator=generator, dtype=torch.float64)
    made = [
        noise(batch, length, channels),
        longest_step * step,
        noise(channels, states),
        noise(batch, length, groups, states),
        noise(batch, length, groups, states),
        noise(channels),
    ]
    return [each.requires_grad_() for each in made]


def head_inputs(batch: int, length: int, groups: int, heads: int, width: int) -> list[Tensor]:
    """Arguments of ``head_scan`` with ``heads`` heads a group and three states."""
    made = inputs(batch, length, groups, heads * width, 3)
    x, step, log_rate, write, read, skip = (each.detach() for each in made)
    shaped = [
        x.unflatten(2, (groups * heads, width)),
        step[..., ::width],
        log_rate[::width, 0],
        write,
        read,
        skip[::width],
    ]
    return [each.clone().requires_grad_() for each in shaped]


def by_recurrence(arguments: list[Tensor]) -> Tensor:
    """What ``head_scan`` is to give: the recurrence with every channel's rate that of its head."""
    x, step, log_rate, write, read, skip = arguments
    width = x.shape[3]
    wide = log_rate.repeat_interleave(width)[:, None].expand(-1, write.shape[3])
    y = recurrence(
        x.flatten(2),
        step.repeat_interleave(width, 2),
        wide,
        write,
        read,
        skip.repeat_interleave(width),
    )
    return y.view_as(x)


def assert_alike(
    found: Tensor, wanted: Tensor, arguments: list[Tensor], tolerance: float = 1e-11
) -> None:
    """The same values, and the same gradient of every argument."""
    weight = torch.randn(found.shape, generator=torch.Generator().manual_seed(9)).double()
    ours = torch.autograd.grad(found, arguments, weight)
    theirs = torch.autograd.grad(wanted, arguments, weight)
    for mine, other in zip((found, *ours), (wanted, *theirs), strict=True):
        scale = max(1.0, other.abs().max().item())
        assert (mine - other).abs().max().item() < tolerance * scale


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 5),
    st.integers(1, 70),
    st.integers(1, 3),
    st.sampled_from([1, 3, 64]),
    st.integers(1, 4),
    st.integers(0, 1000),
)
def test_chunks_give_what_the_recurrence_gives_forward_and_back(
    batch: int, length: int, groups: int, each: int, states: int, seed: int
) -> None:
    arguments = inputs(batch, length, groups, each, states, seed=seed)
    with pytest.MonkeyPatch.context() as patch:
        # small blocks, so that short sequences take several of time and of cases
        patch.setattr(chunked, "BLOCK", 2 * groups * each * states)
        patch.setattr(chunked, "CHUNK", 16 * groups * each * states)
        assert_alike(selective_scan(*arguments), recurrence(*arguments), arguments)


def test_long_sequences_of_the_usual_size() -> None:
    arguments = inputs(2, 300, 4, 8, 16)
    assert_alike(selective_scan(*arguments), recurrence(*arguments), arguments)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 80), st.integers(1, 3), st.integers(1, 3), st.integers(1, 4)
)
def test_heads_give_what_the_recurrence_gives_forward_and_back(
    batch: int, length: int, groups: int, heads: int, width: int
) -> None:
    arguments = head_inputs(batch, length, groups, heads, width)
    assert_alike(head_scan(*arguments), by_recurrence(arguments), arguments)


@pytest.mark.parametrize("chunk", [1, 7, 50, 200])
def test_the_length_of_a_chunk_changes_nothing(chunk: int) -> None:
    arguments = head_inputs(2, 50, 2, 2, 3)
    assert_alike(head_scan(*arguments, chunk=chunk), by_recurrence(arguments), arguments)


def test_a_worked_example() -> None:
    """A state that halves a step: 1; 1/2 + 1; 1/4 + 1/2 + 1. Then nothing is written, but read."""
    x = torch.tensor([1.0, 1.0, 1.0, 0.0])[None, :, None]
    one = torch.ones(1, 4, 1)
    halves = torch.tensor([[math.log(math.log(2))]])
    wanted = torch.tensor([1.0, 1.5, 1.75, 0.875])
    y = selective_scan(x, one, halves, one[..., None], one[..., None], torch.zeros(1))
    assert torch.allclose(y.flatten(), wanted)
    y = head_scan(x[..., None], one, halves[0], one[..., None], one[..., None], torch.zeros(1))
    assert torch.allclose(y.flatten(), wanted)


@pytest.mark.parametrize("which", ["channels", "heads"])
def test_single_precision_keeps_close_however_fast_or_slow_states_decay(which: str) -> None:
    """From steps of nothing to steps that forget all at once; in single as in double precision."""
    arguments = inputs(1, 200, 2, 2, 3) if which == "channels" else head_inputs(1, 200, 2, 2, 2)
    generator = torch.Generator().manual_seed(3)
    step = 10 ** (
        16 * torch.rand(arguments[1].shape, generator=generator, dtype=torch.float64) - 11
    )
    step[:, 50:90] = 0  # nothing happens
    step[:, 90] = 1e5  # everything is forgotten
    arguments[1] = step.requires_grad_()
    # what is written is step times x: of moderate size
    arguments[0] = (arguments[0].detach() / (1 + _beside(step, arguments[0]))).requires_grad_()
    scan: Any = selective_scan if which == "channels" else head_scan
    reference = recurrence(*arguments) if which == "channels" else by_recurrence(arguments)
    single = [each.detach().float().requires_grad_() for each in arguments]
    y = scan(*single)
    scale = reference.abs().max().item()
    assert (y.double() - reference).abs().max().item() < 2e-5 * scale
    gradients = torch.autograd.grad(y.sum(), single)
    assert all(each.isfinite().all() for each in gradients)
    for mine, other in zip(gradients, torch.autograd.grad(reference.sum(), arguments), strict=True):
        assert (mine - other).abs().max().item() < 1e-4 * max(1.0, other.abs().max().item())


def _beside(step: Tensor, x: Tensor) -> Tensor:
    """Steps of heads beside the channels that they belong to."""
    return step.detach().reshape(*step.shape, *[1] * (x.ndim - step.ndim))


class Largest(TorchDispatchMode):
    """Remembers the largest tensor that any operation made."""

    size = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor):
            self.size = max(self.size, out.numel())
        return out


@pytest.mark.parametrize("length", [256, 1024])
def test_no_tensor_holds_all_states_and_what_is_kept_grows_with_the_length(length: int) -> None:
    batch, channels, states = 1, 64, 16
    arguments = inputs(batch, length, 1, channels, states)
    kept = 0

    def keep(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.numel()
        return tensor

    with pytest.MonkeyPatch.context() as patch, Largest() as largest:
        patch.setattr(chunked, "CHUNK", 2**14)
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            y = selective_scan(*arguments)
        torch.autograd.grad(y.sum(), arguments)
    tokens = batch * length * channels
    assert largest.size <= max(2 * tokens, 2**16)
    assert largest.size < tokens * states / 4
    # what came in, and the states at the beginning of every 16th moment
    assert kept <= 5 * tokens + length * 2 * states + channels * (states + 1) + 2


@pytest.mark.parametrize("which", ["channels", "heads"])
def test_half_precision_comes_out_as_it_came_and_is_calculated_in_single(which: str) -> None:
    made = inputs(1, 40, 1, 4, 2) if which == "channels" else head_inputs(1, 40, 1, 2, 2)
    scan: Any = selective_scan if which == "channels" else head_scan
    arguments = [each.detach().to(torch.bfloat16) for each in made]
    y = scan(*arguments)
    assert y.dtype is torch.bfloat16
    exact = scan(*(each.float() for each in arguments))
    assert torch.equal(y, exact.to(torch.bfloat16))
    # parameters stay in single precision where autocast halves the activations
    mixed = [each.float() if place in (2, 5) else each for place, each in enumerate(arguments)]
    assert torch.equal(scan(*mixed), y)


def test_there_is_no_second_derivative() -> None:
    arguments = inputs(1, 5, 1, 2, 2)
    (first,) = torch.autograd.grad(
        selective_scan(*arguments).square().sum(), arguments[0], create_graph=True
    )
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


def test_shapes_that_do_not_fit_are_named() -> None:
    x, step, log_rate, write, read, skip = inputs(2, 6, 2, 3, 4)
    with pytest.raises(InputError, match=r"selective_scan.*\(2, 5, 6\)"):
        selective_scan(x, step[:, :5], log_rate, write, read, skip)
    four = write.repeat(1, 1, 2, 1)
    with pytest.raises(InputError, match=r"groups share evenly.*6 channels and 4 groups"):
        selective_scan(x, step, log_rate, four, four, skip)
    x, step, write, read = (each[:, :0] for each in (x, step, write, read))
    with pytest.raises(InputError, match="at least one token"):
        selective_scan(x, step, log_rate, write, read, skip)
    heads = head_inputs(2, 6, 2, 3, 4)
    with pytest.raises(InputError, match=r"head_scan.*\(heads,\)"):
        head_scan(*heads[:5], heads[5][:2])
    four = heads[3].repeat(1, 1, 2, 1)
    with pytest.raises(InputError, match="6 heads and 4 groups"):
        head_scan(*heads[:3], four, four, heads[5])


def test_an_engine_that_is_not_there_is_an_error_and_no_fallback() -> None:
    arguments = inputs(1, 6, 1, 3, 4)
    with pytest.raises(InputError, match=r"engine='mamba-ssm'.*GPU.*tensors on cpu.*install"):
        selective_scan(*arguments, engine="mamba-ssm")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU with CUDA")
@pytest.mark.skipif(importlib.util.find_spec("mamba_ssm") is None, reason="needs mamba_ssm")
def test_the_kernel_of_mamba_ssm_gives_the_same() -> None:
    arguments = [each.detach().float().cuda().requires_grad_() for each in inputs(2, 200, 2, 8, 16)]
    ours, theirs = (
        selective_scan(*arguments, engine=engine) for engine in ("chunked", "mamba-ssm")
    )
    assert_alike(ours, theirs, arguments, 1e-3)
