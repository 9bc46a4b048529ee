"""Codes whose distribution is a diagonal Gaussian: what encoders return, what decoders take."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.code_grid import code_grid, given_at_places, reduction_of
from vesalius.generative.conditioning import Conditioning
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.objective import Networks

#: Bounds of the logarithm of a code's variance: what lies beyond is no use and may overflow.
LOG_VARIANCE = (-20.0, 10.0)


def posterior(
    networks: Networks, batch: Batch, conditioning: Conditioning
) -> tuple[Tensor, Tensor]:
    """Mean and log variance (batch, channel, *grid) of the codes of the wanted images.

    Raises InputError where encoder and decoder do not share a grid.
    """
    images = wanted(batch)
    inside, condition = conditioning.arrange(images, batch)
    both: Tensor = networks["encoder"](inside, condition=condition)
    grid = code_grid(tuple(images.shape[2:]), reduction_of(networks["decoder"]))
    if tuple(both.shape[2:]) != grid:
        raise InputError(
            f"codes on the decoder's grid {grid}",
            came=f"{tuple(both.shape[2:])} from the encoder",
            remedy="give both networks the same multipliers",
        )
    mean, log_variance = both.chunk(2, dim=1)
    return mean, log_variance.clamp(*LOG_VARIANCE)


def draw_code(mean: Tensor, log_variance: Tensor, rng: torch.Generator) -> Tensor:
    """One code a case; gradients reach mean and variance (Kingma & Welling 2014, section 2.4)."""
    noise = torch.randn(mean.shape, generator=rng, device=mean.device, dtype=mean.dtype)
    return mean + (log_variance / 2).exp() * noise


def decoded(
    networks: Networks, name: str, code: Tensor, batch: Batch, conditioning: Conditioning
) -> Tensor:
    """What the network ``name`` returns for a code, told what is given on the code's grid.

    As large as the grid allows: the image with its padding.
    """
    told = given_at_places(batch, networks[name])
    inside, condition = conditioning.arrange(code, told)
    image: Tensor = networks[name](inside, condition=condition)
    return image
