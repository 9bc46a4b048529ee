"""Dense displacement by iterated least squares in windows, from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.video.flow import Flow, checked_pair, warped

_COARSEST = 5
"""Least size of the coarsest frame in radii: a window that sees all moves what stands still."""


@dataclass(frozen=True)
class LucasKanade(Flow):
    """Pyramidal iterative Lucas-Kanade displacement of whole frames, 2D or 3D, in batches.

    In the window around each voxel one displacement is sought that brings the later frame onto the
    earlier one; the pyramid of halved frames carries motions larger than the window. Where nothing
    tells (no gradient) the coarser level's answer is kept, and at the coarsest nothing moves.
    Unchanged when intensities are scaled or shifted; exactly zero between equal frames.

    Parameters
    ----------
    radius:
        Of the window, in voxels.
    iterations:
        At each level.
    levels:
        Halvings at most; frames are not halved below 5 radii.
    damping:
        Part of the mean squared gradient that is added so that flat windows have an answer.

    References
    ----------
    Lucas and Kanade 1981, IJCAI, 674; pyramid of Bouguet 2001, Intel; dense iteration of
    Le Besnerais and Champagnat 2005, IEEE ICIP, doi:10.1109/ICIP.2005.1529706.
    """

    citation: ClassVar[str] = "Lucas and Kanade 1981, IJCAI, 674 (pyramidal, dense)"

    radius: int = 5
    iterations: int = 4
    levels: int = 4
    damping: float = 1e-3

    def __post_init__(self) -> None:
        if min(self.radius, self.iterations, self.levels + 1) < 1 or self.damping <= 0:
            raise InputError(
                "positive radius, iterations and damping, and levels of 0 or more",
                came=f"{self.radius}, {self.iterations}, {self.damping:g} and {self.levels}",
            )

    @property
    def name(self) -> str:
        """The default's name is ``lucas_kanade``; others say how they differ."""
        if self == LucasKanade():
            return "lucas_kanade"
        settings = (self.radius, self.iterations, self.levels, self.damping)
        return "lucas_kanade_" + "_".join(f"{value:g}" for value in settings)

    def displacement(self, before: Tensor, after: Tensor) -> Tensor:
        """See :class:`Flow`; float32 inside, at least 4 voxels along every axis."""
        checked_pair(before, after, least_size=4)
        low = torch.minimum(before, after).flatten(1).amin(1)
        span = torch.maximum(before, after).flatten(1).amax(1) - low
        shape = (-1, *[1] * (before.ndim - 1))
        scale = torch.where(span > 0, span, 1).reshape(shape)
        pyramid = [tuple(((x - low.reshape(shape)) / scale).float() for x in (before, after))]
        while len(pyramid) <= self.levels and (
            min(pyramid[-1][0].shape[1:]) >= 2 * _COARSEST * self.radius
        ):
            pyramid.append(tuple(_halved(x) for x in pyramid[-1]))
        coarsest = pyramid[-1][0]
        found = coarsest.new_zeros(len(coarsest), coarsest.ndim - 1, *coarsest.shape[1:])
        for earlier, later in reversed(pyramid):
            found = _resized(found, tuple(earlier.shape[1:]))
            for _ in range(self.iterations):
                found = self._improved(earlier, later, found)
        # interpolation at whole voxels is off by a rounding: equal frames say exactly zero
        alike = (before == after).flatten(1).all(dim=1)
        found = found.masked_fill(alike.reshape(-1, *[1] * (found.ndim - 1)), 0)
        return found.to(before.dtype if before.is_floating_point() else torch.float32)

    def _improved(self, before: Tensor, after: Tensor, found: Tensor) -> Tensor:
        """The displacement that is best in each window, linearised at each voxel's own one."""
        brought = warped(after, found)
        slope = _gradient((before + brought) / 2)
        wanted = (slope * found).sum(1) + before - brought
        axes = range(slope.shape[1])
        energy = slope.square().sum(1).flatten(1).mean(1)
        damping = self.damping * energy.reshape(-1, *[1] * (before.ndim - 1)) + 1e-12
        matrix = [[self._window(slope[:, i] * slope[:, j]) if i <= j else slope for j in axes]
                  for i in axes]  # fmt: skip
        right = [self._window(slope[:, i] * wanted) + damping * found[:, i] for i in axes]
        for i in axes:
            matrix[i][i] = matrix[i][i] + damping
            for j in range(i):
                matrix[i][j] = matrix[j][i]
        return torch.stack(_solved(matrix, right), dim=1)

    def _window(self, values: Tensor) -> Tensor:
        """The mean over the window, its part outside left out; ``(n, *space)``."""
        for axis in range(1, values.ndim):
            place = torch.arange(values.shape[axis], device=values.device)
            near = ((place[:, None] - place).abs() <= self.radius).to(values)
            # as products of matrices, which are quicker than pooling windows of this size
            mean = near / near.sum(1, keepdim=True)
            values = (values.movedim(axis, -1) @ mean.T).movedim(-1, axis)
        return values


def _solved(matrix: list[list[Tensor]], right: list[Tensor]) -> list[Tensor]:
    """Solve a small symmetric positive system at every voxel, by elimination."""
    matrix = [list(row) for row in matrix]
    right = list(right)
    n = len(right)
    for i in range(n):
        for k in range(i + 1, n):
            factor = matrix[k][i] / matrix[i][i]
            matrix[k] = [matrix[k][j] - factor * matrix[i][j] for j in range(n)]
            right[k] = right[k] - factor * right[i]
    found: list[Tensor] = []
    for i in reversed(range(n)):
        known = sum((matrix[i][j] * found[n - 1 - j] for j in range(i + 1, n)),
                    torch.zeros_like(right[i]))  # fmt: skip
        found.append((right[i] - known) / matrix[i][i])
    return found[::-1]


def _gradient(images: Tensor) -> Tensor:
    """Central differences, one-sided at the border, ``(n, *space)`` to ``(n, axis, *space)``."""
    axes = tuple(range(1, images.ndim))
    return torch.stack(list(torch.gradient(images, dim=axes)), dim=1)


def _halved(images: Tensor) -> Tensor:
    """Half as many voxels along every axis, by the mean of neighbours."""
    size = tuple(max(1, length // 2) for length in images.shape[1:])
    return functional.interpolate(images[:, None], size=size, mode="area")[:, 0]


def _resized(displacement: Tensor, space: tuple[int, ...]) -> Tensor:
    """Displacements of a coarser frame on a finer one, in the finer one's voxels."""
    old = tuple(displacement.shape[2:])
    if old == space:
        return displacement
    mode = "bilinear" if len(space) == 2 else "trilinear"
    finer = functional.interpolate(displacement, size=space, mode=mode, align_corners=False)
    ratio = finer.new_tensor([new / before for new, before in zip(space, old, strict=True)])
    return finer * ratio.reshape(1, -1, *[1] * len(space))
