"""The scan of Mamba-2: one decay a head, so that chunks are products of matrices."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError

# Letters of shapes: B batch, C chunks, T times of a chunk, G groups, H heads of a group, N states,
# P channels of a head.


def head_scan(
    x: Tensor,
    step: Tensor,
    log_rate: Tensor,
    write: Tensor,
    read: Tensor,
    skip: Tensor,
    *,
    chunk: int = 32,
) -> Tensor:
    """The recurrence of :func:`~vesalius.networks.selective_scan.selective_scan`, a rate a head.

    All states of all channels of a head decay alike. Inside a chunk a token then weighs every one
    before it by read . write times one decay, as attention does; from chunk to chunk goes the
    state. The decays come from sums of logarithms, which are taken in double precision and only
    ever exponentiated where they are negative. Cost and memory are linear in the length. Half
    precision is calculated in single.

    Parameters
    ----------
    x:
        (batch, length, heads, channels of a head).
    step:
        (batch, length, heads); at least zero.
    log_rate, skip:
        (heads,).
    write, read:
        (batch, length, groups, states); each serves heads / groups heads in a row.
    chunk:
        Tokens of a chunk at most.

    Returns
    -------
    (batch, length, heads, channels of a head)

    Raises
    ------
    InputError
        For shapes that do not fit each other.

    Reference: Dao & Gu, Transformers are SSMs, ICML 2024, arXiv:2405.21060, section 6.
    """
    _check(x, step, log_rate, write, read, skip)
    kind, wide = x.dtype, torch.promote_types(x.dtype, torch.float32)
    x, step, write, read, skip = (each.to(wide) for each in (x, step, write, read, skip))
    length, groups = x.shape[1], write.shape[2]
    number = math.ceil(length / chunk)
    missing = number * math.ceil(length / number) - length
    came = x * step.unsqueeze(3)
    log_decay = -step.double() * log_rate.double().exp()
    if missing:  # tokens without a step change nothing
        came = functional.pad(came, (0, 0, 0, 0, 0, missing))
        log_decay = functional.pad(log_decay, (0, 0, 0, missing))
        write, read = (functional.pad(each, (0, 0, 0, 0, 0, missing)) for each in (write, read))
    cut, shared = (number, -1), (groups, -1)
    came = torch.unflatten(torch.unflatten(came, 2, shared), 1, cut)
    came_BCGHTP = came.permute(0, 1, 3, 4, 2, 5)
    sums = torch.unflatten(torch.unflatten(log_decay, 2, shared), 1, cut).cumsum(2)
    sum_BCGHT = sums.permute(0, 1, 3, 4, 2)
    write_BCGTN, read_BCGTN = (
        torch.unflatten(each, 1, cut).transpose(2, 3) for each in (write, read)
    )
    y = _inside(came_BCGHTP, sum_BCGHT, write_BCGTN, read_BCGTN)
    if number > 1:
        y = y + _between(came_BCGHTP, sum_BCGHT, write_BCGTN, read_BCGTN)
    y = y.permute(0, 1, 4, 2, 3, 5).flatten(3, 4).flatten(1, 2)[:, :length]
    return torch.addcmul(y, x, skip.unsqueeze(1)).to(kind)


def _inside(came: Tensor, sums: Tensor, write: Tensor, read: Tensor) -> Tensor:
    """What tokens of a chunk give to later ones of it: (B, C, G, H, T, P)."""
    between = sums.unsqueeze(5) - sums.unsqueeze(4)
    later = torch.ones(between.shape[-2:], dtype=torch.bool, device=sums.device).triu(1)
    decay_BCGHTT = between.to(came.dtype).masked_fill(later, -torch.inf).exp()
    scores_BCGTT = torch.matmul(read, write.transpose(3, 4))
    return torch.matmul(decay_BCGHTT * scores_BCGTT.unsqueeze(3), came)


def _between(came: Tensor, sums: Tensor, write: Tensor, read: Tensor) -> Tensor:
    """What earlier chunks give to later ones: (B, C, G, H, T, P)."""
    heads = came.shape[3]
    to_end = (sums[..., -1:] - sums).exp().to(came.dtype)
    # heads of a group stand side by side, since they share what writes and what reads
    left_BCGTHP = (came * to_end.unsqueeze(5)).transpose(3, 4)
    added_BCGNHP = torch.unflatten(
        torch.matmul(write.transpose(3, 4), left_BCGTHP.flatten(4)), 4, (heads, -1)
    )
    whole_BCGH = sums[..., -1].exp().to(came.dtype)
    state = torch.zeros_like(added_BCGNHP[:, 0])
    states = [state]
    for added, whole in zip(added_BCGNHP.unbind(1)[:-1], whole_BCGH.unbind(1), strict=False):
        state = torch.addcmul(added, whole[:, :, None, :, None], state)
        states.append(state)
    found = torch.unflatten(torch.matmul(read, torch.stack(states, 1).flatten(4)), 4, (heads, -1))
    return found.transpose(3, 4) * sums.exp().to(came.dtype).unsqueeze(5)


def _check(
    x: Tensor, step: Tensor, log_rate: Tensor, write: Tensor, read: Tensor, skip: Tensor
) -> None:
    """Raise InputError where shapes do not fit."""
    fits = (
        x.ndim == 4
        and step.shape == x.shape[:3]
        and log_rate.shape == skip.shape == x.shape[2:3]
        and write.ndim == 4
        and write.shape == read.shape
        and write.shape[:2] == x.shape[:2]
    )
    if not fits:
        shapes = [tuple(each.shape) for each in (x, step, log_rate, write, read, skip)]
        raise InputError(
            "x (batch, length, heads, channels), step (batch, length, heads), log_rate and skip "
            "(heads,) and write and read (batch, length, groups, states)",
            came=f"shapes {', '.join(map(str, shapes))}",
            case="head_scan",
        )
    if x.shape[1] == 0 or x.shape[2] % write.shape[2]:
        raise InputError(
            "at least one token, and heads that the groups share evenly",
            came=f"{x.shape[1]} tokens, {x.shape[2]} heads and {write.shape[2]} groups",
            case="head_scan",
        )
