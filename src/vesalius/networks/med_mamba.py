"""A classifier whose blocks look near with half of their channels and far with the other half."""

from __future__ import annotations

from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.image_network import check_input, convolution, join
from vesalius.networks.padding import pad
from vesalius.networks.residual_block import group_norm
from vesalius.networks.scan_orders import ScanKind
from vesalius.networks.visual_states import VisualStates


class HybridBlock(nn.Module):
    """Half of the channels are convolved, half scanned; then both are shuffled, and added.

    Reference: Yue & Li, MedMamba, arXiv:2403.03849 (its SS-Conv-SSM).
    """

    def __init__(
        self,
        channels: int,
        dims: Literal[2, 3],
        *,
        scan: ScanKind,
        kind: Literal["s6", "ssd"],
        states: int,
        engine: Literal["chunked", "mamba-ssm"],
    ) -> None:
        super().__init__()
        half, conv = channels // 2, convolution(dims)
        self.near = nn.Sequential(
            group_norm(half),
            conv(half, half, 3, padding=1),
            group_norm(half),
            nn.ReLU(),
            conv(half, half, 3, padding=1),
            group_norm(half),
            nn.ReLU(),
            conv(half, half, 1),
            nn.ReLU(),
        )
        self.norm = nn.LayerNorm(half)
        self.far = VisualStates(half, dims, scan=scan, kind=kind, states=states, engine=engine)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, *grid)`` to the same."""
        near, far = x.chunk(2, 1)
        near = self.near(near)
        far = self.far(self.norm(far.movedim(1, -1)).movedim(-1, 1))
        # channels of both halves in turn, so that the next block's halves hold some of each
        shuffled = torch.stack([near, far], 2).flatten(1, 2)
        changed: Tensor = x + shuffled
        return changed


class MedMamba(nn.Module):
    """Patches, hybrid blocks at ever lower resolutions, averaged, and one linear layer.

    An image of any size is judged; it is mirrored at its borders to a multiple of
    ``patch * 2**(resolutions - 1)``.

    Parameters
    ----------
    channels_in, channels_out, dims:
        Channels of the image, classes, and axes of space.
    condition_channels:
        Channels of a further image of the same size; concatenated.
    patch:
        Voxels a side of a patch.
    width:
        Channels at the first resolution; they double downwards. Even.
    n_blocks:
        Blocks at every resolution.
    scan:
        Order of tokens, see :class:`~vesalius.networks.visual_states.VisualStates`.
    kind, states, engine:
        See :class:`~vesalius.networks.selective_states.SelectiveStates`.
    dropout:
        Part of the averaged features dropped before the linear layer in train mode.

    Reference: Yue & Li, MedMamba: vision Mamba for medical image classification, 2024,
    arXiv:2403.03849.

    >>> import torch
    >>> MedMamba(channels_in=1, channels_out=2, width=8, states=4)(torch.zeros(3, 1, 28, 28)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3] = 2,
        condition_channels: int = 0,
        patch: int = 4,
        width: int = 32,
        n_blocks: tuple[int, ...] = (2, 2, 4, 2),
        scan: ScanKind = "raster",
        kind: Literal["s6", "ssd"] = "s6",
        states: int = 16,
        engine: Literal["chunked", "mamba-ssm"] = "chunked",
        dropout: float = 0.0,
    ) -> None:
        if width < 2 or width % 2 or patch < 1:
            raise InputError(
                "an even width, and patches of at least one voxel",
                came=f"width {width} and patch {patch}",
                case="MedMamba",
                remedy="half of the channels are convolved and half are scanned",
            )
        if not n_blocks or min(n_blocks) < 1:
            raise InputError(
                "at least one block at every resolution", came=n_blocks, case="MedMamba"
            )
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, False
        self.multiple = patch * 2 ** (len(n_blocks) - 1)
        conv = convolution(dims)
        widths = [width * 2**place for place in range(len(n_blocks))]
        self.stem = conv(channels_in + condition_channels, width, patch, stride=patch)
        self.stages = nn.ModuleList(
            nn.Sequential(
                *(
                    HybridBlock(channels, dims, scan=scan, kind=kind, states=states, engine=engine)
                    for _ in range(number)
                )
            )
            for channels, number in zip(widths, n_blocks, strict=True)
        )
        self.shrink = nn.ModuleList(conv(high, low, 2, stride=2) for high, low in pairwise(widths))
        self.last_norm = nn.LayerNorm(widths[-1])
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(widths[-1], channels_out)

    def features(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Average the features over space: ``(batch, width * 2**(resolutions - 1))``.

        Arguments and errors are those of :meth:`forward`.
        """
        check_input(self, x, level, condition)
        h = self.stem(pad(join(x, condition), self.multiple))
        for place, stage in enumerate(self.stages):
            h = stage(h if place == 0 else self.shrink[place - 1](h))
        normed: Tensor = self.last_norm(h.flatten(2).transpose(1, 2))
        return normed.mean(1)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """``(batch, channels_in, *space)`` to logits (batch, channels_out).

        Parameters
        ----------
        x:
            ``(batch, channels_in, *space)``.
        level:
            None: it takes none.
        condition:
            ``(batch, condition_channels, *space)``; exactly where the network takes a condition.

        Raises
        ------
        InputError
            For anything that does not fit the constructor's arguments.
        """
        logits: Tensor = self.head(self.dropout(self.features(x, level, condition)))
        return logits
