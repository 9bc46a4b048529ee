"""The check of tokens that come in."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks.image_network import Described


def check_tokens(network: Described, x: Tensor) -> None:
    """Raise InputError, naming ``network``, unless ``x`` is a grid of tokens that it knows.

    Expected are int64 ``(batch, *grid)`` with ``dims`` axes, from 0 to ``channels_in`` - 1.
    """
    name = type(network).__name__
    if x.ndim != network.dims + 1 or x.dtype != torch.int64:
        raise InputError(
            f"int64 tokens (batch, {network.dims} axes of space)",
            came=f"{x.dtype} of shape {tuple(x.shape)}",
            case=name,
        )
    lowest, highest = (int(end) for end in x.aminmax())
    if lowest < 0 or highest >= network.channels_in:
        raise InputError(
            f"tokens from 0 to {network.channels_in - 1}",
            came=f"some from {lowest} to {highest}",
            case=name,
        )
