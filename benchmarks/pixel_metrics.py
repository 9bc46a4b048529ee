"""How fast the pixel metrics are: on a stream of images, and on volumes beside other packages.

``python benchmarks/pixel_metrics.py stream``: 10,000 images of 64 x 64 are made, judged and let go
batch by batch, in constant memory. Writes ``benchmarks/results/pixel_metrics.json``.

``python benchmarks/pixel_metrics.py volumes``: SSIM, MS-SSIM, VIF and FSIM of a volume of 128³
voxels against torchmetrics and piq, in turns, so that a busy machine slows all. Ours compute in
double precision, theirs in single: torchmetrics' SSIM of such a volume in double precision asks for
100 GiB. VIF and FSIM of theirs are for images: they are given the slices, as one batch and one by
one, and the quicker way counts. ``value`` is the shortest of the rounds, ``ratio`` the other's over
ours, ``difference`` theirs less ours; theirs is the mean of the slices where ours is one sum over
them. MS-SSIM has four scales, since five do not fit. Needs
torchmetrics and piq; where torchvision cannot be imported, piq's rows are left out. Writes
``benchmarks/results/pixel_volumes.json``, one record a metric.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vesalius.core.files import write_atomically
from vesalius.core.rng import torch_stream
from vesalius.metrics import title
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import (
    FSIM,
    MAE,
    MSSSIM,
    NCC,
    NMSE,
    PSNR,
    SSIM,
    VIF,
    GaussianWindow,
    UniformWindow,
)
from vesalius.runner.machine import describe_machine

N_IMAGES, SIZE, BATCH, SEED = 10_000, 64, 100, 0
WARM_UP = 10
EDGE = 128
FOUR_SCALES = (0.1, 0.3, 0.4, 0.2)
RESULTS = Path(__file__).parent / "results"

METRICS: tuple[CaseMetric, ...] = (
    MAE("HU"),
    NMSE(),
    PSNR(4024.0, data_unit="HU"),
    NCC(),
    SSIM(4024.0, data_unit="HU"),
    SSIM(4024.0, data_unit="HU", window=GaussianWindow()),
    MSSSIM(4024.0, data_unit="HU", window=UniformWindow(), weights=(0.3, 0.4, 0.3)),
)


def images() -> Iterator[tuple[Tensor, Tensor]]:
    """Batches of (predicted, reference), ``(100, 1, 64, 64)`` float32."""
    for number in range(N_IMAGES // BATCH):
        rng = torch_stream(SEED, "pixel_metrics", number)
        reference = torch.rand(BATCH, 1, SIZE, SIZE, generator=rng) * 4024 - 1024
        yield reference + 100 * torch.randn(reference.shape, generator=rng), reference


def peak_mib() -> float:
    """Largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def judged(metric: CaseMetric) -> dict[str, object]:
    """One pass over the stream; memory is read after ten batches and at the end."""
    seconds, cpu_seconds, values, early = 0.0, 0.0, np.empty(N_IMAGES), 0.0
    for number, (predicted, reference) in enumerate(images()):
        begin, cpu_begin = time.perf_counter(), time.process_time()
        found = metric.statistic(predicted, reference)
        seconds += time.perf_counter() - begin
        cpu_seconds += time.process_time() - cpu_begin
        values[number * BATCH : (number + 1) * BATCH] = found.numpy()
        if number == WARM_UP:
            early = peak_mib()
    return {
        "metric": title(metric),
        "unit": metric.unit,
        "images_per_s": round(N_IMAGES / seconds, 1),
        "images_per_cpu_s": round(N_IMAGES / cpu_seconds, 1),
        "peak_memory_mib": round(peak_mib(), 1),
        "memory_growth_after_1100_images_mib": round(peak_mib() - early, 1),
        "mean": float(values.mean()),
        "n": N_IMAGES,
    }


def stream() -> None:
    """The stream of images, metric by metric."""
    load, rows = os.getloadavg()[0], []
    for metric in METRICS:
        rows.append(judged(metric))
        print(rows[-1])
    result = {
        "benchmark": "pixel_metrics",
        "images": f"{N_IMAGES} of {SIZE} x {SIZE}, batches of {BATCH}",
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
        "rows": rows,
    }
    write_atomically(RESULTS / "pixel_metrics.json", (json.dumps(result, indent=1) + "\n").encode())


