"""A small vision transformer for masked autoencoding: what is hidden is never encoded."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import check_image, check_input, check_level
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.padding import crop, pad, padded_size
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth


class PatchTransformer(nn.Module):
    """Patches that are not hidden are encoded; a lighter decoder fills in the others.

    The condition is a mask, one where the image is hidden. A patch is hidden where more than half
    of its voxels are; :meth:`mask` makes a mask from hidden patches. What lies under the mask
    has no influence at all, and costs nothing: with three quarters hidden, the encoder sees a
    quarter of the tokens. The mask may be left out: then all is seen. An image of any size is
    mirrored at its borders to a multiple of ``patch`` and cropped back.

    Parameters
    ----------
    channels_in, channels_out, dims:
        See :class:`~vesalius.networks.image_network.ImageNetwork`.
    condition_channels:
        1 for a network that takes a mask, 0 for one that always sees all.
    takes_level:
        Whether the encoder is told one real number a case.
    patch:
        Voxels a side of a patch.
    width, n_layers, heads:
        Features of a token in the encoder, its blocks, and heads of each.
    decoder_width, decoder_layers:
        Of the decoder; its heads are as many.

    Reference: He et al., Masked autoencoders are scalable vision learners, CVPR 2022,
    arXiv:2111.06377; Dosovitskiy et al., ViT, ICLR 2021, arXiv:2010.11929.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        patch: int = 4,
        width: int = 96,
        n_layers: int = 4,
        heads: int = 4,
        decoder_width: int = 64,
        decoder_layers: int = 2,
    ) -> None:
        if patch < 1 or n_layers < 1 or decoder_layers < 1:
            raise InputError(
                "patches of at least one voxel and at least one layer each way",
                came=f"patch {patch}, n_layers {n_layers} and decoder_layers {decoder_layers}",
                case="PatchTransformer",
            )
        if condition_channels not in (0, 1):
            raise InputError(
                "one channel of a mask as a condition, or none",
                came=condition_channels,
                case="PatchTransformer",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.patch = patch
        self.stem = nn.Linear(channels_in * patch**dims, width)
        self.places = GridPositions(width, dims)
        self.embed = LevelEmbedding(width) if takes_level else None
        self.encoder = nn.ModuleList(AttentionBlock(width, heads) for _ in range(n_layers))
        self.encoder_norm = nn.LayerNorm(width)
        self.pass_on = nn.Linear(width, decoder_width)
        self.hidden = nn.Parameter(0.5 * torch.randn(decoder_width)) if condition_channels else None
        self.decoder_places = GridPositions(decoder_width, dims)
        self.decoder = nn.ModuleList(
            AttentionBlock(decoder_width, heads) for _ in range(decoder_layers)
        )
        self.last_norm = nn.LayerNorm(decoder_width)
        self.last = nn.Linear(decoder_width, channels_out * patch**dims)

    def grid(self, space: tuple[int, ...]) -> tuple[int, ...]:
        """Patches along every axis of an image of size ``space``."""
        return tuple(padded_size(size, self.patch) // self.patch for size in space)

    def mask(self, hidden: Tensor, space: tuple[int, ...]) -> Tensor:
        """``(batch, *grid(space))`` of hidden patches to the mask ``(batch, 1, *space)``; bool."""
        if tuple(hidden.shape[1:]) != self.grid(space):
            raise InputError(
                f"hidden patches (batch, {', '.join(map(str, self.grid(space)))})",
                came=f"shape {tuple(hidden.shape)}",
                case="PatchTransformer",
            )
        voxels = hidden.bool()[:, None]
        for axis in range(2, 2 + self.dims):
            voxels = voxels.repeat_interleave(self.patch, axis)
        return crop(voxels, space)

    def encode(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Features of the patches that are seen, in raster order: (batch, seen, width).

        Arguments and errors are those of :meth:`forward`.
        """
        return self._encode(x, level, condition)[0]

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Image to image.

        Parameters
        ----------
        x:
            ``(batch, channels_in, *space)``.
        level:
            (batch,); exactly where the network takes a level.
        condition:
            ``(batch, 1, *space)``, bool, or 0 and 1: where the image is hidden. As many patches in
            every case, and not all of them. May be left out.

        Returns
        -------
        ``(batch, channels_out, *space)``

        Raises
        ------
        InputError
            For anything that does not fit.
        """
        features, seen, grid = self._encode(x, level, condition)
        tokens = self.pass_on(features)
        places = self.decoder_places(grid)
        if self.hidden is not None:
            filled = self.hidden.expand(len(tokens), len(places), -1)
            index = seen[:, :, None].expand(-1, -1, tokens.shape[2])
            tokens = filled.scatter(1, index, tokens.to(filled.dtype))
        h = tokens + places
        for layer in self.decoder:
            h = layer(h)
        patches = self.last(self.last_norm(h)).transpose(1, 2).reshape(len(x), -1, *grid)
        return crop(depth_to_space(patches, self.patch), tuple(x.shape[2:]))

    def _encode(
        self, x: Tensor, level: Tensor | None, condition: Tensor | None
    ) -> tuple[Tensor, Tensor, tuple[int, ...]]:
        """Features, the indices (batch, seen) of the patches that they are of, and the grid."""
        if condition is None:
            check_image(self, x)
            check_level(self, x.shape[0], level)
        else:
            check_input(self, x, level, condition)
        grid = self.grid(tuple(x.shape[2:]))
        seen = self._seen(x, condition, grid)
        patches = space_to_depth(pad(x, self.patch), self.patch).flatten(2).transpose(1, 2)
        visible = patches.gather(1, seen[:, :, None].expand(-1, -1, patches.shape[2]))
        h = self.stem(visible) + self.places(grid)[seen]
        if self.embed is not None:
            h = torch.cat([self.embed(level)[:, None], h], 1)
        for layer in self.encoder:
            h = layer(h)
        features: Tensor = self.encoder_norm(h)
        return features[:, h.shape[1] - seen.shape[1] :], seen, grid

    def _seen(self, x: Tensor, condition: Tensor | None, grid: tuple[int, ...]) -> Tensor:
        """Indices of the patches that are not hidden, in raster order: (batch, seen)."""
        if condition is None:
            n_places = torch.Size(grid).numel()
            return torch.arange(n_places, device=x.device).expand(len(x), -1)
        hidden = self._share(condition.to(x.dtype)) > 0.5
        numbers = (~hidden).sum(1)
        least, most = int(numbers.min()), int(numbers.max())
        if least != most or most == 0:
            raise InputError(
                "as many patches to see in every case, and at least one",
                came=f"from {least} to {most} of {hidden.shape[1]}",
                case="PatchTransformer",
                remedy="hide the same number in each; mask() makes masks of patches",
            )
        return torch.sort(hidden.long(), dim=1, stable=True).indices[:, :most]

    def _share(self, mask: Tensor) -> Tensor:
        """How much of every patch is hidden, of its own voxels alone: (batch, patches)."""
        around: list[int] = []
        for size in reversed(mask.shape[2:]):
            missing = padded_size(size, self.patch) - size
            around += [missing // 2, missing - missing // 2]
        pool = functional.avg_pool2d if self.dims == 2 else functional.avg_pool3d
        # voxels that mirroring added belong to other patches, and do not count
        share, own = (
            pool(functional.pad(each, around), self.patch)
            for each in (mask, torch.ones_like(mask[:1]))
        )
        return (share / own).flatten(1)
