"""What lies beside each place of a grid."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.networks.image_network import convolution


class Neighbours(nn.Module):
    """One convolution of three places a side; a causal one sees those before in raster order alone.

    Reference: van den Oord et al., Pixel recurrent neural networks, ICML 2016, arXiv:1601.06759
    (its mask A).
    """

    mask: Tensor

    def __init__(self, width: int, dims: Literal[2, 3], *, causal: bool) -> None:
        super().__init__()
        self.dims = dims
        self.mix = convolution(dims)(width, width, 3, padding=1, bias=False)
        mask = torch.ones(3**dims)
        if causal:
            mask[3**dims // 2 :] = 0
        self.register_buffer("mask", mask.reshape((3,) * dims), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """``(batch, width, *grid)`` to the same."""
        convolve = nn.functional.conv2d if self.dims == 2 else nn.functional.conv3d
        return convolve(features, self.mix.weight * self.mask, padding=1)

    def blank(self, batch: int, grid: tuple[int, ...]) -> Tensor:
        """Features of a grid of which nothing is known yet, with a border of one place."""
        weight = self.mix.weight
        return weight.new_zeros(batch, weight.shape[1], *(size + 2 for size in grid))

    def kernel(self) -> Tensor:
        """The masked kernel as a matrix, for :meth:`at`: (width * places seen, width)."""
        return (self.mix.weight * self.mask).flatten(1).T.contiguous()

    def at(self, known: Tensor, position: int, kernel: Tensor) -> Tensor:
        """:meth:`forward` at one place in raster order, (batch, width), of a bordered grid."""
        patch = known
        for axis, start in enumerate(_coordinates(known, position), start=2):
            patch = patch.narrow(axis, start, 3)
        return patch.flatten(1) @ kernel


def _coordinates(bordered: Tensor, position: int) -> list[int]:
    """Indices along every axis of the place ``position`` of the grid inside ``bordered``."""
    grid = [size - 2 for size in bordered.shape[2:]]
    return [position // math.prod(grid[k + 1 :]) % size for k, size in enumerate(grid)]


def fill(bordered: Tensor, position: int, features: Tensor) -> None:
    """Write features (batch, width) at one place in raster order of a bordered grid."""
    place = bordered
    for index in reversed(_coordinates(bordered, position)):
        place = place.select(-1, index + 1)  # a view: what is written shows in the grid
    place.copy_(features)
