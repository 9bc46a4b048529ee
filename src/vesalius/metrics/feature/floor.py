"""What a distance between sets is when both are real: the value that no generator need beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.metric import SetMetric


def real_floor(
    metric: SetMetric,
    real_features: Tensor,
    patients: Sequence[str],
    rng: np.random.Generator,
    repeats: int = 20,
) -> tuple[float, float, float]:
    """(mean, low, high) of the metric between two random halves of the real set.

    No patient is in both halves. ``low`` and ``high`` are the 2.5 and 97.5 percentiles over
    ``repeats`` splits. Halves have half the cases, so a biased metric (Fréchet) has a higher floor
    than the full set would have.

    Parameters
    ----------
    real_features:
        ``(n, feature)``.
    patients:
        One identifier a case; at least 2 different ones.
    """
    if len(patients) != len(real_features):
        raise InputError(f"one patient for each of {len(real_features)} cases", came=len(patients))
    if repeats < 1:
        raise InputError("at least 1 repeat", came=repeats)
    everyone, owner = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
    if len(everyone) < 2:
        raise InputError("at least 2 patients", came=len(everyone), remedy="give more real images")
    between, values = metric.of_parts(real_features), []
    for _ in range(repeats):
        first = rng.permutation(len(everyone)) < len(everyone) // 2
        chosen = torch.from_numpy(first[owner]).to(real_features.device)
        values.append(between(chosen))
    low, high = np.percentile(values, [2.5, 97.5])
    return float(np.mean(values)), float(low), float(high)
