"""The window within which structural similarity compares two images."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import check_positive


def _check_size(size: int) -> None:
    if size < 3 or size % 2 == 0:
        raise InputError("an odd window size of at least 3", came=repr(size))


@dataclass(frozen=True)
class UniformWindow:
    """Equal weights, as scikit-image and fastMRI have it.

    ``sample_covariance`` divides second moments by n - 1, for n voxels in the window.
    """

    size: int = 7
    sample_covariance: bool = True

    def __post_init__(self) -> None:
        _check_size(self.size)

    def taps(self) -> Tensor:
        """Return the weights along one axis, ``(size,)`` float64, sum 1."""
        return torch.full((self.size,), 1 / self.size, dtype=torch.float64)


@dataclass(frozen=True)
class GaussianWindow:
    """Gaussian weights, as Wang et al. (2004) have it: sigma 1.5 voxels over 11 taps."""

    sigma: float = 1.5
    size: int = 11
    sample_covariance: bool = False

    def __post_init__(self) -> None:
        _check_size(self.size)
        check_positive("sigma", self.sigma)

    def taps(self) -> Tensor:
        """Return the weights along one axis, ``(size,)`` float64, sum 1."""
        radius = self.size // 2
        weights = [math.exp(-0.5 * (k / self.sigma) ** 2) for k in range(-radius, radius + 1)]
        taps = torch.tensor(weights, dtype=torch.float64)
        return taps / taps.sum()


Window = UniformWindow | GaussianWindow


def window_axes(ndim: int, slice_axis: int | None) -> tuple[int, ...]:
    """Axes of a tensor ``(batch, channel, *space)`` along which a window lies."""
    axes = tuple(range(2, ndim))
    if slice_axis is not None and ndim == 5:
        axes = tuple(axis for axis in axes if axis != 2 + slice_axis)
    return axes


def averaged(images: Tensor, taps: Tensor, axes: tuple[int, ...], *, step: int = 1) -> Tensor:
    """Weighted sums of ``images`` in a window along ``axes``, where the window lies inside.

    Each axis of ``axes`` becomes shorter by ``len(taps) - 1``; then every ``step``-th voxel of
    it is kept.
    """
    weights = taps.tolist()
    for axis in axes:
        length = (images.shape[axis] - len(weights)) // step + 1
        reach = (length - 1) * step + 1
        total = torch.zeros_like(images.narrow(axis, 0, length))
        for start, weight in enumerate(weights):
            part = images.narrow(axis, start, reach)
            if step > 1:
                part = part[(slice(None),) * axis + (slice(None, None, step),)]
            total.add_(part, alpha=weight)
        images = total
    return images


def mirrored(images: Tensor, radius: int, axes: tuple[int, ...]) -> Tensor:
    """``images`` with ``radius`` more voxels at both ends of ``axes``: d c b a | a b c d | d c b a.

    That is scipy's "reflect" and NumPy's "symmetric"; torch has no such padding.
    """
    for axis in axes:
        size = images.shape[axis]
        index = torch.arange(-radius, size + radius, device=images.device) % (2 * size)
        images = images.index_select(axis, torch.where(index < size, index, 2 * size - 1 - index))
    return images
