"""Pixel metrics that a user names, and those that images are large enough for."""

from __future__ import annotations

from collections.abc import Sequence

from vesalius.core.errors import InputError
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import FSIM, GMSD, IWSSIM, MSSSIM, SSIM, UQI, VIF, pixel_metrics
from vesalius.metrics.pixel.fsim import SMALLEST_SIZE
from vesalius.runner.scene import Scene

ALL = "all"


def by_name(
    names: Sequence[str], beside: Sequence[CaseMetric], scene: Scene
) -> tuple[CaseMetric, ...]:
    """The metrics of these names but those ``beside``; InputError for a name that none has."""
    known = {
        metric.name: metric
        for metric in pixel_metrics(scene.value_range, scene.unit, voxels=min(scene.space))
    }
    unknown = [name for name in names if name not in (ALL, *known)]
    if unknown:
        raise InputError(
            f"metrics among {', '.join(known)}, or {ALL}",
            came=", ".join(unknown),
            remedy="others need more than two images; see a protocol or vesalius.metrics",
        )
    wanted = known if ALL in names else names
    there = {metric.name for metric in beside}
    return tuple(known[name] for name in dict.fromkeys(wanted) if name not in there)


def needed_voxels(metric: CaseMetric) -> int:
    """Voxels that ``metric`` needs along every axis of an image."""
    if isinstance(metric, MSSSIM | IWSSIM | VIF):
        return metric.smallest_size
    if isinstance(metric, SSIM | UQI):
        return metric.window.size
    if isinstance(metric, FSIM):
        return SMALLEST_SIZE
    return 6 if isinstance(metric, GMSD) else 1


def fitting(
    metrics: tuple[CaseMetric, ...], scene: Scene
) -> tuple[tuple[CaseMetric, ...], tuple[str, ...]]:
    """The metrics that the images are large enough for, and remarks on those left out."""
    voxels = min(scene.space)
    remarks = tuple(
        f"{metric.name} needs {needed_voxels(metric)} voxels along every axis: left out."
        for metric in metrics
        if needed_voxels(metric) > voxels
    )
    return tuple(metric for metric in metrics if needed_voxels(metric) <= voxels), remarks
