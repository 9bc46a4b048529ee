"""How large a network is."""

from __future__ import annotations

from torch import nn


def count_parameters(network: nn.Module) -> int:
    """Count the trainable parameters; one that several layers share counts once.

    >>> count_parameters(nn.Linear(3, 2))
    8
    """
    return sum(each.numel() for each in network.parameters() if each.requires_grad)