def volumes() -> tuple[Tensor, Tensor]:
    """Predicted and reference, ``(1, 1, 128, 128, 128)`` float32: noisy blobs."""
    rng = torch_stream(SEED, "pixel_volumes", 0)
    coarse = torch.rand(1, 1, EDGE // 4, EDGE // 4, EDGE // 4, generator=rng)
    blobs = torch.nn.functional.interpolate(coarse, scale_factor=4.0, mode="trilinear")
    reference = 0.8 * blobs + 0.2 * torch.rand(blobs.shape, generator=rng)
    return (reference + 0.05 * torch.randn(blobs.shape, generator=rng)).clamp(0, 1), reference


def contestants(
    predicted: Tensor, reference: Tensor
) -> dict[str, tuple[CaseMetric, dict[str, Callable[[], float]]]]:
    """By name of a comparison: our metric, and what others make of the same volume."""
    piq = imported_piq()  # first, since torchmetrics imports torchvision, too
    from torchmetrics.functional.image import (
        multiscale_structural_similarity_index_measure as multiscale,
    )
    from torchmetrics.functional.image import structural_similarity_index_measure as similarity
    from torchmetrics.functional.image import visual_information_fidelity as fidelity

    x, y = (volume[0].transpose(0, 1).contiguous() for volume in (predicted, reference))
    grey_x, grey_y = 255 * x, 255 * y
    found: dict[str, tuple[CaseMetric, dict[str, Callable[[], float]]]] = {
        "SSIM, 3D, Gaussian window": (
            SSIM(1.0, window=GaussianWindow()),
            {"torchmetrics": lambda: float(similarity(predicted, reference, data_range=1.0))},
        ),
        "SSIM, 3D, uniform window": (
            SSIM(1.0, window=UniformWindow(sample_covariance=False)),
            {
                "torchmetrics": lambda: float(
                    similarity(
                        predicted, reference, data_range=1.0, gaussian_kernel=False, kernel_size=7
                    )
                )
            },
        ),
        "MS-SSIM, 3D, four scales": (
            MSSSIM(1.0, weights=FOUR_SCALES),
            {
                "torchmetrics": lambda: float(
                    multiscale(predicted, reference, data_range=1.0, betas=FOUR_SCALES)
                )
            },
        ),
        "VIF, 128 slices": (
            VIF(1.0, slice_axis=0),
            {
                "torchmetrics": lambda: float(fidelity(grey_x, grey_y)),
                "torchmetrics, slice by slice": lambda: mean_over_slices(fidelity, grey_x, grey_y),
            },
        ),
        "FSIM, 128 slices": (FSIM(1.0), {}),
        "VIF, 3D": (VIF(1.0), {}),
    }
    if piq is not None:

        def theirs(name: str, **options: Any) -> dict[str, Callable[[], float]]:
            measure = getattr(piq, name)

            def call(a: Tensor, b: Tensor) -> Tensor:
                return measure(a, b, data_range=1.0, **options)  # type: ignore[no-any-return]

            return {
                "piq": lambda: float(call(x, y)),
                "piq, slice by slice": lambda: mean_over_slices(call, x, y),
            }

        found["VIF, 128 slices"][1].update(theirs("vif_p"))
        found["FSIM, 128 slices"][1].update(theirs("fsim", chromatic=False))
    return found


def mean_over_slices(measure: Callable[[Tensor, Tensor], Tensor], x: Tensor, y: Tensor) -> float:
    """What a measure of images says of a volume."""
    values = [measure(x[k : k + 1], y[k : k + 1]) for k in range(len(x))]
    return float(torch.stack(values).mean())


def imported_piq() -> Any:
    """The package piq, or None where it or torchvision is not installed."""
    if any(importlib.util.find_spec(name) is None for name in ("piq", "torchvision")):
        return None
    # piq imports torchvision, which needs these operators even where its own build lacks them
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import piq

    piq.operators_of_torchvision = library  # lives as long as the package
    return piq


def compared(rounds: int, threads: int) -> list[dict[str, Any]]:
    """One record a comparison; all take turns."""
    torch.set_num_threads(threads)
    predicted, reference = volumes()
    machine = describe_machine()
    records = []
    for name, (metric, others) in contestants(predicted, reference).items():
        calls: dict[str, Callable[[], float]] = {
            "ours": lambda metric=metric: float(metric.statistic(predicted, reference)),  # type: ignore[misc]
            **others,
        }
        seconds: dict[str, list[float]] = {who: [] for who in calls}
        values: dict[str, float] = {}
        for number in range(rounds + 1):
            for who, call in calls.items():
                start = time.perf_counter()
                values[who] = call()
                if number:
                    seconds[who].append(time.perf_counter() - start)
        shortest = {who: min(taken) for who, taken in seconds.items()}
        packages = sorted({who.split(",")[0] for who in others})
        quickest = {
            package: min(
                (who for who in others if who.split(",")[0] == package), key=shortest.__getitem__
            )
            for package in packages
        }
        records.append(
            {
                "name": f"{name}, volume of {EDGE}³",
                "metric": title(metric),
                "value": round(shortest["ours"], 4),
                "unit": "s",
                "result": values["ours"],
                **{f"{package}, s": round(shortest[who], 4) for package, who in quickest.items()},
                **{
                    f"ratio of {package} to it": round(shortest[who] / shortest["ours"], 2)
                    for package, who in quickest.items()
                },
                **{
                    f"difference of {package}": values[who] - values["ours"]
                    for package, who in quickest.items()
                },
                "n": rounds,
                "seed": SEED,
                "machine": f"{machine['processor']}, {machine['cores']} cores, "
                f"torch {machine['torch']}",
                "threads": threads,
                "load": round(os.getloadavg()[0], 1),
            }
        )
        print(json.dumps(records[-1], ensure_ascii=False), flush=True)
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("stream", "volumes"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if given.what == "stream":
        stream()
        return
    records = compared(given.rounds, given.threads)
    content = json.dumps(records, indent=1, ensure_ascii=False) + "\n"
    write_atomically(RESULTS / "pixel_volumes.json", content.encode())


if __name__ == "__main__":
    main()
