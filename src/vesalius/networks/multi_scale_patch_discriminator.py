"""Several patch discriminators, each at half the resolution of the one before."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import check_input
from vesalius.networks.patch_discriminator import PatchDiscriminator


class MultiScalePatchDiscriminator(nn.Module):
    """Patch discriminators of an image, of its half, of its quarter, and so on.

    Every scale has the same layers and its own weights, and sees the image averaged over pairs of
    voxels as often as its place says, so that coarse scales judge the whole where fine ones judge
    texture.

    Parameters
    ----------
    n_scales:
        Number of discriminators.
    channels_in, channels_out, dims, condition_channels, width, n_layers, norm, spectral_norm:
        Those of each :class:`~vesalius.networks.patch_discriminator.PatchDiscriminator`.

    Reference: Wang et al., High-resolution image synthesis and semantic manipulation with
    conditional GANs, CVPR 2018, arXiv:1711.11585.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 1,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        n_scales: int = 2,
        width: int = 32,
        n_layers: int = 3,
        norm: Literal["instance", "none"] = "instance",
        spectral_norm: bool = False,
    ) -> None:
        if n_scales < 1:
            raise InputError("at least one scale", came=n_scales, case=type(self).__name__)
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.scales = nn.ModuleList(
            PatchDiscriminator(
                channels_in=channels_in,
                channels_out=channels_out,
                dims=dims,
                condition_channels=condition_channels,
                width=width,
                n_layers=n_layers,
                norm=norm,
                spectral_norm=spectral_norm,
            )
            for _ in range(n_scales)
        )

    def scale_features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> list[list[Tensor]]:
        """:meth:`PatchDiscriminator.features` of every scale, the finest first."""
        check_input(self, x, level, condition)
        pool = functional.avg_pool2d if self.dims == 2 else functional.avg_pool3d
        found = []
        for place, scale in enumerate(self.scales):
            if place:
                # a last odd voxel is averaged with none, and an axis of one voxel stays one
                x = pool(x, 2, ceil_mode=True)
                condition = None if condition is None else pool(condition, 2, ceil_mode=True)
            assert isinstance(scale, PatchDiscriminator)
            found.append(scale.features(x, level, condition))
        return found

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> list[Tensor]:
        """Give what every layer of every scale gives, the finest scale first."""
        return [map_ for scale in self.scale_features(x, level, condition) for map_ in scale]

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Image to logits ``(batch, n_scales * channels_out, *patches)``.

        The logits of the coarser scales are repeated up to the map of the finest, so that every
        scale has the same weight in a mean. Raises InputError for a level and for shapes that do
        not fit.
        """
        logits = [scale[-1] for scale in self.scale_features(x, level, condition)]
        size = logits[0].shape[2:]
        return torch.cat(
            [functional.interpolate(each, size=size, mode="nearest") for each in logits], dim=1
        )
