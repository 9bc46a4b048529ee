"""How points of a clip move, as histograms of the direction of velocity and acceleration."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.video.flow import Flow
from vesalius.metrics.feature.video.lucas_kanade import LucasKanade
from vesalius.metrics.feature.video.sequences import (
    CLIP_FRAMES,
    central_planes,
    checked_sequences,
)
from vesalius.metrics.feature.video.tracks import grid_points, tracked
from vesalius.metrics.metric import Extractor

#: Of the frames that are tracked, as FVMD has them: pixels a side, points a side, border in pixels.
SIZE, POINTS, MARGIN = 256, 20, 8
#: Of the histograms: points a side and frames of a cell, directions, largest speed in pixels.
CELL, BLOCK, ANGLES, LARGEST = 5, 4, 8, 255


class MotionHistograms(Extractor):
    """Velocity and acceleration of a tracked 20 x 20 grid, in cells, by 8 directions.

    Frames are resized to 256 x 256; the grid of the first frame is followed through at most 16
    frames. Velocity is the step of a point between frames, zero in the first; acceleration the
    step of its velocity, zero in the first two. In each cell of 5 x 5 points and 4 frames a
    histogram of direction is made, weighted by ``log2(1 + pixels) / 8``; points that start outside
    the mask do not count, frames beyond the last whole four count with those. For 16 frames there
    are 2 x 4 x 16 x 8 = 1024 features. Volumes are seen
    in 2.5D: the mean over the central slices of the three planes.

    Deviates from FVMD in the tracker (PIPs++ there), which is in the name, and, unless ``weight``
    is "rounded_up", in that weights are not rounded up to a whole logarithm: where motion is a
    part of a pixel, as in most medical sequences, rounding makes all motions one.

    Parameters
    ----------
    flow:
        Tracks points by chained displacements.
    weight:
        "smooth", or "rounded_up" as FVMD has it, which then is in the name.

    References
    ----------
    Liu et al. 2024, arXiv:2407.16124.
    """

    citation = "after Liu et al. 2024, arXiv:2407.16124 (FVMD)"

    def __init__(
        self, flow: Flow | None = None, *, weight: Literal["smooth", "rounded_up"] = "smooth"
    ) -> None:
        if weight not in ("smooth", "rounded_up"):
            raise InputError("a weight 'smooth' or 'rounded_up'", came=repr(weight))
        self.flow = LucasKanade() if flow is None else flow
        self.weight = weight
        rounded = "" if weight == "smooth" else "_rounded_up"
        self.name = f"motion_{self.flow.name}{rounded}"  # type: ignore[misc]

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, time, *space)`` with 3 to 16 frames to ``(batch, feature)`` float64."""
        clips, spread = checked_sequences(images, mask, least_frames=3, one_channel=True)
        if clips.shape[2] > CLIP_FRAMES:
            raise InputError(
                f"clips of at most {CLIP_FRAMES} frames",
                came=clips.shape[2],
                remedy="cut them with clips_of",
            )
        planes = central_planes(clips)
        masks = [None] * len(planes) if spread is None else central_planes(spread)
        found = [
            torch.stack([
                self._of_clip(clip[0], None if inside is None else inside[number, 0, 0])
                for number, clip in enumerate(plane)
            ])
            for plane, inside in zip(planes, masks, strict=True)
        ]  # fmt: skip
        return torch.stack(found).mean(0)

    def _of_clip(self, frames: Tensor, mask: Tensor | None) -> Tensor:
        """``(time, height, width)`` to ``(feature,)``."""
        sized = functional.interpolate(
            frames[:, None], size=(SIZE, SIZE), mode="bilinear", align_corners=False, antialias=True
        )[:, 0]
        points = grid_points((SIZE, SIZE), POINTS, MARGIN).to(frames.device)
        places = tracked(sized, points, self.flow)
        velocity = torch.zeros_like(places)
        velocity[1:] = places.diff(dim=0)
        acceleration = torch.zeros_like(places)
        acceleration[2:] = velocity[1:].diff(dim=0)
        counts = torch.ones(len(points), dtype=torch.bool, device=frames.device)
        if mask is not None:
            rows, columns = (
                (points.T + 0.5) / SIZE * points.new_tensor(mask.shape)[:, None]
            ).long()
            counts = mask[rows, columns]
        parts = [self._histograms(moved, counts) for moved in (velocity, acceleration)]
        return torch.cat(parts).cpu()

    def _histograms(self, moved: Tensor, counts: Tensor) -> Tensor:
        """``(time, point, axis)`` to histograms of all cells, one after another."""
        length = torch.log2(moved.norm(dim=-1).clamp(max=LARGEST) + 1)
        weight = (length.ceil() if self.weight == "rounded_up" else length) / math.log2(1 + LARGEST)
        weight = weight * counts
        turn = torch.atan2(moved[..., 0], moved[..., 1]) + math.pi
        direction = (turn / (2 * math.pi / ANGLES)).long().clamp(max=ANGLES - 1)
        blocks = max(1, len(moved) // BLOCK)
        block = (torch.arange(len(moved), device=moved.device) // BLOCK).clamp(max=blocks - 1)
        point = torch.arange(POINTS**2, device=moved.device)
        cells = POINTS // CELL
        cell = point // POINTS // CELL * cells + point % POINTS // CELL
        place = (block[:, None] * cells**2 + cell) * ANGLES + direction
        found = weight.new_zeros(blocks * cells**2 * ANGLES)
        return found.index_add_(0, place.flatten(), weight.flatten())
