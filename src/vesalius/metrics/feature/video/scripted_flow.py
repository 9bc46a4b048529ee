"""Displacement by a network that the user brings, such as RAFT."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window
from vesalius.metrics.feature.torchscript import SAVE, scripted_network
from vesalius.metrics.feature.video.flow import Flow, checked_pair

_REMEDY = f"save an optical-flow network with trained weights, such as RAFT, with {SAVE}"


@dataclass(frozen=True)
class ScriptedFlow(Flow):
    """A TorchScript flow network: RAFT, as VBench uses it, or one's own; 2D frames.

    The network takes two stacks ``(n, 3, height, width)`` in [0, 255] and returns ``(n, 2, height,
    width)``: displacement along the width, then along the height, in pixels. The name is the
    file's.

    Parameters
    ----------
    path:
        What ``torch.jit.script(network).save(path)`` wrote.
    window:
        (low, high) in the unit of the frames, mapped to [0, 255] and clipped.
    """

    citation: ClassVar[str] = "a network given as a file"

    path: Path
    window: tuple[float, float]

    def __post_init__(self) -> None:
        check_window(self.window)

    @property
    def name(self) -> str:
        """The file's, without its suffix."""
        return Path(self.path).stem

    @cached_property
    def network(self) -> torch.jit.ScriptModule:
        """That of the file; InputError without it."""
        return scripted_network(Path(self.path), _REMEDY)

    def displacement(self, before: Tensor, after: Tensor) -> Tensor:
        """See :class:`Flow`; InputError for volumes and a network that returns something else."""
        checked_pair(before, after)
        if before.ndim != 3:
            raise InputError("2D frames", came="volumes", remedy="use LucasKanade")
        network = self.network.to(before.device)
        low, high = self.window
        ready = [
            (((x.float() - low) / (high - low)).clamp(0, 1) * 255)[:, None].expand(-1, 3, -1, -1)
            for x in (before, after)
        ]
        with torch.inference_mode():
            found = torch.as_tensor(network(*ready))
        wanted = (len(before), 2, *before.shape[1:])
        if tuple(found.shape) != wanted:
            raise InputError(f"displacements of shape {wanted}", came=f"{tuple(found.shape)}")
        return found.flip(1).double().clone()
