"""The U-Net of a cold diffusion that corrects its own errors (CoreDiff)."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.image_network import (
    check_image,
    check_input,
    check_level,
    convolution,
)
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.padding import crop, pad


def _convolutions(channels: int, number: int, dims: Literal[2, 3]) -> nn.Sequential:
    """``number`` of convolutions, each followed by a ReLU."""
    conv = convolution(dims)
    layers = [conv(channels, channels, 3, padding=1) for _ in range(number)]
    return nn.Sequential(*(part for layer in layers for part in (layer, nn.ReLU())))


class _ErrorModulation(nn.Module):
    """Two numbers for every feature of every embedding, from what was estimated and measured.

    Both start at zero, so that an untrained one changes nothing.
    """

    def __init__(
        self, condition_channels: int, width: int, widths: list[int], dims: Literal[2, 3]
    ) -> None:
        super().__init__()
        conv = convolution(dims)
        self.seen = nn.Sequential(
            conv(condition_channels, width, 3, padding=1),
            nn.ReLU(),
            conv(width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
            conv(2 * width, 2 * width, 3, stride=2, padding=1),
            nn.ReLU(),
        )
        self.heads = nn.ModuleList(nn.Linear(2 * width, 2 * channels) for channels in widths)
        for head in self.heads:
            assert isinstance(head, nn.Linear)
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, condition: Tensor, embeddings: list[Tensor]) -> list[Tensor]:
        seen = self.seen(condition).flatten(2).mean(2)
        changed = []
        for head, embedding in zip(self.heads, embeddings, strict=True):
            gamma, beta = head(seen).chunk(2, 1)
            changed.append(embedding + gamma * embedding + beta)
        return changed


class ErrorModulatedUNet(nn.Module):
    """A U-Net without normalisation whose level embedding is corrected by what went wrong before.

    Averages of pairs of voxels on the way down, transposed convolutions on the way up, and skips
    that are added. An embedding of the level is added to the features that come into every stage
    but the first. Where a condition is given (the estimate of an earlier step and the degraded
    image), a small convolutional network reads from it gamma and beta for every feature of each
    embedding e, which becomes e + gamma e + beta. The condition may be left out, as in the first
    step: then nothing is modulated. The last convolution starts at zero. An image of any size is
    mirrored at its borders and cropped back.

    Parameters
    ----------
    channels_in, channels_out, dims:
        See :class:`~vesalius.networks.image_network.ImageNetwork`.
    condition_channels:
        Channels of the condition; zero for a network that is never modulated.
    takes_level:
        Whether it takes a level; a network that is modulated must.
    width:
        Channels at the highest resolution (64 in the paper).
    multipliers:
        Channels at every resolution as multiples of ``width``.
    n_convolutions:
        Convolutions at every resolution, on the way down and up.
    modulation_width:
        Channels behind the first convolution of the network that reads the condition.

    Reference: Gao et al., CoreDiff: contextual error-modulated generalized diffusion model for
    low-dose CT denoising and generalization, IEEE TMI 43 (2024) 745, arXiv:2304.01814; the
    U-Net after Guo et al., CBDNet, CVPR 2019, arXiv:1807.04686. Where the paper's gamma multiplies
    the embedding, ours is one less, and one network reads the condition for all stages.
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
        n_convolutions: tuple[int, ...] = (2, 3, 6),
        modulation_width: int = 16,
    ) -> None:
        if len(multipliers) < 2 or len(n_convolutions) != len(multipliers):
            raise InputError(
                "a multiplier and a number of convolutions for each of two or more resolutions",
                came=f"{multipliers} and {n_convolutions}",
                case="ErrorModulatedUNet",
            )
        if condition_channels and not takes_level:
            raise InputError(
                "a level, whose embedding the condition modulates",
                came="takes_level=False",
                case="ErrorModulatedUNet",
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.multiple = 2 ** (len(multipliers) - 1)
        widths = [width * multiplier for multiplier in multipliers]
        steps = list(pairwise(widths))
        conv = convolution(dims)
        transposed = nn.ConvTranspose2d if dims == 2 else nn.ConvTranspose3d
        self.stem = nn.Sequential(conv(channels_in, widths[0], 3, padding=1), nn.ReLU())
        self.pool = (nn.AvgPool2d if dims == 2 else nn.AvgPool3d)(2)
        self.down = nn.ModuleList(
            _convolutions(channels, number, dims)
            for channels, number in zip(widths, n_convolutions, strict=True)
        )
        self.widen = nn.ModuleList(conv(high, low, 1) for high, low in steps)
        self.grow = nn.ModuleList(transposed(low, high, 2, stride=2) for high, low in steps)
        self.up = nn.ModuleList(
            _convolutions(channels, number, dims)
            for channels, number in zip(widths[:-1], n_convolutions[:-1], strict=True)
        )
        self.last = conv(widths[0], channels_out, 1)
        for module in self.modules():
            # without normalisation, torch's own start would lose the signal in so many layers
            if isinstance(module, nn.Conv2d | nn.Conv3d) and module is not self.last:
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                assert module.bias is not None
                nn.init.zeros_(module.bias)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)
        # on the way down all stages but the first, on the way up all but the lowest
        told = [*widths[1:], *reversed(widths[:-1])]
        features = 4 * width
        self.embed = LevelEmbedding(features) if takes_level else None
        self.tell = nn.ModuleList(
            nn.Linear(features, channels) for channels in (told if takes_level else [])
        )
        self.modulation = (
            _ErrorModulation(condition_channels, modulation_width, told, dims)
            if condition_channels
            else None
        )

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to ``(batch, channels_out, *space)``.

        Parameters
        ----------
        x:
            ``(batch, channels_in, *space)``.
        level:
            (batch,); exactly where the network takes a level.
        condition:
            ``(batch, condition_channels, *space)``; may be left out.

        Raises
        ------
        InputError
            For anything that does not fit the constructor's arguments.
        """
        if condition is None:
            check_image(self, x)
            check_level(self, x.shape[0], level)
        else:
            check_input(self, x, level, condition)
        space = tuple(x.shape[2:])
        told = iter(self._told(level, condition, self.dims))
        h = self.down[0](self.stem(pad(x, self.multiple)))
        skips = []
        for widen, stage in zip(self.widen, self.down[1:], strict=True):
            skips.append(h)
            h = widen(self.pool(h))
            h = stage(h + next(told) if self.embed is not None else h)
        for grow, stage, skip in reversed(list(zip(self.grow, self.up, skips, strict=True))):
            h = grow(h) + skip
            h = stage(h + next(told) if self.embed is not None else h)
        return crop(self.last(h), space)

    def _told(self, level: Tensor | None, condition: Tensor | None, dims: int) -> list[Tensor]:
        """What is added to the features of each stage: ``(batch, channel, 1, ...)``."""
        if self.embed is None:
            return []
        features = self.embed(level)
        embeddings = [tell(features) for tell in self.tell]
        if condition is not None:
            assert self.modulation is not None
            embeddings = self.modulation(condition, embeddings)
        return [each.reshape(*each.shape, *[1] * dims) for each in embeddings]
