"""A diffusion transformer's plan with Mamba in place of attention."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.grid_positions import GridPositions
from vesalius.networks.image_network import ImageNetwork, join
from vesalius.networks.level_embedding import LevelEmbedding
from vesalius.networks.mamba_block import MambaBlock
from vesalius.networks.scan_orders import ScanKind, inverse_orders, reorder, scan_orders
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth


class IsotropicMamba(ImageNetwork):
    """Patches as tokens, Mamba blocks of one width, each of which walks the grid another way.

    A block sees only what came before in its order; the next one walks back, the one after that
    along another axis, and so on, so that from four blocks on every place sees every other.
    Cost is linear in the number of patches. The level scales, shifts and gates every block. The
    last layer starts at zero, so that an untrained network returns zero.

    Parameters
    ----------
    channels_in, channels_out, dims, condition_channels, takes_level:
        See :class:`~vesalius.networks.image_network.ImageNetwork`. The condition is concatenated to
        the input.
    patch:
        Voxels a side of a patch.
    width, n_layers:
        Features of a token, and blocks.
    scan:
        The kind of orders that blocks take in turn, see
        :func:`~vesalius.networks.scan_orders.scan_orders`.
    kind, states, expand, head_width, engine:
        See :class:`~vesalius.networks.mamba_block.MambaBlock`.

    Reference: Hu et al., ZigMa, ECCV 2024, arXiv:2403.13802; Peebles & Xie, ICCV 2023,
    arXiv:2212.09748.

    >>> import torch
    >>> net = IsotropicMamba(channels_in=1, channels_out=1, width=16, n_layers=2)
    >>> net(torch.zeros(2, 1, 30, 45)).shape
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
        patch: int = 4,
        width: int = 128,
        n_layers: int = 8,
        scan: ScanKind = "snake",
        kind: Literal["s6", "ssd"] = "ssd",
        states: int = 16,
        expand: int = 2,
        head_width: int | None = 32,
        engine: Literal["chunked", "mamba-ssm"] = "chunked",
    ) -> None:
        if patch < 1 or n_layers < 1:
            raise InputError(
                "patches of at least one voxel and at least one layer",
                came=f"patch {patch} and n_layers {n_layers}",
                case="IsotropicMamba",
            )
        super().__init__(
            channels_in=channels_in,
            channels_out=channels_out,
            dims=dims,
            condition_channels=condition_channels,
            takes_level=takes_level,
            multiple=patch,
        )
        self.patch, self.scan = patch, scan
        features = width if takes_level else 0
        self.embed = LevelEmbedding(features) if takes_level else None
        self.stem = nn.Linear((channels_in + condition_channels) * patch**dims, width)
        self.places = GridPositions(width, dims)
        self.layers = nn.ModuleList(
            MambaBlock(
                width,
                kind=kind,
                states=states,
                expand=expand,
                head_width=head_width,
                level_features=features,
                engine=engine,
            )
            for _ in range(n_layers)
        )
        self.last_norm = nn.LayerNorm(width)
        self.last = nn.Linear(width, channels_out * patch**dims)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """See :class:`~vesalius.networks.image_network.ImageNetwork`."""
        embedding = None if self.embed is None else self.embed(level)
        patches = space_to_depth(join(x, condition), self.patch)
        grid = tuple(patches.shape[2:])
        h = self.stem(patches.flatten(2).transpose(1, 2)) + self.places(grid)
        orders, back = scan_orders(self.scan, grid), inverse_orders(self.scan, grid)
        for place, layer in enumerate(self.layers):
            which = place % len(orders)
            h = reorder(h, orders[which], back[which])
            h = reorder(layer(h, embedding), back[which], orders[which])
        patches = self.last(self.last_norm(h)).transpose(1, 2).unflatten(2, grid)
        return depth_to_space(patches, self.patch)
