"""Quality against network calls: every path and sampler on one trained network, and distilled ones.

Because all Gaussian paths are one rotation (ADR 6), the network of a run of
``unconditional-diffusion`` serves them all: what differs is where a sampler sets its steps. Quality
is the Fréchet distance of radiomics (on a robust scale of training images) between the drawn images
and the held-out real ones; the same random numbers are used for every line. ``smallest`` is the
least number of calls whose distance is at most 1.02 times that of 1000 ancestral steps. Distilled
runs are drawn as their recipes say. Every line is written as it is measured, and lines that are on
file for the same weights are not measured again. Writes ``benchmarks/results/steps_<task>.json``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.files import write_atomically
from vesalius.core.rng import torch_stream
from vesalius.evaluation.sets import FeatureSets, reference_features
from vesalius.generative import paths
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import GaussianPath
from vesalius.generative.samplers import (
    Ancestral,
    Churn,
    Ddim,
    DpmSolver,
    Euler,
    Heun,
    PredictorCorrector,
    Sampler,
)
from vesalius.metrics.feature import EnergyDistance, FrechetRadiomicsDistance, RobustScale
from vesalius.runner.machine import describe_machine
from vesalius.runner.run import Run
from vesalius.training.first_weights import drawing_weights, identity

RESULTS = Path(__file__).parent / "results"
FEW = (1, 2, 4, 8, 16, 32)
SLOWEST = 1000
BATCH = 32
BOOTSTRAPS = 60

PATHS: dict[str, Callable[[float], GaussianPath]] = {
    "cosine": lambda std: paths.CosinePath(std),
    "linear betas": lambda std: paths.LinearBetaPath(std),
    "rectified flow": lambda std: paths.FlowPath(std),
    "variance exploding": lambda std: paths.VarianceExplodingPath(std, noise_max=50.0),
    "EDM": lambda std: paths.KarrasPath(std),
}
#: Sampler, calls a step, and the paths that it is measured on.
SAMPLERS: dict[str, tuple[Callable[[GaussianPath, int], Sampler], tuple[str, ...]]] = {
    "DDIM": (lambda path, calls: Ddim(path, calls), tuple(PATHS)),
    "DPM-Solver++(2M)": (lambda path, calls: DpmSolver(path, calls), tuple(PATHS)),
    "Heun": (lambda path, calls: Heun(path, (calls + 1) // 2), tuple(PATHS)),
    "ancestral": (lambda path, calls: Ancestral(path, calls), ("cosine", "linear betas")),
    "Euler": (lambda path, calls: Euler(path, calls), ("rectified flow",)),
    "churn": (lambda path, calls: Churn(path, (calls + 1) // 2, 0.4 * calls), ("EDM",)),
    "predictor-corrector": (
        lambda path, calls: PredictorCorrector(path, max(1, calls // 2), 1, 0.1),
        ("variance exploding",),
    ),
}


class Judge:
    """Real images of the test patients, and how far a set of drawn ones is from them."""

    def __init__(self, run: Run) -> None:
        self.task = run.task
        self.scale = RobustScale.fit(reference_features(run.task))
        real = FeatureSets(run.task)
        for case in run.task.split["test"]:
            batch = run.task.test_case(case)
            assert batch.wanted is not None
            real.add("real", run.task.judged(batch.wanted), batch.mask)
        self.real = self.scale(real.table("real"))

    def measure(self, drawn: Tensor) -> dict[str, Any]:
        """Distances of ``(n, 1, *space)`` in model units; intervals by resampling the draws."""
        sets = FeatureSets(self.task)
        for image in self.task.judged(drawn):
            sets.add("drawn", image[None], None)
        table = self.scale(sets.table("drawn"))
        rng = np.random.default_rng(0)
        fid, energy = FrechetRadiomicsDistance(standardise=False), EnergyDistance()
        value = fid.value(table, self.real)
        spread = [
            fid.value(table[torch.from_numpy(rng.integers(0, len(table), len(table)))], self.real)
            for _ in range(BOOTSTRAPS)
        ]
        low, high = np.quantile(np.asarray(spread) - np.mean(spread), [0.025, 0.975]) + value
        return {
            "frechet": round(value, 4),
            "low": round(float(low), 4),
            "high": round(float(high), 4),
            "energy": round(energy.value(table, self.real), 5),
        }


def drawn(sampler: Sampler, predict: Any, shape: tuple[int, ...], n: int) -> tuple[Tensor, float]:
    """``n`` images and the seconds one takes; image k has the same start in every line."""
    found, spent = [], 0.0
    for first in range(0, n, BATCH):
        size = min(BATCH, n - first)
        rng = torch_stream(0, "steps", first)
        began = time.perf_counter()
        with torch.no_grad():
            found.append(sampler.sample(predict, (size, *shape), rng))
        spent += time.perf_counter() - began
    return torch.cat(found), spent / n


def lines(run: Run) -> Iterator[tuple[str, str, int, Sampler, Any]]:
    """Path, sampler, calls, the sampler itself and what it asks."""
    system = run.fitted_system()
    std = float(system.objective.path.data_std)  # type: ignore[attr-defined]
    empty = Batch(wanted=None)

    def predict(path: GaussianPath) -> Any:
        objective = Denoising(path, prediction="velocity", conditioning=Unconditional())
        return objective.predictor(system.networks, empty)

    cosine = PATHS["cosine"](std)
    yield "cosine", "ancestral", SLOWEST, Ancestral(cosine, SLOWEST), predict(cosine)
    for calls in FEW:
        for name, (make, on) in SAMPLERS.items():
            for path_name in on:
                path = PATHS[path_name](std)
                sampler = make(path, calls)
                if sampler.calls == calls or (name in ("Heun", "churn") and calls > 1):
                    yield path_name, name, sampler.calls, sampler, predict(path)


def distilled(run: Run) -> tuple[str, str, int, Sampler, Any]:
    """A run of another recipe, as it draws."""
    system = run.fitted_system()
    predict = system.objective.predictor(system.networks, Batch(wanted=None))
    return "", run.recipe.name, system.sampler.calls, system.sampler, predict


def weights_of(run: Run) -> str:
    """Identifies what was learnt, whatever file it lies in."""
    weights, _ = drawing_weights(run.folder, "network")
    return identity(weights)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="a finished run of unconditional-diffusion")
    parser.add_argument("--distilled", type=Path, nargs="*", default=[])
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    run = Run.open(given.run)
    path = RESULTS / f"steps_{run.task.name.replace('-', '_')}.json"
    known = json.loads(path.read_text())["rows"] if path.is_file() else []
    weights, judge = weights_of(run), Judge(run)
    shape = (1, *run.task.size)
    machine = describe_machine()
    rows = [row for row in known if row["images"] == given.images]

    def measure(
        weights: str, path_name: str, name: str, calls: int, sampler: Sampler, predict: Any
    ) -> None:
        key = {"path": path_name, "sampler": name, "calls": calls, "weights": weights}
        if any(all(row[k] == v for k, v in key.items()) for row in rows):
            return
        images, seconds = drawn(sampler, predict, shape, given.images)
        found = judge.measure(images)
        rows.append({**key, **found, "seconds": round(seconds, 6), "images": given.images})
        print(json.dumps(rows[-1]), flush=True)
        write(path, rows, run, machine, given.threads)

    for line in lines(run):
        measure(weights, *line)
    for folder in given.distilled:
        other = Run.open(folder)
        measure(weights_of(other), *distilled(other))
    write(path, rows, run, machine, given.threads)


def write(path: Path, rows: list[dict[str, Any]], run: Run, machine: Any, threads: int) -> None:
    """All rows, and what follows from them."""
    slowest = next(row for row in rows if row["calls"] == SLOWEST)
    smallest: dict[str, Any] = {}
    for row in sorted(rows, key=lambda row: row["calls"]):
        line = f"{row['sampler']}, {row['path']}".rstrip(", ")
        if row is slowest:
            continue
        smallest.setdefault(line, None)
        if smallest[line] is None and row["frechet"] <= 1.02 * slowest["frechet"]:
            smallest[line] = row["calls"]
    few = [row for row in rows if row["calls"] <= 4]
    content = {
        "task": run.task.name,
        "split": run.task.split.hash,
        "recipe": run.recipe.fingerprint(),
        "images": slowest["images"],
        "real images": len(run.task.split["test"]),
        "seed": 0,
        "machine": f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}",
        "threads": threads,
        "calls within 2 % of 1000 ancestral steps": smallest,
        "speed-up of at most 4 calls over 1000": round(
            slowest["seconds"] / max((row["seconds"] for row in few), default=slowest["seconds"]), 1
        ),
        "rows": rows,
    }
    write_atomically(path, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
