"""How steep a critic may be: R1, R2 and WGAN-GP, exact for every case of a batch."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

Critic = Callable[[Tensor], Tensor]


def squared_slopes(logits: Tensor, images: Tensor) -> Tensor:
    """|gradient of the logit by the image|^2 of every case, (batch,); itself differentiable.

    ``logits`` (batch, ...) are those of ``images``, which require a gradient. Where a critic gives
    many logits a case (of patches, of scales) their mean is meant, so that their number does not
    matter. Exact for critics that judge cases one by one: no batch normalisation.
    """
    judged = logits.reshape(logits.shape[0], -1).mean(dim=1).sum()
    (slope,) = torch.autograd.grad(judged, images, create_graph=True)
    return slope.flatten(1).square().sum(dim=1)


def zero_centred(logits: Tensor, images: Tensor) -> Tensor:
    """Half the mean squared slope: R1 at real images, R2 at drawn ones.

    Mescheder et al., Which training methods for GANs do actually converge?, ICML 2018,
    arXiv:1801.04406, equations 9 and 10 with gamma = 1. Arguments as in :func:`squared_slopes`.
    """
    return squared_slopes(logits, images).mean() / 2


def one_centred(logits: Tensor, images: Tensor) -> Tensor:
    """Mean (slope - 1)^2: WGAN-GP at images :func:`between` real and drawn.

    Gulrajani et al., Improved training of Wasserstein GANs, NeurIPS 2017, arXiv:1704.00028,
    equation 3 with lambda = 1. Arguments as in :func:`squared_slopes`.
    """
    # the root of zero has no derivative: a flat critic is pushed nowhere
    slopes = squared_slopes(logits, images).clamp_min(1e-12).sqrt()
    return (slopes - 1).square().mean()


def between(real: Tensor, drawn: Tensor, rng: torch.Generator) -> Tensor:
    """A point on the line from each drawn image to a real one, uniformly drawn."""
    shape = (real.shape[0], *[1] * (real.ndim - 1))
    part = torch.rand(shape, generator=rng, device=real.device, dtype=real.dtype)
    return torch.lerp(drawn.detach(), real.detach(), part)
