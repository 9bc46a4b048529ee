"""The selective scan of Mamba, exact, in chunks, with memory linear in the length."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Iterator
from typing import Any, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from vesalius.core.errors import InputError

# Letters of shapes: T time, B batch, G groups, N states, E channels of a group.

#: Numbers of one moment's states that are worked on together: what a processor's cache likes.
BLOCK = 2**15
#: Numbers of all states of one chunk.
CHUNK = 2**19


def selective_scan(
    x: Tensor,
    step: Tensor,
    log_rate: Tensor,
    write: Tensor,
    read: Tensor,
    skip: Tensor,
    *,
    engine: Literal["chunked", "mamba-ssm"] = "chunked",
) -> Tensor:
    """Give y_t = read_t . h_t + skip x_t of states that tokens write and that decay in between.

    The states are h_t = exp(-step_t exp(log_rate)) h_(t-1) + step_t write_t x_t. Every channel has
    ``states`` of its own, each with its own rate. They can only decay, since steps are not negative
    and rates are given by their logarithms: nothing overflows, and what is long past underflows to
    zero. In the paper's letters step is Delta, rate -A, write B, read C and skip D.

    Time is cut into chunks whose states fit in the processor's cache. Forward keeps the states at
    the beginning of each chunk only, and backward makes the others again; no tensor holds all
    states of all times. Half precision is calculated in single. There is no second derivative.

    Parameters
    ----------
    x, step:
        (batch, length, channels); ``step`` at least zero.
    log_rate:
        (channels, states).
    write, read:
        (batch, length, groups, states); each serves channels / groups channels in a row.
    skip:
        (channels,).
    engine:
        ``"mamba-ssm"`` calls the CUDA kernel of the package mamba_ssm, which must be installed, on
        tensors that must lie on a GPU.

    Returns
    -------
    (batch, length, channels)

    Raises
    ------
    InputError
        For shapes that do not fit each other, or an engine that is not there.

    Reference: Gu & Dao, Mamba, COLM 2024, arXiv:2312.00752, algorithm 2.

    >>> one = torch.ones(1, 3, 1)
    >>> half = torch.tensor([[math.log(math.log(2))]])  # every step halves
    >>> y = selective_scan(one, one, half, one[..., None], one[..., None], torch.zeros(1))
    >>> y.flatten()
    tensor([1.0000, 1.5000, 1.7500])
    """
    _check(x, step, log_rate, write, read, skip)
    wide = torch.promote_types(x.dtype, torch.float32)
    groups = write.shape[2]
    kind = x.dtype
    x, step, log_rate, write, read, skip = (
        each.to(wide) for each in (x, step, log_rate, write, read, skip)
    )
    if engine == "mamba-ssm":
        return _on_gpu(x, step, log_rate, write, read, skip).to(kind)
    y: Tensor = _SelectiveScan.apply(  # type: ignore[no-untyped-call]
        torch.unflatten(x, 2, (groups, -1)),
        torch.unflatten(step, 2, (groups, -1)),
        torch.unflatten(log_rate, 0, (groups, -1)).transpose(1, 2).contiguous(),
        write,
        read,
    )
    return torch.addcmul(y.flatten(2), x, skip).to(kind)


def _check(
    x: Tensor, step: Tensor, log_rate: Tensor, write: Tensor, read: Tensor, skip: Tensor
) -> None:
    """Raise InputError where shapes do not fit."""
    fits = (
        x.ndim == 3
        and step.shape == x.shape
        and log_rate.ndim == 2
        and log_rate.shape[0] == x.shape[2] == skip.numel()
        and write.ndim == 4
        and write.shape == read.shape
        and write.shape[:2] == x.shape[:2]
        and write.shape[3] == log_rate.shape[1]
    )
    if not fits:
        shapes = [tuple(each.shape) for each in (x, step, log_rate, write, read, skip)]
        raise InputError(
            "x and step (batch, length, channels), log_rate (channels, states), write and read "
            "(batch, length, groups, states) and skip (channels,)",
            came=f"shapes {', '.join(map(str, shapes))}",
            case="selective_scan",
        )
    if x.shape[1] == 0 or x.shape[2] % write.shape[2]:
        raise InputError(
            "at least one token, and channels that the groups share evenly",
            came=f"{x.shape[1]} tokens, {x.shape[2]} channels and {write.shape[2]} groups",
            case="selective_scan",
        )


def _on_gpu(
    x: Tensor, step: Tensor, log_rate: Tensor, write: Tensor, read: Tensor, skip: Tensor
) -> Tensor:
    """The kernel of mamba_ssm, which puts time last."""
    if x.device.type != "cuda" or importlib.util.find_spec("mamba_ssm") is None:
        raise InputError(
            "tensors on a GPU and the package mamba_ssm",
            came=f"tensors on {x.device.type}",
            case="engine='mamba-ssm'",
            remedy="install mamba-ssm on a machine with CUDA, or leave the engine 'chunked'",
        )
    kernel: Any = importlib.import_module("mamba_ssm.ops.selective_scan_interface")
    y: Tensor = kernel.selective_scan_fn(
        x.transpose(1, 2).contiguous(),
        step.transpose(1, 2).contiguous(),
        -log_rate.exp(),
        write.permute(0, 2, 3, 1).contiguous(),
        read.permute(0, 2, 3, 1).contiguous(),
        skip,
    )
    return y.transpose(1, 2)


def chunk_length(batch: int, length: int, numbers: int) -> tuple[int, int]:
    """Moments of a chunk, and cases worked on together, where a case has ``numbers`` states.

    >>> chunk_length(4, 4096, 4096)
    (32, 4)
    >>> chunk_length(64, 196, 4096)
    (16, 8)
    """
    cases = max(1, min(batch, BLOCK // numbers))
    longest = max(8, min(64, CHUNK // (cases * numbers)))
    return math.ceil(length / math.ceil(length / longest)), cases


def _over_states(weight_TBGN: Tensor, state_TBGNE: Tensor, room: Tensor) -> Tensor:
    """Weighted sum over the states, (T, B, G, E); overwrites ``room``, as large as the states."""
    if state_TBGNE.shape[-1] < 64:  # where a product of matrices this small is slower
        return torch.mul(weight_TBGN.unsqueeze(4), state_TBGNE, out=room).sum(3)
    return torch.matmul(weight_TBGN.unsqueeze(3), state_TBGNE).squeeze(3)


def _over_channels(weight_TBGE: Tensor, state_TBGNE: Tensor) -> Tensor:
    """Weighted sum over the channels, (T, B, G, N); a row times a matrix is the quick way."""
    return torch.matmul(weight_TBGE.unsqueeze(3), state_TBGNE.transpose(3, 4)).squeeze(3)


class _Chunks:
    """The chunks of a scan: their states, made in buffers that all of them share."""

    def __init__(
        self, x_BTGE: Tensor, step_BTGE: Tensor, log_rate_GNE: Tensor, write_BTGN: Tensor
    ) -> None:
        batch, self.length, *_ = x_BTGE.shape
        self.batch, self.states = batch, log_rate_GNE.shape
        self.moments, self.cases = chunk_length(batch, self.length, log_rate_GNE.numel())
        self.number = math.ceil(self.length / self.moments)
        self.rate_GNE = -log_rate_GNE.exp()
        self.step_TBGE = step_BTGE.transpose(0, 1).contiguous()
        self.came_TBGE = self.step_TBGE * x_BTGE.transpose(0, 1)
        self.write_TBGN = write_BTGN.transpose(0, 1).contiguous()
        room = (self.moments + 1) * self.cases * log_rate_GNE.numel()
        self._decay, self._state = x_BTGE.new_empty(2, room).unbind(0)

    def case_blocks(self) -> Iterator[slice]:
        """Cases that are worked on together."""
        for first in range(0, self.batch, self.cases):
            yield slice(first, min(first + self.cases, self.batch))

    def times(self, chunk: int) -> slice:
        """The moments of a chunk."""
        first = chunk * self.moments
        return slice(first, min(first + self.moments, self.length))

    def make(
        self, chunk: int, cases: slice, start_BGNE: Tensor
    ) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        """Decays (moments, ...) and states (1 + moments, ...), which begin with ``start``."""
        where = (self.times(chunk), cases)
        step_TBGE = self.step_TBGE[where]
        shape = (*step_TBGE.shape[:2], *self.states)
        decay_TBGNE = self._decay[: math.prod(shape)].view(shape)
        torch.mul(step_TBGE.unsqueeze(3), self.rate_GNE, out=decay_TBGNE).exp_()
        shape = (shape[0] + 1, *shape[1:])
        state_TBGNE = self._state[: math.prod(shape)].view(shape)
        came, write = self.came_TBGE[where].unsqueeze(3), self.write_TBGN[where].unsqueeze(4)
        state_TBGNE[0].copy_(start_BGNE)
        torch.mul(came, write, out=state_TBGNE[1:])
        states, decays = state_TBGNE.unbind(0), decay_TBGNE.unbind(0)
        for moment, decay in enumerate(decays):
            states[moment + 1].addcmul_(decay, states[moment])
        return decay_TBGNE, state_TBGNE, decays


class _SelectiveScan(torch.autograd.Function):
    """The scan without its skip."""

    @staticmethod
    def forward(
        ctx: Any,
        x_BTGE: Tensor,
        step_BTGE: Tensor,
        log_rate_GNE: Tensor,
        write_BTGN: Tensor,
        read_BTGN: Tensor,
    ) -> Tensor:
        """States chunk after chunk; what is kept are those at the beginning of each."""
        chunks = _Chunks(x_BTGE, step_BTGE, log_rate_GNE, write_BTGN)
        read_TBGN = read_BTGN.transpose(0, 1).contiguous()
        y_TBGE = torch.empty_like(chunks.came_TBGE)
        starts = x_BTGE.new_zeros(chunks.number, chunks.batch, *chunks.states)
        for cases in chunks.case_blocks():
            for chunk in range(chunks.number):
                times = chunks.times(chunk)
                decay_TBGNE, state_TBGNE, _ = chunks.make(chunk, cases, starts[chunk, cases])
                read = read_TBGN[times, cases]
                y_TBGE[times, cases] = _over_states(read, state_TBGNE[1:], room=decay_TBGNE)
                if chunk + 1 < chunks.number:
                    starts[chunk + 1, cases] = state_TBGNE[-1]
        ctx.save_for_backward(x_BTGE, step_BTGE, log_rate_GNE, write_BTGN, read_BTGN, starts)
        return y_TBGE.transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_BTGE: Tensor) -> tuple[Tensor, ...]:
        """The adjoint recurrence, from the last chunk to the first, with states made again."""
        x_BTGE, step_BTGE, log_rate_GNE, write_BTGN, read_BTGN, starts = ctx.saved_tensors
        chunks = _Chunks(x_BTGE, step_BTGE, log_rate_GNE, write_BTGN)
        x_TBGE, read_TBGN, grad_TBGE = (
            each.transpose(0, 1).contiguous() for each in (x_BTGE, read_BTGN, grad_BTGE)
        )
        on_x, on_step = torch.empty_like(x_TBGE), torch.empty_like(x_TBGE)
        on_write, on_read = torch.empty_like(read_TBGN), torch.empty_like(read_TBGN)
        on_log_rate = torch.zeros_like(log_rate_GNE)
        buffer = x_TBGE.new_empty(chunks.moments * chunks.cases * log_rate_GNE.numel())
        for cases in chunks.case_blocks():
            later = torch.zeros_like(starts[0, cases])  # what the next chunk asks of this one
            for chunk in reversed(range(chunks.number)):
                where = (chunks.times(chunk), cases)
                decay, state, decays = chunks.make(chunk, cases, starts[chunk, cases])
                grad, step = grad_TBGE[where], chunks.step_TBGE[where]
                adjoint = buffer[: decay.numel()].view_as(decay)
                torch.mul(read_TBGN[where].unsqueeze(4), grad.unsqueeze(3), out=adjoint)
                adjoints = adjoint.unbind(0)
                adjoints[-1].add_(later)
                for moment in range(len(adjoints) - 1, 0, -1):
                    adjoints[moment - 1].addcmul_(decays[moment], adjoints[moment])
                later = decays[0] * adjoints[0]
                on_read[where] = _over_channels(grad, state[1:])
                on_write[where] = _over_channels(chunks.came_TBGE[where], adjoint)
                # the derivative by the step, a state at a time; times the step, by the log rate
                by_state = decay.mul_(adjoint).mul_(state[:-1]).mul_(chunks.rate_GNE)
                on_came = _over_states(chunks.write_TBGN[where], adjoint, room=adjoint)
                on_x[where] = on_came * step
                on_step[where] = by_state.sum(3).addcmul_(on_came, x_TBGE[where])
                on_log_rate += by_state.mul_(step.unsqueeze(3)).sum((0, 1))
        return (
            on_x.transpose(0, 1),
            on_step.transpose(0, 1),
            on_log_rate,
            on_write.transpose(0, 1),
            on_read.transpose(0, 1),
        )
