"""A U-Net whose blocks look near by convolutions and far by selective scans."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.image_network import ImageNetwork, convolution, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.residual_block import group_norm
from vesalius.networks.scan_orders import ScanKind
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth
from vesalius.networks.visual_states import VisualStates


class StateLayer(nn.Module):
    """Normalise; convolve nearby (local) and scan along all axes (global); add both.

    A level embedding scales and shifts what is normalised.

    Reference: Ju & Zhou, VM-DDPM, arXiv:2405.05667 (its SSLayer).
    """

    def __init__(
        self,
        channels: int,
        dims: Literal[2, 3],
        *,
        level_features: int,
        scan: ScanKind,
        kind: Literal["s6", "ssd"],
        states: int,
        engine: Literal["chunked", "mamba-ssm"],
    ) -> None:
        super().__init__()
        conv = convolution(dims)
        self.norm = group_norm(channels)
        self.film = nn.Linear(level_features, 2 * channels) if level_features else None
        self.near = nn.Sequential(
            nn.SiLU(),
            conv(channels, channels, 3, padding=1),
            group_norm(channels),
            nn.SiLU(),
            conv(channels, channels, 3, padding=1),
        )
        self.far = VisualStates(channels, dims, scan=scan, kind=kind, states=states, engine=engine)

    def forward(self, x: Tensor, level_embedding: Tensor | None = None) -> Tensor:
        """Image and embedding ``(batch, level_features)`` to an image of the same shape."""
        h = self.norm(x)
        if self.film is not None:
            assert level_embedding is not None
            scale_shift = self.film(level_embedding)
            scale, shift = scale_shift.reshape(*scale_shift.shape, *[1] * (x.ndim - 2)).chunk(2, 1)
            h = torch.addcmul(shift, h, 1 + scale)
        changed: Tensor = x + self.near(h) + self.far(h)
        return changed


class MambaUNet(ImageNetwork):
    """Down through the resolutions and up again, with skips that are added.

    Resolutions change by strided and transposed convolutions of the stride's own size, as in
    :class:`~vesalius.networks.unet.UNet`. The last convolution starts at zero, so that an untrained
    network returns zero.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`. The condition is concatenated to
        the input.
    width:
        Channels at the highest resolution.
    multipliers:
        Channels at every resolution as multiples of ``width``; their number is that of resolutions.
    n_blocks:
        Layers at every resolution on the way down and up, and in the middle.
    patch:
        Voxels a side that the first convolution takes as channels (and the last gives back): with
        2, scans are a quarter as long in a plane.
    scan:
        Order of tokens, see :class:`~vesalius.networks.visual_states.VisualStates`.
    kind, states, engine:
        See :class:`~vesalius.networks.selective_states.SelectiveStates`.

    Reference: Ju & Zhou, VM-DDPM: vision Mamba diffusion for medical image synthesis,
    arXiv:2405.05667.

    >>> import torch
    >>> net = MambaUNet(channels_in=1, channels_out=1, takes_level=True, width=8, states=4)
    >>> net(torch.zeros(2, 1, 30, 45), torch.tensor([0.1, 0.7])).shape
    torch.Size([2, 1, 30, 45])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        takes_level: bool = False,
        width: int = 32,
        multipliers: tuple[int, ...] = (1, 2, 4),
        n_blocks: int = 1,
        patch: Literal[1, 2, 4] = 2,
        scan: ScanKind = "snake",
        kind: Literal["s6", "ssd"] = "s6",
        states: int = 8,
        engine: Literal["chunked", "mamba-ssm"] = "chunked",
    ) -> None:
        if not multipliers or n_blocks < 1:
            raise InputError(
                "at least one resolution and one block",
                came=f"multipliers {multipliers} and n_blocks {n_blocks}",
                case="MambaUNet",
            )
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            multiple=patch * 2 ** (len(multipliers) - 1),
        )
        self.patch = patch
        widths = [width * multiplier for multiplier in multipliers]
        features = 4 * width if takes_level else 0
        conv = convolution(dims)
        transposed = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d

        def stage(channels: int) -> nn.ModuleList:
            return nn.ModuleList(
                StateLayer(
                    channels,
                    dims,
                    level_features=features,
                    scan=scan,
                    kind=kind,
                    states=states,
                    engine=engine,
                )
                for _ in range(n_blocks)
            )

        steps = list(pairwise(widths))
        self.embed = LevelEmbedding(features) if takes_level else None
        self.stem = conv((channels_in + condition_channels) * patch**dims, width, 3, padding=1)
        self.down = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.shrink = nn.ModuleList(conv(high, low, 2, stride=2) for high, low in steps)
        self.middle = stage(widths[-1])
        self.grow = nn.ModuleList(transposed(low, high, 2, stride=2) for high, low in steps)
        self.up = nn.ModuleList(stage(channels) for channels in widths[:-1])
        self.last_norm = group_norm(widths[0])
        self.last = conv(widths[0], channels_out * patch**dims, 3, padding=1)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        embedding = None if self.embed is None else self.embed(level)

        def through(stage: nn.Module, h: Tensor) -> Tensor:
            assert isinstance(stage, nn.ModuleList)
            for layer in stage:
                h = layer(h, embedding)
            return h

        h = self.stem(space_to_depth(join(x, condition), self.patch))
        skips = []
        for stage, shrink in zip(self.down, self.shrink, strict=True):
            h = through(stage, h)
            skips.append(h)
            h = shrink(h)
        h = through(self.middle, h)
        for stage, grow, skip in reversed(list(zip(self.up, self.grow, skips, strict=True))):
            h = through(stage, grow(h) + skip)
        return depth_to_space(self.last(nn.functional.silu(self.last_norm(h))), self.patch)
