"""How good single frames are, without a reference."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window
from vesalius.metrics.feature.torchscript import SAVE, scripted_network
from vesalius.metrics.inputs import masked_mean, masked_sum


class Rater(ABC):
    """Rates frames, higher for better; its name is part of every number made with it."""

    citation: ClassVar[str]
    unit: ClassVar[str] = "1"

    @property
    @abstractmethod
    def name(self) -> str:
        """In snake_case."""

    @abstractmethod
    def ratings(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(n, *space)``, 2D or 3D, to ``(n,)`` float64; ``mask`` of the same shape, bool."""


@dataclass(frozen=True)
class Sharpness(Rater):
    """One minus the blur effect: how much slopes lose when a frame is blurred once more.

    Least sharp axis of space; 0 for what cannot be blurred further, near 1 for noise, NaN for
    constant frames. The mask chooses where slopes are summed.

    Parameters
    ----------
    size:
        Of the mean filter that blurs, in voxels.

    References
    ----------
    Crete et al. 2007, doi:10.1117/12.702790.
    """

    citation: ClassVar[str] = "Crete et al. 2007, doi:10.1117/12.702790"

    size: int = 11

    @property
    def name(self) -> str:
        """What it rates."""
        return "sharpness" if self.size == 11 else f"sharpness_{self.size}"

    def ratings(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`Rater`; at least 4 voxels along every axis."""
        if min(frames.shape[1:]) < 4:
            raise InputError("frames of at least 4 voxels a side", came=tuple(frames.shape[1:]))
        inner = (slice(None), *[slice(2, length - 1) for length in frames.shape[1:]])
        counted = None if mask is None else mask[inner]
        blur = []
        for axis in range(1, frames.ndim):
            sharp = _slope(frames, axis)[inner]
            blurred = _slope(_mean_filtered(frames, axis, self.size), axis)[inner]
            lost = (sharp - blurred).clamp(min=0)
            total = masked_sum(sharp, counted)
            blur.append((total - masked_sum(lost, counted)) / total)
        # a frame without slopes has no sharpness: 0 / 0
        return 1 - torch.stack(blur).amax(0)


@dataclass(frozen=True)
class SignalToNoise(Rater):
    """Standard deviation of a frame against that of its noise, in dB.

    The noise is what a difference of Laplacians lets through, within planes of the last two axes;
    it takes fine texture for noise. Infinite without noise, NaN for constant frames.

    References
    ----------
    Immerkær 1996, Computer Vision and Image Understanding 64:300.
    """

    citation: ClassVar[str] = "Immerkær 1996, Computer Vision and Image Understanding 64:300"
    unit: ClassVar[str] = "dB"

    @property
    def name(self) -> str:
        """What it rates."""
        return "signal_to_noise"

    def ratings(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`Rater`; at least 3 voxels along the last two axes."""
        if min(frames.shape[-2:]) < 3:
            raise InputError("planes of at least 3 voxels a side", came=tuple(frames.shape[-2:]))
        second = frames.diff(n=2, dim=-1).diff(n=2, dim=-2).abs()
        inner = None if mask is None else mask[..., 1:-1, 1:-1]
        noise = math.sqrt(math.pi / 2) / 6 * masked_mean(second, inner)
        mean = masked_mean(frames, mask).reshape(-1, *[1] * (frames.ndim - 1))
        signal = masked_mean((frames - mean).square(), mask).sqrt()
        return 20 * (signal / noise).log10()


@dataclass(frozen=True)
class ScriptedRater(Rater):
    """A TorchScript network that rates images, such as MUSIQ in VBench; 2D frames.

    It takes ``(n, 3, height, width)`` in [0, 1] and returns ``(n,)`` or ``(n, 1)``, higher for
    better, divided by ``best``. The name is the file's.

    Parameters
    ----------
    path:
        What ``torch.jit.script(network).save(path)`` wrote.
    window:
        (low, high) in the unit of the frames, mapped to [0, 1] and clipped; outside a mask 0.
    best:
        The network's highest mark: 100 for MUSIQ.
    """

    citation: ClassVar[str] = "a network given as a file"

    path: Path
    window: tuple[float, float]
    best: float = 100.0

    def __post_init__(self) -> None:
        check_window(self.window)

    @property
    def name(self) -> str:
        """The file's, without its suffix."""
        return Path(self.path).stem

    @cached_property
    def network(self) -> torch.jit.ScriptModule:
        """That of the file; InputError without it."""
        remedy = f"save a network that rates images, such as MUSIQ, with {SAVE}"
        return scripted_network(Path(self.path), remedy)

    def ratings(self, frames: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`Rater`; InputError for volumes and a network that returns something else."""
        if frames.ndim != 3:
            raise InputError("2D frames", came="volumes", remedy="use Sharpness")
        network = self.network.to(frames.device)
        low, high = self.window
        scaled = ((frames.float() - low) / (high - low)).clamp(0, 1)
        if mask is not None:
            scaled = scaled * mask
        with torch.inference_mode():
            found = torch.as_tensor(network(scaled[:, None].expand(-1, 3, -1, -1)))
        if found.numel() != len(frames):
            raise InputError(f"one mark for each of {len(frames)} frames", came=tuple(found.shape))
        return found.reshape(-1).double().clone() / self.best


def _slope(frames: Tensor, axis: int) -> Tensor:
    """Absolute central difference along one axis, smoothed (1, 2, 1) along the others (Sobel)."""
    along = _weighted(frames, axis, (-1.0, 0.0, 1.0))
    for other in range(1, frames.ndim):
        if other != axis:
            along = _weighted(along, other, (1.0, 2.0, 1.0))
    return along.abs()


def _weighted(frames: Tensor, axis: int, weights: tuple[float, float, float]) -> Tensor:
    """Three neighbours along an axis, summed with weights; the border is repeated."""
    length = frames.shape[axis]
    before = torch.cat([frames.narrow(axis, 0, 1), frames.narrow(axis, 0, length - 1)], axis)
    after = torch.cat(
        [frames.narrow(axis, 1, length - 1), frames.narrow(axis, length - 1, 1)], axis
    )
    first, middle, last = weights
    return first * before + middle * frames + last * after


def _mean_filtered(frames: Tensor, axis: int, size: int) -> Tensor:
    """The mean of ``size`` neighbours along one axis; the frame is mirrored at its border."""
    moved = frames.movedim(axis, -1)
    # an index beyond the border is that of its mirror image, the border voxel repeated
    length = moved.shape[-1]
    places = torch.arange(-(size // 2), length + (size - 1) // 2, device=frames.device)
    places = places.remainder(2 * length)
    places = torch.where(places < length, places, 2 * length - 1 - places)
    padded = moved[..., places].flatten(0, -2)[:, None]
    return functional.avg_pool1d(padded, size, 1).reshape(moved.shape).movedim(-1, axis)
