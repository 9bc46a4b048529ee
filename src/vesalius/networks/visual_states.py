"""Selective states over a plane or a volume, walked along every axis both ways."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.networks.image_network import convolution
from vesalius.networks.scan_orders import ScanKind, inverse_orders, reorder, scan_orders
from vesalius.networks.selective_states import SelectiveStates


class VisualStates(nn.Module):
    """Widen; convolve each channel; scan along every axis both ways; add; gate; narrow.

    Each of the ``2 * dims`` directions has weights of its own.

    Parameters
    ----------
    channels:
        Channels in and out.
    dims:
        Axes of space.
    scan:
        ``"raster"`` is VMamba's cross scan, ``"snake"`` the one whose neighbours stay together.
    expand:
        Channels inside as a multiple of ``channels``.
    kind, states, head_width, engine:
        See :class:`~vesalius.networks.selective_states.SelectiveStates`.

    Reference: Liu et al., VMamba, NeurIPS 2024, arXiv:2401.10166, section 4 (SS2D).
    """

    def __init__(
        self,
        channels: int,
        dims: Literal[2, 3],
        *,
        scan: ScanKind = "raster",
        kind: Literal["s6", "ssd"] = "s6",
        states: int = 16,
        expand: int = 1,
        head_width: int | None = None,
        engine: Literal["chunked", "mamba-ssm"] = "chunked",
    ) -> None:
        if channels < 1 or expand < 1:
            raise InputError(
                "at least one channel and an expansion of at least one",
                came=f"{channels} and {expand}",
                case="VisualStates",
            )
        super().__init__()
        self.scan, self.directions = scan, 2 * dims
        inner = expand * channels
        self.widen = nn.Linear(channels, 2 * inner)
        self.beside = convolution(dims)(inner, inner, 3, padding=1, groups=inner)
        self.states = SelectiveStates(
            inner,
            kind=kind,
            states=states,
            directions=self.directions,
            head_width=head_width,
            engine=engine,
        )
        self.norm = nn.LayerNorm(inner)
        self.narrow = nn.Linear(inner, channels)

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, channels, *grid)`` to the same."""
        grid = tuple(x.shape[2:])
        h, gate = self.widen(x.flatten(2).transpose(1, 2)).chunk(2, 2)
        h = self.beside(h.transpose(1, 2).unflatten(2, grid))
        h = functional.silu(h).flatten(2).transpose(1, 2)
        orders, back = (
            each(self.scan, grid)[: self.directions] for each in (scan_orders, inverse_orders)
        )
        ways = torch.stack([reorder(h, *pair) for pair in zip(orders, back, strict=True)], 1)
        seen = self.states(ways).unbind(1)
        pairs = zip(seen, back, orders, strict=True)
        h = torch.stack([reorder(each, *pair) for each, *pair in pairs]).sum(0)
        h = self.narrow(self.norm(h) * functional.silu(gate))
        changed: Tensor = h.transpose(1, 2).unflatten(2, grid)
        return changed
