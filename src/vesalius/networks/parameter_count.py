"""How large a network is."""

from __future__ import annotations

import inspect
from typing import Literal

import torch
from torch import nn

from vesalius.core.errors import InputError


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters; one that several layers share counts once.

    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(each.numel() for each in network.parameters() if each.requires_grad)


def default_size(kind: type[nn.Module], dims: Literal[2, 3]) -> int | None:
    """Count the parameters of a network as its constructor's defaults make it.

    What has no default is one: a channel in and one out, where a displacement has one out an axis
    of space. None where the network is not for ``dims`` axes. Nothing is allocated.

    >>> from vesalius.networks import UNet
    >>> default_size(UNet, 2)
    2303425
    """
    parameters = inspect.signature(kind).parameters
    needed = {
        name: 1 for name, each in parameters.items() if each.default is inspect.Parameter.empty
    }
    if getattr(kind, "per_axis", False):
        needed["channels_out"] = dims
    if "dims" in parameters:
        needed["dims"] = dims
    with torch.device("meta"):
        try:
            return count_parameters(kind(**needed))
        except InputError:
            return None
