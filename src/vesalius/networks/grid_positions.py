"""Places of a grid as features, for a grid of any size."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class GridPositions(nn.Module):
    """Sines and cosines of a place's index along every axis, then one linear layer.

    The wavelengths are evenly spaced in logarithm from 2 pi to 2000 pi places, so that neighbours
    and the ends of a long axis are told apart. No size is learnt and there is no largest grid: a
    place beyond those of training has its own features, but nothing was learnt of it.

    Reference: Vaswani et al., Attention is all you need, NeurIPS 2017, arXiv:1706.03762, section
    3.5, an axis at a time.
    """

    frequencies: Tensor

    def __init__(self, width: int, dims: int, *, n_frequencies: int = 16) -> None:
        super().__init__()
        frequencies = torch.logspace(0, -3, n_frequencies)
        self.register_buffer("frequencies", frequencies, persistent=False)
        self.mix = nn.Linear(2 * dims * n_frequencies, width, bias=False)

    def forward(self, grid: tuple[int, ...]) -> Tensor:
        """(places, width) for the places of ``grid`` in raster order, the last axis fastest."""
        waves = []
        for axis, size in enumerate(grid):
            index = torch.arange(size, device=self.frequencies.device)
            angle = index[:, None] * self.frequencies
            wave = torch.cat([angle.sin(), angle.cos()], 1)
            shape = [1] * axis + [size] + [1] * (len(grid) - axis - 1) + [-1]
            waves.append(wave.reshape(shape).expand(*grid, -1))
        places: Tensor = self.mix(torch.cat(waves, -1).flatten(0, -2))
        return places
