"""From a normal code to a style: the mapping network of StyleGAN."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.equalised import GAIN, EqualisedLinear, rectified
from vesalius.networks.image_network import check_input, join


class StyleMapping(nn.Module):
    """A perceptron at every place of a grid; a generator of one image has a grid of one place.

    Codes are brought to a mean square of one first, so their length says nothing. Layers learn at a
    hundredth of the rate of others (Karras et al., CVPR 2019, arXiv:1812.04948, appendix C).

    Parameters
    ----------
    channels_in, channels_out:
        Length of a code, and of a style.
    dims:
        Axes of the grid.
    condition_channels:
        Length of a condition on the same grid; it joins the code.
    n_layers:
        Layers, each as wide as a style; 8 in the papers.
    rate:
        Learning rate of its layers as a part of the others'.

    >>> import torch
    >>> mapping = StyleMapping(channels_in=16, channels_out=32)
    >>> mapping(torch.randn(2, 16, 1, 1)).shape
    torch.Size([2, 32, 1, 1])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        n_layers: int = 8,
        rate: float = 0.01,
    ) -> None:
        if n_layers < 1 or not rate > 0:
            raise InputError(
                "at least one layer and a rate above zero",
                came=f"{n_layers} and {rate}",
                case="StyleMapping",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        widths = [channels_in + condition_channels, *[channels_out] * (n_layers - 1)]
        self.layers = nn.ModuleList(
            EqualisedLinear(before, channels_out, rate=rate, gain=GAIN) for before in widths
        )

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *grid)`` to ``(batch, channels_out, *grid)``.

        ``condition`` ``(batch, condition_channels, *grid)`` is given exactly where it is taken;
        anything that does not fit, and any level, raises InputError.
        """
        check_input(self, x, level, condition)
        h = join(x, condition).movedim(1, -1)
        h = h * (h.square().mean(-1, keepdim=True) + 1e-8).rsqrt()
        for layer in self.layers:
            h = rectified(layer(h))
        return h.movedim(-1, 1)
