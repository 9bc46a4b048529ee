"""Attention along one axis of space after the other."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.multi_head_attention import MultiHeadAttention


class AxialAttention(nn.Module):
    """Along every axis in turn: normalise, let the voxels of each line attend to each other, add.

    After all axes every voxel has heard of every other, for n ** (3 / 2) scores in 2D and
    n ** (4 / 3) in 3D, of n voxels, instead of n ** 2. Knows no places: what goes in must say them.

    Reference: Ho et al., Axial attention in multidimensional transformers, 2019, arXiv:1912.12180;
    Wang et al., Axial-DeepLab, ECCV 2020, arXiv:2003.07853.
    """

    def __init__(self, width: int, heads: int, dims: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(dims))
        self.along = nn.ModuleList(MultiHeadAttention(width, heads) for _ in range(dims))

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, *space, width)``, features last, to the same shape."""
        for axis, (norm, attention) in enumerate(zip(self.norms, self.along, strict=True), start=1):
            x = x + attention(norm(x).movedim(axis, -2)).movedim(-2, axis)
        return x


class AxialBlock(nn.Module):
    """A transformer block for images: axial attention, then two linear layers at every voxel."""

    def __init__(self, width: int, heads: int, dims: int) -> None:
        super().__init__()
        self.attention = AxialAttention(width, heads, dims)
        self.norm = nn.LayerNorm(width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, *space, width)``, features last, to the same shape."""
        x = self.attention(x)
        changed: Tensor = x + self.narrow(functional.gelu(self.widen(self.norm(x))))
        return changed
