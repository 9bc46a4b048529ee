"""The residual block of our networks: twice normalise, activate, convolve."""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from vesalius.networks.image_network import convolution


def group_norm(channels: int) -> nn.GroupNorm:
    """Group normalisation in up to eight groups of at least four channels each.

    Groups of one channel would take away each channel's mean, and with it what a convolution's bias
    says; a whole batch would tie its cases together.
    """
    n_groups = max(1, min(8, channels // 4))
    while channels % n_groups:
        n_groups -= 1
    return nn.GroupNorm(n_groups, channels)


class ResidualBlock(nn.Module):
    """GroupNorm, SiLU, convolution, twice, added to what came in.

    A level embedding scales and shifts what the second normalisation gives (FiLM: Perez et al.,
    AAAI 2018, arXiv:1709.07871). Channels stay as they are, so that the way around is the identity.

    Parameters
    ----------
    channels:
        Channels in and out.
    dims:
        Axes of space.
    level_features:
        Features of the level embedding; zero for none.
    dropout:
        Part of the features dropped before the second convolution in train mode.
    kernel:
        Voxels along every axis that a convolution sees; odd.
    """

    def __init__(
        self,
        channels: int,
        dims: Literal[2, 3],
        *,
        level_features: int = 0,
        dropout: float = 0.0,
        kernel: tuple[int, ...] | None = None,
    ) -> None:
        super().__init__()
        self.first_norm, self.second_norm = group_norm(channels), group_norm(channels)
        size: Any = kernel or (3,) * dims
        around: Any = tuple(extent // 2 for extent in size)
        self.first = convolution(dims)(channels, channels, size, padding=around)
        self.second = convolution(dims)(channels, channels, size, padding=around)
        self.film = nn.Linear(level_features, 2 * channels) if level_features else None
        self.activation = nn.SiLU()
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, level_embedding: Tensor | None = None) -> Tensor:
        """Image and embedding ``(batch, level_features)`` to an image of the same shape."""
        h = self.first(self.activation(self.first_norm(x)))
        h = self.second_norm(h)
        if self.film is not None:
            assert level_embedding is not None
            scale_shift = self.film(level_embedding)
            scale, shift = scale_shift.reshape(*scale_shift.shape, *[1] * (x.ndim - 2)).chunk(2, 1)
            h = torch.addcmul(shift, h, 1 + scale)
        h = self.second(self.dropout(self.activation(h)))
        changed: Tensor = x + h
        return changed
