"""The frame between two frames, guessed: what smooth motion would have shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window
from vesalius.metrics.feature.torchscript import SAVE, scripted_network
from vesalius.metrics.feature.video.flow import Flow, warped
from vesalius.metrics.feature.video.lucas_kanade import LucasKanade


class Midpoint(ABC):
    """Guesses the frame halfway between two; its name is part of every number made with it."""

    citation: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """In snake_case."""

    @abstractmethod
    def between(self, before: Tensor, after: Tensor) -> Tensor:
        """``(n, *space)`` twice to ``(n, *space)``, in the frames' unit."""


@dataclass(frozen=True)
class LinearMidpoint(Midpoint):
    """The mean of both frames: right where values change evenly, a double image where they move."""

    citation: ClassVar[str] = "the mean of two frames"

    @property
    def name(self) -> str:
        """What it does."""
        return "linear"

    def between(self, before: Tensor, after: Tensor) -> Tensor:
        """See :class:`Midpoint`."""
        return (before + after) / 2


@dataclass(frozen=True)
class FlowMidpoint(Midpoint):
    """Both frames brought half the way towards each other along the motion, and averaged.

    ``before`` is looked up half a displacement behind, ``after`` half a displacement ahead, with
    the displacements from before to after and from after to before.
    """

    citation: ClassVar[str] = "motion-compensated mean of two frames"

    flow: Flow = field(default_factory=LucasKanade)

    @property
    def name(self) -> str:
        """The flow's, with "midway" after it."""
        return f"{self.flow.name}_midway"

    def between(self, before: Tensor, after: Tensor) -> Tensor:
        """See :class:`Midpoint`."""
        forward = self.flow.displacement(before, after).to(before)
        backward = self.flow.displacement(after, before).to(before)
        # x - u/2 went to x: the displacement back to where it was is that of the way back
        return (warped(before, backward / 2) + warped(after, forward / 2)) / 2


@dataclass(frozen=True)
class ScriptedMidpoint(Midpoint):
    """A TorchScript network for frame interpolation, such as AMT in VBench; 2D frames.

    It takes two stacks ``(n, 3, height, width)`` in [0, 1] and returns the stack halfway between,
    of the same shape, whose channels are averaged. The name is the file's.

    Parameters
    ----------
    path:
        What ``torch.jit.script(network).save(path)`` wrote.
    window:
        (low, high) in the unit of the frames, mapped to [0, 1] and clipped.
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
        remedy = f"save a network that interpolates frames, such as AMT, with {SAVE}"
        return scripted_network(Path(self.path), remedy)

    def between(self, before: Tensor, after: Tensor) -> Tensor:
        """See :class:`Midpoint`; InputError for volumes and a network of another shape."""
        if before.ndim != 3:
            raise InputError("2D frames", came="volumes", remedy="use LinearMidpoint")
        network = self.network.to(before.device)
        low, high = self.window
        ready = [
            ((x.float() - low) / (high - low)).clamp(0, 1)[:, None].expand(-1, 3, -1, -1)
            for x in (before, after)
        ]
        with torch.inference_mode():
            found = torch.as_tensor(network(*ready))
        if found.shape != ready[0].shape:
            raise InputError(f"frames of shape {tuple(ready[0].shape)}", came=tuple(found.shape))
        return (low + (high - low) * found.mean(1)).to(before).clone()
