"""The synthesis network of StyleGAN2: styles, a learnt constant and noise to an image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.equalised import GAIN, rectified
from vesalius.networks.image_network import check_image, check_level, check_pooled_condition
from vesalius.networks.modulated_convolution import ModulatedConvolution
from vesalius.networks.smooth_resampling import doubled
from vesalius.networks.vector_generator import check_places, extents


class _StyledLayer(nn.Module):
    """Modulated convolution, noise of a learnt strength, bias, rectifier."""

    def __init__(
        self, before: int, after: int, dims: Literal[2, 3], style_features: int, double: bool
    ) -> None:
        super().__init__()
        self.convolution = ModulatedConvolution(
            before, after, 3, dims, style_features, double=double
        )
        self.strength = nn.Parameter(torch.zeros(()))
        self.bias = nn.Parameter(torch.zeros(after, *[1] * dims))

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        x, lengths = self.convolution.undemodulated(x, style)
        assert lengths is not None
        if noise is None:
            noise = torch.randn(x.shape[0], 1, *x.shape[2:], device=x.device, dtype=x.dtype)
        # one pass over the map multiplies it and adds the noise
        x = torch.addcmul(GAIN * self.strength * noise, x, GAIN * lengths)
        return rectified(x + GAIN * self.bias)


class StyleGenerator(nn.Module):
    """Modulated convolutions from a learnt constant; images of all resolutions are summed up.

    Karras et al., Analyzing and improving the image quality of StyleGAN, CVPR 2020,
    arXiv:1912.04958, with output skips (figure 7b); in 3D, Hong et al., 3D-StyleGAN, DGM4MICCAI
    2021, arXiv:2107.09700. Styles come of a
    :class:`~vesalius.networks.style_mapping.StyleMapping`. Each layer adds noise to its map, also
    in eval mode: drawn from torch's default stream, which the caller seeds, unless it is given.

    Parameters
    ----------
    channels_in, channels_out:
        Length of a style, and channels of the image.
    dims:
        Axes of space.
    width, multipliers:
        Channels at full resolution are ``width`` times the first multiplier, at half times the
        second, and so on. All ones are 3D-StyleGAN's constant width.
    extent:
        Voxels of the image along every axis; halved once for every multiplier but one.

    Attributes
    ----------
    extent: tuple of int
        Voxels along every axis of the image that a style becomes; the caller crops it.
    n_styles: int
        Styles that it can be told, one for every layer, the coarsest first.

    >>> generator = StyleGenerator(channels_in=16, channels_out=1, width=4, extent=32)
    >>> generator(torch.zeros(2, 16, 1, 1)).shape, generator.n_styles
    (torch.Size([2, 1, 32, 32]), 8)
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        width: int = 16,
        multipliers: tuple[int, ...] = (1, 2, 4, 4),
        extent: int | tuple[int, ...] = 32,
    ) -> None:
        if not multipliers:
            raise InputError("at least one multiplier", came="none", case="StyleGenerator")
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = 0, False
        self.extent, self.base = extents(extent, dims, len(multipliers) - 1, "StyleGenerator")
        self.n_styles = 2 * len(multipliers)
        widths = [width * multiplier for multiplier in reversed(multipliers)]
        self.constant = nn.Parameter(torch.randn(widths[0], *self.base))
        self.layers = nn.ModuleList([_StyledLayer(widths[0], widths[0], dims, channels_in, False)])
        self.images = nn.ModuleList()
        for place, channels in enumerate(widths):
            if place:
                before = widths[place - 1]
                self.layers.append(_StyledLayer(before, channels, dims, channels_in, True))
                self.layers.append(_StyledLayer(channels, channels, dims, channels_in, False))
            self.images.append(
                ModulatedConvolution(channels, channels_out, 1, dims, channels_in, demodulate=False)
            )
        self.bias = nn.Parameter(torch.zeros(channels_out, *[1] * dims))

    def noise_spaces(self) -> tuple[tuple[int, ...], ...]:
        """Voxels along every axis of every layer's noise, in order."""
        finer = [(place + 1) // 2 for place in range(len(self.layers))]
        return tuple(tuple(size * 2**times for size in self.base) for times in finer)

    def forward(
        self,
        x: Tensor,
        level: Tensor | None = None,
        condition: Tensor | None = None,
        *,
        noise: Sequence[Tensor] | None = None,
    ) -> Tensor:
        """Styles to an image.

        Parameters
        ----------
        x:
            ``(batch, channels_in, 1, 1[, 1])``, one style for all layers, or
            ``(batch, channels_in, n_styles, 1[, 1])``, one for each. The image of a resolution
            shares the style of the next resolution's first layer.
        level, condition:
            Not taken.
        noise:
            ``(batch or 1, 1, *space)`` for every layer, see :meth:`noise_spaces`.

        Returns
        -------
        ``(batch, channels_out, *extent)``

        Raises
        ------
        InputError
            For anything that does not fit.
        """
        check_image(self, x)
        check_level(self, x.shape[0], level)
        check_pooled_condition(self, x.shape[0], condition)
        check_places(x, self.dims, (1, self.n_styles), type(self).__name__)
        given = self._noise(noise)
        styles = x.flatten(2).expand(-1, -1, self.n_styles).unbind(2)
        h = self.constant.expand(x.shape[0], *self.constant.shape)
        h = self.layers[0](h, styles[0], given[0])
        image: Tensor = self.images[0](h, styles[1])
        for finer in range(1, len(self.images)):
            first, second = 2 * finer - 1, 2 * finer
            h = self.layers[first](h, styles[first], given[first])
            h = self.layers[second](h, styles[second], given[second])
            image = doubled(image) + self.images[finer](h, styles[second + 1])
        return image + self.bias

    def _noise(self, noise: Sequence[Tensor] | None) -> Sequence[Tensor | None]:
        """What was given, checked, or nothing for every layer."""
        if noise is None:
            return [None] * len(self.layers)
        spaces = tuple(tuple(each.shape[2:]) for each in noise)
        if spaces != self.noise_spaces():
            raise InputError(
                f"noise of {self.noise_spaces()}", came=f"{spaces}", case="StyleGenerator"
            )
        return noise
