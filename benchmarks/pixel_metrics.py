"""How fast the pixel metrics are, and that a stream of images is judged in constant memory.

Run ``python benchmarks/pixel_metrics.py``: 10,000 images of 64 x 64 are made, judged and let go
batch by batch. Writes ``benchmarks/results/pixel_metrics.json``.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vesalius.core.files import write_atomically
from vesalius.core.rng import torch_stream
from vesalius.metrics import title
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import MAE, MSSSIM, NCC, NMSE, PSNR, SSIM, GaussianWindow, UniformWindow

N_IMAGES, SIZE, BATCH, SEED = 10_000, 64, 100, 0
WARM_UP = 10
RESULT = Path(__file__).parent / "results" / "pixel_metrics.json"

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


def main() -> None:
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
    write_atomically(RESULT, (json.dumps(result, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
