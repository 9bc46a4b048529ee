"""The largest singular value of an operator, from which solvers take their step sizes."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.physics.conjugate_gradient import inner, per_case
from vesalius.physics.operator import LinearOperator


def operator_norm(
    operator: LinearOperator, like: Tensor, *, iterations: int = 20, seed: int = 0
) -> Tensor:
    """Estimate ``|A|`` of every case by power iteration on ``A^H A``: ``(batch,)``.

    Every estimate approaches the norm from below. ``like`` is a tensor of the operator's domain
    that tells batch, precision and device; all cases start from the same noise, drawn with
    ``seed``, so a case's value does not depend on its batch.
    """
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn((1, *like.shape[1:]), generator=generator, dtype=like.dtype)
    x = start.to(like.device).expand_as(like)
    gram = operator.gram
    squared = like.new_zeros(like.shape[0], dtype=inner(x, x).dtype)
    with torch.no_grad():
        for _ in range(iterations):
            x = x / per_case(inner(x, x).sqrt().clamp_min(torch.finfo(squared.dtype).tiny), x)
            applied = gram.forward(x)
            squared, x = inner(x, applied), applied
    return squared.clamp_min(0).sqrt()
