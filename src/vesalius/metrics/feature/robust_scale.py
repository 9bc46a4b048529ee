"""One scale for features of different units, fitted on real images that are not judged."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.metric import Extractor

#: The least spread of a feature, as a part of its size: finer differences are no finer anatomy.
LEAST_SPREAD = 1e-3


@dataclass(frozen=True, eq=False)
class RobustScale:
    """``asinh((x - median) / spread)`` of each feature of the reference images.

    Plain z-scores explode where a feature hardly varies among real images: a drawn image lies a
    million standard deviations off, and that one feature rules every distance. Here the spread is
    the standard deviation (or the interquartile range over 1.349, if larger), but no less than
    ``LEAST_SPREAD`` of the median's size; and beyond about one spread values grow like a logarithm,
    so that far off stays far off and worse stays worse, without a limit and without an explosion.
    Features that are zero in all reference images have no scale and are left out.

    Parameters
    ----------
    median, spread:
        ``(feature,)``, float64.
    """

    median: Tensor
    spread: Tensor

    @staticmethod
    def fit(reference: Tensor) -> RobustScale:
        """The scale of reference features ``(n, feature)``, at least two cases."""
        reference, _ = checked_sets(reference, reference)
        lower, median, upper = torch.quantile(
            reference, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64), dim=0
        )
        spread = torch.maximum(reference.std(0), (upper - lower) / 1.349)
        spread = torch.maximum(spread, LEAST_SPREAD * median.abs())
        if not bool((spread > 0).any()):
            raise InputError("features that are not all zero", came=f"{len(spread)} of zero")
        return RobustScale(median, spread)

    def __call__(self, features: Tensor) -> Tensor:
        """Features ``(n, feature)`` on the scale, ``(n, kept feature)``."""
        kept = self.spread > 0
        far = (features.double()[:, kept] - self.median[kept]) / self.spread[kept]
        return torch.asinh(far)


def robustly_named(metric_name: str, extractor: Extractor) -> str:
    """Name a number on robustly scaled features: ``energy[robust radiomics]``."""
    return f"{metric_name}[robust {extractor.name}]"
