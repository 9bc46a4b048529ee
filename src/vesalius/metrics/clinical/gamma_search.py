"""The search for a dose close in value and place, for many points at once."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import torch
from torch import Tensor

ROUNDING = 1e-9
"""Part of a tolerance by which a point may miss it and pass: 103 % of a dose are within 3 %."""

BOXES_PER_DISTANCE = 2
POINTS_AT_ONCE = 10_000


@dataclass(frozen=True)
class GammaSearch:
    """Looks for a point's dose at positions within ``distance_mm``, nearest first.

    Positions divide the voxel, so that every voxel centre is one of them; the dose there is linear
    in each axis. Beyond the image's border its value is repeated, which lets no point pass that
    does not pass at the border, since that is nearer.

    Two things make it quick, and neither changes a result. Positions are put into small boxes, and
    a point is spared those in which the dose comes nowhere near: the dose is linear in each axis
    between voxels, so that its extremes in a box within a voxel's cell are at the box's corners.
    And the doses of many positions are one matrix product with the voxels around the points.
    """

    spacing_mm: tuple[float, ...]
    distance_mm: float
    steps: int

    def n_failed(
        self, predicted: Tensor, reference: Tensor, judged: Tensor, tolerance_gy: Tensor
    ) -> int:
        """Count the judged points with gamma above 1. All ``(*space)``; doses float64."""
        slack = tolerance_gy * (1 + ROUNDING)
        points = (judged & ((predicted - reference).abs() > slack)).nonzero()
        if not len(points):
            return 0
        around = [math.ceil(self.distance_mm / size - ROUNDING) for size in self.spacing_mm]
        padded = _padded(predicted, around)
        boxes = self._boxes(around, predicted.device)
        failed = 0
        for some in torch.split(points, POINTS_AT_ONCE):
            where = tuple(some.unbind(dim=1))
            patches = _patches(padded, some, around)
            failed += boxes.n_without(patches, reference[where], slack[where])
        return failed

    def _boxes(self, around: list[int], device: torch.device) -> _Boxes:
        squared, places = self._positions(device)
        planes = [self._planes(size, device) for size in self.spacing_mm]
        box = torch.zeros(len(places), dtype=torch.int64, device=device)
        for axis, of_axis in enumerate(planes):
            along = torch.searchsorted(of_axis, places[:, axis].contiguous(), right=True) - 1
            along = along.clamp(0, len(of_axis) - 2)
            box = box * (len(of_axis) - 1) + along
        members = [(box == index).nonzero().flatten() for index in sorted(set(box.tolist()))]
        members.sort(key=lambda inside: int(inside[0]))  # positions are in order of distance
        room = (1 - squared).clamp(min=0).sqrt()
        return _Boxes(
            corners=tuple(_hats(*pair) for pair in zip(planes, around, strict=True)),
            indices=torch.stack([box[inside[0]] for inside in members]),
            rooms=tuple(room[inside] for inside in members),
            weights=tuple(_weights(places[inside], around) for inside in members),
        )

    def _planes(self, size: float, device: torch.device) -> Tensor:
        """Where boxes meet along an axis, in voxels: at every voxel, and in between."""
        reach = self.distance_mm / size
        whole = math.floor(reach)
        hard = sorted({-reach, *map(float, range(-whole, whole + 1)), reach})
        found = [hard[0]]
        for low, high in itertools.pairwise(hard):
            parts = math.ceil((high - low) / reach * BOXES_PER_DISTANCE - ROUNDING)
            found += [low + (high - low) * k / parts for k in range(1, parts)] + [high]
        return torch.tensor(found, dtype=torch.float64, device=device)

    def _positions(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Squared distances as parts of ``distance_mm``², and places in voxels, nearest first."""
        places = []
        for size in self.spacing_mm:
            n = max(1, math.ceil(size * self.steps / self.distance_mm - ROUNDING))
            reach = math.floor(self.distance_mm * n / size + ROUNDING)
            places.append(torch.arange(-reach, reach + 1, dtype=torch.float64, device=device) / n)
        grid = torch.stack(torch.meshgrid(*places, indexing="ij"), dim=-1).flatten(0, -2)
        sizes = torch.tensor(self.spacing_mm, dtype=torch.float64, device=device)
        squared = (grid * sizes / self.distance_mm).square().sum(dim=1)
        nearest_first = squared.argsort(stable=True)
        nearest_first = nearest_first[squared[nearest_first] <= 1 + ROUNDING]
        return squared[nearest_first], grid[nearest_first]


