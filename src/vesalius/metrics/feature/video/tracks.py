"""Points followed through a sequence by chaining displacements."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.metrics.feature.video.flow import Flow, sampled


def grid_points(space: tuple[int, int], points: int, margin: float) -> Tensor:
    """A grid of ``points`` x ``points``, ``margin`` pixels off the border, ``(points², 2)``."""
    axes = [
        torch.linspace(margin, length - 1 - margin, points, dtype=torch.float64) for length in space
    ]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).reshape(-1, 2)


def tracked(frames: Tensor, points: Tensor, flow: Flow) -> Tensor:
    """Where points of the first frame go, ``(time, point, axis)`` float64, in voxels.

    ``frames``: ``(time, *space)``; ``points``: ``(point, axis)`` in the first frame. Each step adds
    the displacement at the point's present place, so errors add up too; points that leave the frame
    move on as its border does.
    """
    steps = flow.of_sequence(frames).double()
    places = [points.to(steps)]
    for step in steps:
        moved = sampled(step[None], places[-1][None])[0]
        places.append(places[-1] + moved.T)
    return torch.stack(places)
