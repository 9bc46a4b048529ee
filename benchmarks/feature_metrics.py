"""Time FID of 50,000 x 2048 features that stream by, and what it costs the ways others take.

Run ``python benchmarks/feature_metrics.py``. Features are made part by part, so that the memory
read at the end is that of the Gaussians alone; the parts are merged as two processes would. The
distance is checked against and timed beside torchmetrics' and ``scipy.linalg.sqrtm`` on the same
covariances. Neighbours of generated cases are timed beside scikit-learn's. Radiomic features have
their own benchmark, ``radiomics.py``. Seconds are those of the processor over the number of
threads; the wall clock of the stream is told as well. Writes
``benchmarks/results/feature_metrics.json``.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.linalg import sqrtm
from sklearn.neighbors import NearestNeighbors
from torch import Tensor
from torchmetrics.image.fid import _compute_fid

from vesalius.core.files import write_atomically
from vesalius.core.rng import torch_stream
from vesalius.metrics.feature import FrechetDistance, RunningGaussian, nearest

N_CASES, FEATURES, PART, SEED = 50_000, 2048, 2_500, 0
N_NEIGHBOURS, N_TRAINING, NEIGHBOUR_FEATURES = 2_000, 20_000, 1024
RESULT = Path(__file__).parent / "results" / "feature_metrics.json"


def part(which: str, number: int) -> Tensor:
    """``(2500, 2048)`` float32 of unlike variances, correlated; the second set is shifted."""
    mixing = torch.linspace(1.5, 0.05, FEATURES)
    rng = torch_stream(SEED, "feature_metrics", which, number)
    features = torch.randn(PART, FEATURES, generator=rng) * mixing
    features += 0.3 * features.roll(1, 1)
    return features + (0.02 if which == "generated" else 0.0)


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor over its cores, and what came of it.

    On a busy machine the clock on the wall tells of others' work; an idle one has both alike.
    """
    start = time.process_time()
    found = work()
    return (time.process_time() - start) / torch.get_num_threads(), found


def streamed() -> tuple[dict[str, RunningGaussian], float, float, float]:
    """Gaussians of both sets, seconds of adding to them, and memory early on and at the end."""
    seconds, early, sets = 0.0, 0.0, {}
    for which in ("real", "generated"):
        # two halves, as two processes have them
        halves = [RunningGaussian.nothing(FEATURES) for _ in range(2)]
        for number in range(N_CASES // PART):
            features = part(which, number)
            spent, halves[number % 2] = timed(lambda f=features, h=halves[number % 2]: h.add(f))
            seconds += spent
            early = early or (peak_mib() if number == 3 else 0.0)
        spent, sets[which] = timed(lambda pair=halves: pair[0].merge(pair[1]))
        seconds += spent
    return sets, seconds, early, peak_mib()


def naive(real: RunningGaussian, generated: RunningGaussian) -> float:
    """Compute FID by SciPy's matrix square root."""
    a, b = (g.covariance.numpy() for g in (real, generated))
    apart = float((real.mean - generated.mean).square().sum())
    return apart + float(np.trace(a) + np.trace(b) - 2 * np.trace(sqrtm(a @ b)).real)


def theirs(real: RunningGaussian, generated: RunningGaussian) -> float:
    """Compute FID by torchmetrics from the same means and covariances."""
    return float(_compute_fid(real.mean, real.covariance, generated.mean, generated.covariance))


def neighbours() -> tuple[float, float, float]:
    """Seconds of ours and of scikit-learn's brute force, and how far they are apart."""
    rng = torch_stream(SEED, "feature_metrics", "neighbours")
    training = torch.randn(N_TRAINING, NEIGHBOUR_FEATURES, generator=rng).double()
    cases = torch.randn(N_NEIGHBOURS, NEIGHBOUR_FEATURES, generator=rng).double()
    ours, found = timed(lambda: nearest(cases, training))
    model = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(training.numpy())
    other, (distances, _) = timed(lambda: model.kneighbors(cases.numpy()))
    return ours, other, float(np.abs(distances[:, 0] - found.distance.numpy()).max())


def main() -> None:
    """Measure, check and write."""
    load = os.getloadavg()[0]
    start = time.perf_counter()
    sets, adding, early, late = streamed()
    real, generated = sets["real"], sets["generated"]
    distance, value = timed(lambda: generated.distance(real))
    wall = time.perf_counter() - start
    of_torchmetrics, other = timed(lambda: theirs(real, generated))
    of_scipy, plain = timed(lambda: naive(real, generated))
    for name, found in (("torchmetrics", other), ("scipy.linalg.sqrtm", plain)):
        if abs(found - value) > 1e-4 * abs(value):
            raise SystemExit(f"{name} gives {found:.8g}, ours is {value:.8g}")
    n = 5_000
    few = [torch.cat([part(w, k) for k in range(n // PART)]) for w in ("generated", "real")]
    whole, at_once = timed(lambda: FrechetDistance().value(*few))
    gaussians = [RunningGaussian.of(features) for features in few]
    unlike = abs(gaussians[0].distance(gaussians[1]) / at_once - 1)
    ours, sklearn, apart = neighbours()
    rows = [
        ("FID of 2 x 50,000 x 2048, streamed: adding", adding, "s"),
        ("FID of 2 x 50,000 x 2048, streamed: distance", distance, "s"),
        ("FID of 2 x 50,000 x 2048, streamed: both", adding + distance, "s"),
        ("the same by the clock on the wall, with the making of features", wall, "s"),
        ("distance by torchmetrics from the same covariances", of_torchmetrics, "s"),
        ("distance by scipy.linalg.sqrtm from the same covariances", of_scipy, "s"),
        ("times as fast as torchmetrics", of_torchmetrics / distance, "1"),
        ("times as fast as scipy.linalg.sqrtm", of_scipy / distance, "1"),
        ("FID", value, "1"),
        ("relative difference from torchmetrics", abs(other / value - 1), "1"),
        ("relative difference from scipy.linalg.sqrtm", abs(plain / value - 1), "1"),
        ("memory after 10,000 cases", early, "MiB"),
        ("memory after 100,000 cases", late, "MiB"),
        ("FID of 2 x 5,000 x 2048, all at once", whole, "s"),
        ("relative difference of streamed from all at once", unlike, "1"),
        ("nearest of 20,000 x 1024 for 2,000 cases", ours, "s"),
        ("the same by scikit-learn's brute force", sklearn, "s"),
        ("times as fast as scikit-learn", sklearn / ours, "1"),
        ("largest difference of a distance", apart, "1"),
    ]
    result = {
        "benchmark": "feature_metrics",
        "seed": SEED,
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "load_before": round(load, 2),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
        },
        "rows": [{"name": name, "value": value, "unit": unit} for name, value, unit in rows],
    }
    write_atomically(RESULT, (json.dumps(result, indent=1) + "\n").encode())
    for name, number, unit in rows:
        print(f"{name}: {number:.4g} {unit}")


if __name__ == "__main__":
    main()
