"""Whether there are cases enough for a comparison of sets to mean much."""

from __future__ import annotations

from vesalius.metrics.feature.anomaly_to_healthy import AnomalyToHealthyIndex
from vesalius.metrics.feature.cmmd import CLIPDiscrepancy
from vesalius.metrics.feature.energy import EnergyDistance
from vesalius.metrics.feature.feature_sets import Standardised
from vesalius.metrics.feature.frechet import (
    FrechetDistance,
    FrechetRadiomicsDistance,
    LogFrechetRadiomicsDistance,
)
from vesalius.metrics.feature.inception_score import InceptionScore
from vesalius.metrics.feature.kernel import KernelDistance, MaximumMeanDiscrepancy
from vesalius.metrics.feature.manifold import ManifoldMetric
from vesalius.metrics.feature.memorisation import CopiedShare, DuplicateShare
from vesalius.metrics.feature.pairwise_distance import MeanPairwiseDistance
from vesalius.metrics.feature.vendi import VendiScore
from vesalius.metrics.metric import SetMetric


def enough_cases(metric: SetMetric, n: int, dimension: int) -> str:
    """Write a sentence for the report where ``n`` cases are few for this metric, else "".

    Fréchet distances: a covariance of ``dimension`` features has full rank only with more cases
    than features, and its bias fades as their ratio grows (ten is asked for). Kernel and energy
    distances are unbiased but vary: 100 cases; CMMD and the Vendi and Inception scores are
    biased as well. Neighbourhood measures: 20 cases a neighbour. A share of copies or duplicates
    is told in steps of 1 / n: 100 cases. For the Inception score ``dimension`` counts classes.
    """
    inner = metric.metric if isinstance(metric, Standardised) else metric
    of = f"n = {n} is small for {dimension} features"
    if isinstance(inner, (FrechetDistance, FrechetRadiomicsDistance, LogFrechetRadiomicsDistance)):
        if n <= dimension:
            return f"{of} (the covariance has rank {max(0, n - 1)}): read with the floor"
        return f"{of} (biased upwards): read with the floor" if n < 10 * dimension else ""
    if isinstance(inner, (EnergyDistance, KernelDistance, MaximumMeanDiscrepancy)):
        return f"n = {n} is small (unbiased but variable): read with the floor" if n < 100 else ""
    if isinstance(inner, CLIPDiscrepancy):
        return f"n = {n} is small (biased upwards): read with the floor" if n < 100 else ""
    if isinstance(inner, InceptionScore):
        least = max(100, 10 * dimension)
        if n < least:
            return (
                f"n = {n} is small for {dimension} classes (biased downwards): "
                "read with the real set's own value"
            )
        return ""
    if isinstance(inner, (VendiScore, MeanPairwiseDistance)):
        return f"n = {n} is small: read with the real set's own value" if n < 100 else ""
    if isinstance(inner, (CopiedShare, DuplicateShare)):
        return f"n = {n} is small (shares in steps of {1 / n:.2g})" if 0 < n < 100 else ""
    if isinstance(inner, AnomalyToHealthyIndex):
        return enough_cases(inner.distance, n, dimension)
    if isinstance(inner, ManifoldMetric) and n < 20 * inner.neighbours:
        return f"n = {n} is small for {inner.neighbours} neighbours: read with the floor"
    return ""
