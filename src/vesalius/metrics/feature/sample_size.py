"""Whether there are cases enough for a comparison of sets to mean much."""

from __future__ import annotations

from vesalius.metrics.feature.energy import EnergyDistance
from vesalius.metrics.feature.feature_sets import Standardised
from vesalius.metrics.feature.frechet import (
    FrechetDistance,
    FrechetRadiomicsDistance,
    LogFrechetRadiomicsDistance,
)
from vesalius.metrics.feature.kernel import KernelDistance, MaximumMeanDiscrepancy
from vesalius.metrics.feature.manifold import ManifoldMetric
from vesalius.metrics.metric import SetMetric


def enough_cases(metric: SetMetric, n: int, dimension: int) -> str:
    """Write a sentence for the report where ``n`` cases are few for this metric, else "".

    Fréchet distances: a covariance of ``dimension`` features has full rank only with more cases
    than features, and its bias fades as their ratio grows (ten is asked for). Kernel and energy
    distances are unbiased but vary: 100 cases. Neighbourhood measures: 20 cases a neighbour.
    """
    inner = metric.metric if isinstance(metric, Standardised) else metric
    of = f"n = {n} is small for {dimension} features"
    if isinstance(inner, (FrechetDistance, FrechetRadiomicsDistance, LogFrechetRadiomicsDistance)):
        if n <= dimension:
            return f"{of} (the covariance has rank {max(0, n - 1)}): read with the floor"
        return f"{of} (biased upwards): read with the floor" if n < 10 * dimension else ""
    if isinstance(inner, (EnergyDistance, KernelDistance, MaximumMeanDiscrepancy)):
        return f"n = {n} is small (unbiased but variable): read with the floor" if n < 100 else ""
    if isinstance(inner, ManifoldMetric) and n < 20 * inner.neighbours:
        return f"n = {n} is small for {inner.neighbours} neighbours: read with the floor"
    return ""
