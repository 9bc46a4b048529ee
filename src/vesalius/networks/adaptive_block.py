"""A transformer block whose norms are set, and whose halves are weighed, by what it is told."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.multi_head_attention import MultiHeadAttention


def modulated(x: Tensor, shift: Tensor, scale: Tensor) -> Tensor:
    """Normalise tokens (batch, *grid, width), then scale and shift by (batch, 1..., width)."""
    normed = functional.layer_norm(x, x.shape[-1:], eps=1e-6)
    return torch.addcmul(shift, normed, 1 + scale)


class AdaptiveBlock(nn.Module):
    """Attention and two linear layers, each normalised, modulated, gated and added (adaLN-Zero).

    Shift, scale and gate of both halves are linear in what the block is told. They start at zero,
    so that an untrained block is the identity.

    Parameters
    ----------
    width:
        Features of a token.
    heads:
        Parts of the features that attend each for itself.
    told:
        Features of what it is told.

    Reference: Peebles & Xie, Scalable diffusion models with transformers, ICCV 2023,
    arXiv:2212.09748, section 3.2.
    """

    def __init__(self, width: int, heads: int, told: int) -> None:
        super().__init__()
        self.attention = MultiHeadAttention(width, heads)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        for layer in (module for module in self.modules() if isinstance(module, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        self.modulate = nn.Linear(told, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, x: Tensor, told: Tensor) -> Tensor:
        """Tokens (batch, *rows, tokens, width) and (batch, told) to tokens.

        Rows do not see each other.
        """
        shapes = self.modulate(told).reshape(len(x), *[1] * (x.ndim - 2), -1)
        shift, scale, gate, shift_2, scale_2, gate_2 = shapes.chunk(6, -1)
        x = torch.addcmul(x, gate, self.attention(modulated(x, shift, scale)))
        wide = functional.gelu(self.widen(modulated(x, shift_2, scale_2)), approximate="tanh")
        return torch.addcmul(x, gate_2, self.narrow(wide))
