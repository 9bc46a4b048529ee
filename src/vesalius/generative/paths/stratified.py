"""Uniform times that cover a path in every batch."""

from __future__ import annotations

import torch
from torch import Tensor


def stratified(n: int, rng: torch.Generator) -> Tensor:
    """One time from each of ``n`` equal parts of [0, 1], (n,), on the generator's device."""
    jitter = torch.rand(n, generator=rng, device=rng.device)
    return (torch.arange(n, device=rng.device) + jitter) / n
