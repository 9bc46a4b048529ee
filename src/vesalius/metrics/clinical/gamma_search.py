"""The search for a dose close in value and place, for many points at once."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

ROUNDING = 1e-9
"""Part of a tolerance by which a point may miss it and pass: 103 % of a dose are within 3 %."""

POSITIONS_AT_ONCE = 256
POINTS_AT_ONCE = 20_000


@dataclass(frozen=True)
class GammaSearch:
    """Looks for a point's dose at positions within ``distance_mm``, nearest first.

    Positions divide the voxel, so that every voxel centre is one of them; the dose there is linear
    in each axis. Beyond the image's border its value is repeated, which lets no point pass that
    does not pass at the border, since that is nearer.

    Three things make it quick, and none changes a result: a point is dropped when it passes; a
    point whose dose is not between the least and the largest of its surroundings fails at once;
    and the doses of all positions are one matrix product of the surroundings' voxels.
    """

    spacing_mm: tuple[float, ...]
    distance_mm: float
    steps: int

    def n_failed(
        self, predicted: Tensor, reference: Tensor, judged: Tensor, tolerance_gy: Tensor
    ) -> int:
        """Count the judged points with gamma above 1. All ``(*space)``; doses float64."""
        failing = judged & ((predicted - reference).abs() > tolerance_gy * (1 + ROUNDING))
        if not bool(failing.any()):
            return 0
        divisions, reach = self._divisions()
        around = [math.ceil(m / n) for m, n in zip(reach, divisions, strict=True)]
        padded = _padded(predicted, around)
        low, high = -_largest_around(-padded, around), _largest_around(padded, around)
        slack = tolerance_gy * (1 + ROUNDING)
        hopeless = failing & ((reference + slack < low) | (reference - slack > high))
        points = (failing & ~hopeless).nonzero()
        weights, squared = self._positions(divisions, reach, around, predicted.device)
        failed = int(hopeless.sum())
        for some in torch.split(points, POINTS_AT_ONCE):
            patches = _patches(padded, some, around)
            where = tuple(some.unbind(dim=1))
            failed += _n_without(patches, reference[where], slack[where], weights, squared)
        return failed

    def _divisions(self) -> tuple[list[int], list[int]]:
        """Per axis, the number of steps to a voxel and the number that reach ``distance_mm``."""
        divisions = [
            max(1, math.ceil(size * self.steps / self.distance_mm - ROUNDING))
            for size in self.spacing_mm
        ]
        reach = [
            math.floor(self.distance_mm * n / size + ROUNDING)
            for n, size in zip(divisions, self.spacing_mm, strict=True)
        ]
        return divisions, reach

    def _positions(
        self, divisions: list[int], reach: list[int], around: list[int], device: torch.device
    ) -> tuple[Tensor, Tensor]:
        """Weights ``(voxel, position)`` and squared distances as parts of ``distance_mm``²."""
        steps = [torch.arange(-m, m + 1, dtype=torch.float64, device=device) for m in reach]
        places_mm = [
            step * size / n for step, size, n in zip(steps, self.spacing_mm, divisions, strict=True)
        ]
        grid = torch.meshgrid(*places_mm, indexing="ij")
        squared = (torch.stack(grid).square().sum(dim=0) / self.distance_mm**2).flatten()
        nearest_first = squared.argsort(stable=True)
        nearest_first = nearest_first[squared[nearest_first] <= 1 + ROUNDING]
        # linear interpolation: a voxel weighs 1 minus its distance in voxels, down to zero
        per_axis = []
        for step, n, k in zip(steps, divisions, around, strict=True):
            voxels = torch.arange(-k, k + 1, dtype=torch.float64, device=device)
            per_axis.append((1 - (voxels[:, None] - step[None, :] / n).abs()).clamp(min=0))
        chosen = torch.unravel_index(nearest_first, grid[0].shape)
        weights = squared.new_ones(1, len(nearest_first))
        for matrix, index in zip(per_axis, chosen, strict=True):
            weights = (weights[:, None] * matrix[:, index][None]).flatten(0, 1)
        return weights, squared[nearest_first]


def _n_without(
    patches: Tensor, reference: Tensor, slack: Tensor, weights: Tensor, squared: Tensor
) -> int:
    """Count the points ``(n, voxel)`` for which no position is close enough."""
    for first in range(0, len(squared), POSITIONS_AT_ONCE):
        if not len(patches):
            break
        some = slice(first, first + POSITIONS_AT_ONCE)
        used = (weights[:, some] > 0).any(dim=1)
        dose = patches[:, used] @ weights[used, some]
        room = (1 - squared[some]).clamp(min=0).sqrt()
        close = (dose - reference[:, None]).abs() <= slack[:, None] * room
        left = ~close.any(dim=1)
        patches, reference, slack = patches[left], reference[left], slack[left]
    return len(patches)


def _padded(image: Tensor, around: list[int]) -> Tensor:
    """``image`` with its border repeated ``around`` times on each side."""
    for axis, k in enumerate(around):
        n = image.shape[axis]
        index = torch.arange(-k, n + k, device=image.device).clamp(0, n - 1)
        image = image.index_select(axis, index)
    return image.contiguous()


def _largest_around(padded: Tensor, around: list[int]) -> Tensor:
    """Largest value within ``around`` voxels, of the size before padding."""
    pool = functional.max_pool2d if padded.ndim == 2 else functional.max_pool3d
    return pool(padded[None, None], [2 * k + 1 for k in around], stride=1)[0, 0]


def _patches(padded: Tensor, points: Tensor, around: list[int]) -> Tensor:
    """Surroundings ``(n, voxel)`` of voxels ``(n, axis)``, the last axis fastest."""
    strides = torch.tensor(padded.stride(), device=padded.device)
    offsets = torch.tensor(
        list(itertools.product(*(range(2 * k + 1) for k in around))), device=padded.device
    )
    first, further = (points * strides).sum(dim=1), (offsets * strides).sum(dim=1)
    return padded.flatten()[first[:, None] + further]
