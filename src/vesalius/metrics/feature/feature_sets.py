"""What every comparison of two sets of features asks of them, and one scale for both."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.metric import Extractor, Metric, SetMetric


def checked_sets(generated: Tensor, real: Tensor, *, least: int = 2) -> tuple[Tensor, Tensor]:
    """Both sets as float64 ``(n, feature)``; InputError for too few cases, other widths, NaN."""
    for name, features in (("generated", generated), ("real", real)):
        if features.ndim != 2 or features.shape[1] == 0:
            raise InputError(
                "features of shape (n, feature)",
                came=f"shape {tuple(features.shape)}",
                case=f"the {name} set",
            )
        if len(features) < least:
            raise InputError(
                f"at least {least} cases",
                came=len(features),
                case=f"the {name} set",
                remedy="give more images",
            )
        bad = (~torch.isfinite(features)).any(1).nonzero()
        if len(bad):
            raise InputError(
                "finite features",
                came="NaN or infinity",
                case=f"case {int(bad[0])} of the {name} set",
            )
    if generated.shape[1] != real.shape[1]:
        raise InputError(
            f"generated features as many as real ones, {real.shape[1]}",
            came=generated.shape[1],
            remedy="use one extractor for both sets",
        )
    return generated.detach().double(), real.detach().double()


def standardised(generated: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
    """Both sets z-scored by the mean and standard deviation of the real one, ``(n, kept feature)``.

    A feature that never varies in the real set has no z-score of its own: it is scaled by the
    spread of both sets together, so that a difference still counts. What varies in neither set and
    agrees is dropped; InputError if nothing is left.
    """
    generated, real = checked_sets(generated, real)
    together = torch.cat([generated, real])
    # rounding leaves a constant feature a spread of about eps times its size
    least = 1e-10 * together.abs().amax(0)
    own, pooled = real.std(0), together.std(0)
    scale = torch.where(own > least, own, pooled)
    kept = scale > least
    if not kept.any():
        raise InputError(
            "features that vary", came=f"{real.shape[1]} features constant in both sets"
        )
    mean = real.mean(0)
    mean, scale = mean[kept], scale[kept]
    return (generated[:, kept] - mean) / scale, (real[:, kept] - mean) / scale


class Standardised(SetMetric):
    """Another metric on features z-scored by the real set.

    Kernels and distances between features of different units (radiomics) are ruled by the largest
    one unless they are brought to one scale first. Its name is the inner one's with "z_" before it.
    """

    level: ClassVar = "feature"

    def __init__(self, metric: SetMetric) -> None:
        self.metric = metric
        self.name = f"z_{metric.name}"  # type: ignore[misc]
        self.direction = metric.direction  # type: ignore[misc]
        self.citation = metric.citation  # type: ignore[misc]
        self.bounds = metric.bounds  # type: ignore[misc]

    @property
    def unit(self) -> str:
        """The inner metric's."""
        return self.metric.unit

    def value(self, generated: Tensor, real: Tensor) -> float:
        """Value of the inner metric on standardised features."""
        return self.metric.value(*standardised(generated, real))


def named(metric: Metric, extractor: Extractor) -> str:
    """Name a number after the metric and, in brackets, its features: ``kid[radiomics]``."""
    return f"{metric.name}[{extractor.name}]"
