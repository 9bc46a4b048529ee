"""Distances between the surfaces of two regions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import check_positive

Distances = NDArray[np.float64]


def check_spacing(spacing_mm: tuple[float, ...], space: tuple[int, ...]) -> None:
    """Raise InputError unless there is one positive voxel size for every axis of space."""
    check_positive("spacing_mm", *spacing_mm)
    if len(spacing_mm) != len(space):
        raise InputError(
            f"{len(space)} voxel sizes for images of {len(space)} axes", came=repr(spacing_mm)
        )


def surface_distances(
    predicted: Tensor, reference: Tensor, spacing_mm: tuple[float, ...]
) -> tuple[Distances, Distances]:
    """Distance in mm of each surface voxel of a region to the other region's surface.

    ``predicted``, ``reference``: bool regions ``(*space)``, neither empty. A surface voxel is one
    that has a face neighbour outside the region or lies at the image's border. Returns the
    distances from predicted to reference and from reference to predicted.
    """
    from scipy.ndimage import distance_transform_edt

    found, truth = predicted.cpu().numpy(), reference.cpu().numpy()
    box = _box(found | truth)  # distances between surfaces do not change by cutting the rest off
    found_surface, truth_surface = _surface(found[box]), _surface(truth[box])
    to_truth = distance_transform_edt(~truth_surface, sampling=spacing_mm)
    to_found = distance_transform_edt(~found_surface, sampling=spacing_mm)
    return to_truth[found_surface], to_found[truth_surface]


def diagonal_mm(space: tuple[int, ...], spacing_mm: tuple[float, ...]) -> float:
    """Measure the image from corner to corner, the longest distance in it, in mm."""
    return math.hypot(*(size * n for size, n in zip(spacing_mm, space, strict=True)))


def _box(region: NDArray[np.bool_]) -> tuple[slice, ...]:
    hits = (np.unique(indices) for indices in region.nonzero())
    return tuple(slice(int(hit[0]), int(hit[-1]) + 1) for hit in hits)


def _surface(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    from scipy.ndimage import binary_erosion

    inner: NDArray[np.bool_] = np.asarray(binary_erosion(region), dtype=bool)
    return region & ~inner