@dataclass(frozen=True)
class _Boxes:
    """Positions around a point in boxes, nearest first.

    ``corners`` are the interpolation weights of each axis, ``(voxel, corner)``, for the lattice
    that the boxes' corners form, and ``indices`` the places of the boxes in it. For each box,
    ``weights`` are those of its positions, ``(voxel, position)``, and ``rooms`` the parts of the
    tolerance that are left there.
    """

    corners: tuple[Tensor, ...]
    indices: Tensor
    rooms: tuple[Tensor, ...]
    weights: tuple[Tensor, ...]

    def n_without(self, patches: Tensor, reference: Tensor, slack: Tensor) -> int:
        """Count the points ``(n, voxel)`` for which no position is close enough."""
        low, high = self._extremes(patches)
        most = torch.stack([room.max() for room in self.rooms])
        margin = most[:, None] * slack + ROUNDING * reference.abs()
        near = (low <= reference + margin) & (high >= reference - margin)
        left = torch.ones_like(reference, dtype=torch.bool)
        for box, (weights, room) in enumerate(zip(self.weights, self.rooms, strict=True)):
            points = (near[box] & left).nonzero().flatten()
            used = (weights > 0).any(dim=1)
            dose = patches[points][:, used] @ weights[used]
            close = (dose - reference[points, None]).abs() <= slack[points, None] * room
            left[points[close.any(dim=1)]] = False
        return int(left.sum())

    def _extremes(self, patches: Tensor) -> tuple[Tensor, Tensor]:
        """Least and largest dose in each box, ``(box, n)``."""
        dose = patches.T.reshape(*(len(of_axis) for of_axis in self.corners), -1)
        for axis, of_axis in enumerate(self.corners):
            dose = torch.tensordot(of_axis.T, dose, dims=([1], [axis])).movedim(0, axis)
        low = high = dose
        for axis, of_axis in enumerate(self.corners):
            n = of_axis.shape[1] - 1
            low = torch.minimum(low.narrow(axis, 0, n), low.narrow(axis, 1, n))
            high = torch.maximum(high.narrow(axis, 0, n), high.narrow(axis, 1, n))
        return low.flatten(0, -2)[self.indices], high.flatten(0, -2)[self.indices]


def _weights(places: Tensor, around: list[int]) -> Tensor:
    """Linear interpolation at places ``(position, axis)``, ``(voxel, position)``."""
    weights = places.new_ones(1, len(places))
    for axis, k in enumerate(around):
        weights = (weights[:, None] * _hats(places[:, axis], k)[None]).flatten(0, 1)
    return weights


def _hats(places: Tensor, around: int) -> Tensor:
    """``(voxel, place)`` along one axis: 1 minus the distance in voxels, down to zero."""
    voxels = torch.arange(-around, around + 1, dtype=places.dtype, device=places.device)
    return (1 - (voxels[:, None] - places).abs()).clamp(min=0)


def _padded(image: Tensor, around: list[int]) -> Tensor:
    """``image`` with its border repeated ``around`` times on each side."""
    for axis, k in enumerate(around):
        n = image.shape[axis]
        index = torch.arange(-k, n + k, device=image.device).clamp(0, n - 1)
        image = image.index_select(axis, index)
    return image.contiguous()


def _patches(padded: Tensor, points: Tensor, around: list[int]) -> Tensor:
    """Surroundings ``(n, voxel)`` of voxels ``(n, axis)``, the last axis fastest."""
    strides = torch.tensor(padded.stride(), device=padded.device)
    offsets = torch.tensor(
        list(itertools.product(*(range(2 * k + 1) for k in around))), device=padded.device
    )
    first, further = (points * strides).sum(dim=1), (offsets * strides).sum(dim=1)
    return padded.flatten()[first[:, None] + further]
