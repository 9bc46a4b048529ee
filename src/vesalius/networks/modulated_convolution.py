"""A convolution whose weights a style scales, case by case."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.networks.equalised import EqualisedLinear
from vesalius.networks.quick_convolution import convolved
from vesalius.networks.smooth_resampling import smoothed


class ModulatedConvolution(nn.Module):
    """Weights w of input channel i and output channel o become s_i w_oi, of length one for every o.

    Karras et al., Analyzing and improving the image quality of StyleGAN, CVPR 2020,
    arXiv:1912.04958, equations 1 and 3. Scaling the channels before and after one convolution of
    the whole batch says the same as a convolution of its own for every case, and is quick on any
    machine.

    Parameters
    ----------
    channels_in, channels_out:
        Channels.
    size:
        Extent of the weights along every axis, odd.
    dims:
        Axes of space.
    style_features:
        Length of a style.
    demodulate:
        Whether weights are brought to length one, which takes the style's scale out again.
    double:
        Whether the resolution is doubled: convolved between zeros, then smoothed.
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        size: int,
        dims: Literal[2, 3],
        style_features: int,
        *,
        demodulate: bool = True,
        double: bool = False,
    ) -> None:
        super().__init__()
        self.dims, self.size = dims, size
        self.demodulate, self.doubles = demodulate, double
        self.scale = 1 / math.sqrt(channels_in * size**dims)
        self.weight = nn.Parameter(torch.randn(channels_out, channels_in, *[size] * dims))
        self.style = EqualisedLinear(style_features, channels_in, bias=1.0)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """``(batch, channels_in, *space)`` and (batch, style_features) to the modulated image.

        ``(batch, channels_out, *space)``, the space doubled along every axis where asked for.
        """
        x, lengths = self.undemodulated(x, style)
        return x if lengths is None else x * lengths

    def undemodulated(self, x: Tensor, style: Tensor) -> tuple[Tensor, Tensor | None]:
        """What :meth:`forward` gives as two factors; the second ``(batch, channels_out, 1, ...)``.

        None for the second where nothing is demodulated.
        """
        weight = self.weight * self.scale
        scales = self.style(style)
        x = x * scales.reshape(*scales.shape, *[1] * self.dims)
        x = (
            self._doubled(x, weight)
            if self.doubles
            else convolved(x, weight, padding=self.size // 2)
        )
        if not self.demodulate:
            return x, None
        squares = functional.linear(scales.square(), weight.square().flatten(2).sum(2))
        return x, (squares + 1e-8).rsqrt().reshape(*squares.shape, *[1] * self.dims)

    def _doubled(self, x: Tensor, weight: Tensor) -> Tensor:
        """Zeros between voxels, convolved, and smoothed; twice as much an axis, for the zeros."""
        spread = functional.conv_transpose2d if self.dims == 2 else functional.conv_transpose3d
        weight = 2**self.dims * weight.transpose(0, 1).flip(tuple(range(2, 2 + self.dims)))
        wide = spread(x, weight, stride=2)
        # what lies beyond the image counts: Karras et al. convolve between zeros first, too
        beyond = 2 - self.size // 2
        return smoothed(wide, beyond)
