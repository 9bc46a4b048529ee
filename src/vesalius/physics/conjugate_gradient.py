"""Conjugate gradients, every case of a batch by itself."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def inner(a: Tensor, b: Tensor) -> Tensor:
    """``Re sum(conj(a) * b)`` case by case: ``(batch,)``, real."""
    if a.is_complex():
        a, b = torch.view_as_real(a), torch.view_as_real(b)
    return (a * b).flatten(1).sum(1)


def per_case(values: Tensor, like: Tensor) -> Tensor:
    """``(batch,)`` as ``(batch, 1, 1, ...)``, to be multiplied with ``like``."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


def conjugate_gradient(
    apply: Callable[[Tensor], Tensor],
    right_side: Tensor,
    *,
    start: Tensor | None = None,
    iterations: int = 10,
    tolerance: float = 0.0,
) -> Tensor:
    """Solve ``apply(x) = right_side`` for a symmetric positive definite linear ``apply``.

    Parameters
    ----------
    apply:
        Acts on ``(batch, ...)``, on every case by itself.
    right_side, start:
        ``(batch, ...)``; the start is zero where none is given.
    iterations:
        How many at most.
    tolerance:
        Stop when every case's residual is below this part of its right side. Zero never looks,
        which spares a GPU the wait. A case that is solved exactly stays as it is.

    Differentiable with respect to everything by autograd through the iterations.

    References
    ----------
    Hestenes and Stiefel, J. Res. Natl. Bur. Stand. 49, 409 (1952).
    """
    x = torch.zeros_like(right_side) if start is None else start
    residual = right_side if start is None else right_side - apply(start)
    direction = residual
    energy = inner(residual, residual)
    enough = tolerance**2 * inner(right_side, right_side)
    # below this a residual is rounding, and 0/0 must not enter a case that is solved already
    tiny = torch.finfo(energy.dtype).tiny
    for _ in range(iterations):
        if tolerance > 0 and bool((energy <= enough).all()):
            break
        applied = apply(direction)
        step = energy / inner(direction, applied).clamp_min(tiny)
        x = x + per_case(step, x) * direction
        residual = residual - per_case(step, x) * applied
        before, energy = energy, inner(residual, residual)
        direction = residual + per_case(energy / before.clamp_min(tiny), x) * direction
    return x
