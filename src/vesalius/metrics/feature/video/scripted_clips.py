"""Clip features of a network that the user brings: I3D for the published FVD."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window
from vesalius.metrics.feature.torchscript import SAVE, WEIGHTS, scripted_network
from vesalius.metrics.feature.video.sequences import (
    CLIP_FRAMES,
    central_planes,
    checked_sequences,
)
from vesalius.metrics.metric import Extractor

_REMEDY = (
    f"get I3D trained on Kinetics-400 from {WEIGHTS['i3d']} and save it with {SAVE}, or use "
    "ClipStatistics, which needs no file"
)


class ScriptedClips(Extractor):
    """Features of a TorchScript network for video; its name is the file's.

    The window is mapped to [0, 1] and clipped (outside a mask: 0), repeated to three channels,
    resized bilinearly with antialiasing and brought to ``scale``. The network takes
    ``(n, 3, frames, size, size)`` and returns ``(n, feature)``, or ``(n, feature, time, height,
    width)``, which is averaged. Volumes are seen in 2.5D: the mean of the features of the central
    slices of the three planes. Nothing is downloaded; without the file there is an InputError that
    says where to get it.

    Parameters
    ----------
    path:
        What ``torch.jit.script(network).save(path)`` wrote.
    window:
        (low, high) in the unit of the clips. It is never taken from them.
    frames:
        Of every clip: 16 for the published FVD. Cut longer sequences with ``clips_of``.
    size:
        Pixels along each side at the network's input.
    scale:
        (low, high) of the network's input.
    flags:
        Keyword arguments that its ``forward`` takes, such as ``{"return_features": True}``.
    at_once:
        Clips in one pass; changes memory and time, not values.

    References
    ----------
    Carreira and Zisserman 2017, arXiv:1705.07750 (I3D).
    """

    citation = "a network given as a file"

    def __init__(
        self,
        path: str | Path,
        window: tuple[float, float],
        *,
        frames: int = CLIP_FRAMES,
        size: int = 224,
        scale: tuple[float, float] = (-1.0, 1.0),
        flags: Mapping[str, bool] | None = None,
        at_once: int = 4,
    ) -> None:
        if min(frames, size, at_once) < 1:
            raise InputError("positive frames, size and at_once", came=f"{frames, size, at_once}")
        self.path = Path(path)
        self.window = check_window(window)
        self.frames = frames
        self.size = size
        self.scale = check_window(scale, "scale")
        self.flags = dict(flags or {})
        self.at_once = at_once
        self.name = self.path.stem  # type: ignore[misc]

    @cached_property
    def network(self) -> torch.jit.ScriptModule:
        """That of the file; InputError without it."""
        return scripted_network(self.path, _REMEDY)

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, frames, *space)`` in physical units to ``(batch, feature)`` float64."""
        clips, spread = checked_sequences(images, mask, one_channel=True)
        if clips.shape[2] != self.frames:
            raise InputError(
                f"clips of {self.frames} frames",
                came=clips.shape[2],
                remedy="cut them with clips_of, or set frames if the network takes others",
            )
        low, high = self.window
        scaled = ((clips - low) / (high - low)).clamp(0, 1)
        if spread is not None:
            scaled = scaled * spread
        with torch.inference_mode():
            found = [self._of_plane(plane) for plane in central_planes(scaled)]
        return torch.stack(found).mean(0).clone()

    def _of_plane(self, clips: Tensor) -> Tensor:
        network = self.network.to(clips.device)
        low, high = self.scale
        parts = []
        for few in torch.split(clips.float(), self.at_once):
            frames = few.transpose(1, 2).flatten(0, 1)
            sized = functional.interpolate(
                frames, size=(self.size,) * 2, mode="bilinear", align_corners=False, antialias=True
            )
            ready = sized.reshape(len(few), 1, self.frames, self.size, self.size)
            ready = (low + (high - low) * ready).expand(-1, 3, -1, -1, -1)
            found = torch.as_tensor(network(ready, **self.flags))
            found = found.mean((2, 3, 4)) if found.ndim == 5 else found
            if found.ndim != 2 or len(found) != len(few):
                raise InputError(
                    f"features of shape ({len(few)}, feature) from the network",
                    came=f"shape {tuple(found.shape)}",
                    remedy="export the network up to its pooled features",
                )
            parts.append(found.cpu().double())
        return torch.cat(parts)
