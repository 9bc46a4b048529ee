"""Time the radiomic extractor against a plain loop over scikit-image, SciPy and NumPy.

Run ``python benchmarks/radiomics.py``. Both compute the same 616 features of the same images of
64 x 64 and are checked to agree. They take turns, so that a busy machine slows both, and of each
the shortest of the rounds counts. One thread. Writes ``benchmarks/results/radiomics.json``, one
record a measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from pathlib import Path

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_variable] = "1"  # read when NumPy is imported

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402
from scipy import ndimage, stats  # noqa: E402
from skimage.feature import graycomatrix  # noqa: E402
from skimage.measure import label  # noqa: E402

from vesalius.metrics.feature import RadiomicFeatures  # noqa: E402
from vesalius.metrics.feature.filters import wavelet_filters  # noqa: E402

RESULTS = Path(__file__).parent / "results" / "radiomics.json"
RANGE_HU = (-500.0, 500.0)
BINS = 32
Values = NDArray[np.float64]


def processor() -> str:
    """Name of the processor, as the system tells it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def images_hu(n: int, *space: int) -> Values:
    """Smooth tissue of 150 HU spread with 20 HU of noise, ``(n, *space)``."""
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.normal(size=(n, *space)), (0, *[1.5] * len(space)))
    return np.asarray(smooth / smooth.std() * 150 + rng.normal(size=smooth.shape) * 20)


def filtered(image: Values) -> list[tuple[Values, float, float]]:
    """Image and filtered versions with the range of levels of each."""
    low, high = RANGE_HU
    half = (high - low) / 4
    edges = (-half - half / BINS, half - half / BINS)
    found = [(image, low, high)]
    for sigma in (1.0, 2.0, 3.0):
        log = ndimage.gaussian_laplace(image, sigma, mode="reflect", truncate=6.0)
        found.append((sigma**2 * log, *edges))
    filters = wavelet_filters("coif1")
    for first in filters:
        for second in filters:
            band = ndimage.correlate1d(image, first, axis=0, mode="reflect", origin=-1)
            band = ndimage.correlate1d(band, second, axis=1, mode="reflect", origin=-1)
            smooth = first is filters[0] and second is filters[0]
            found.append((band, low, high) if smooth else (band, *edges))
    return found


def plain_first_order(v: Values, levels: Values) -> list[float]:
    p10, p25, median, p75, p90 = np.percentile(v, [10, 25, 50, 75, 90])
    robust = v[(v >= p10) & (v <= p90)]
    share = np.bincount(levels.ravel() - 1, minlength=BINS) / v.size
    return [
        v.mean(), v.var(), stats.skew(v, axis=None), stats.kurtosis(v, axis=None), median, v.min(),
        p10, p90, v.max(), p75 - p25, np.ptp(v), np.abs(v - v.mean()).mean(),
        np.abs(robust - robust.mean()).mean(), np.abs(v - median).mean(), (v**2).sum(),
        np.sqrt((v**2).mean()), stats.entropy(share, base=2), (share**2).sum(),
    ]  # fmt: skip


def plain_cooccurrence(levels: Values) -> Values:
    angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
    matrices = graycomatrix(
        (levels - 1).astype(np.uint8), [1], angles, levels=BINS, symmetric=True, normed=True
    )[:, :, 0]
    i, j = np.indices((BINS, BINS)) + 1
    apart = np.abs(i - j)
    found = []
    for angle in range(4):
        p = matrices[..., angle]
        margin = p.sum(1)
        mean = (i * p).sum()
        variance = ((i - mean) ** 2 * p).sum()
        difference = np.bincount(apart.ravel(), p.ravel())
        total = np.bincount((i + j).ravel(), p.ravel())
        dissimilarity = (apart * p).sum()
        joint, one = stats.entropy(p.ravel(), base=2), stats.entropy(margin, base=2)
        off = apart > 0
        found.append([
            p.max(), mean, variance, joint, dissimilarity,
            ((apart - dissimilarity) ** 2 * p).sum(), stats.entropy(difference, base=2),
            stats.entropy(total, base=2), (p**2).sum(), (apart**2 * p).sum(),
            (p / (1 + apart)).sum(), (p / (1 + apart / BINS)).sum(), (p / (1 + apart**2)).sum(),
            (p / (1 + (apart / BINS) ** 2)).sum(), (p[off] / apart[off] ** 2).sum(),
            ((i - mean) * (j - mean) * p).sum() / variance, (i * j * p).sum(),
            ((i + j - 2 * mean) ** 2 * p).sum(), ((i + j - 2 * mean) ** 3 * p).sum(),
            ((i + j - 2 * mean) ** 4 * p).sum(), (joint - 2 * one) / one,
            np.sqrt(1 - np.exp(-2 * (2 * one - joint))),
        ])  # fmt: skip
    return np.mean(found, axis=0)


def plain_emphasis(matrix: Values, voxels: int) -> list[float]:
    """Sixteen features of a (level, length) matrix whose rows and columns count from 1."""
    n = matrix.sum()
    i = np.arange(1, matrix.shape[0] + 1)[:, None]
    j = np.arange(1, matrix.shape[1] + 1)[None]
    p, by_level, by_length = matrix / n, matrix.sum(1), matrix.sum(0)
    return [
        (p / j**2).sum(), (p * j**2).sum(), (p / i**2).sum(), (p * i**2).sum(),
        (p / (i**2 * j**2)).sum(), (p * i**2 / j**2).sum(), (p * j**2 / i**2).sum(),
        (p * i**2 * j**2).sum(), (by_level**2).sum() / n, (by_level**2).sum() / n**2,
        (by_length**2).sum() / n, (by_length**2).sum() / n**2, n / voxels,
        (p * (i - (i * p).sum()) ** 2).sum(), (p * (j - (j * p).sum()) ** 2).sum(),
        stats.entropy(p.ravel(), base=2),
    ]  # fmt: skip


def plain_run_length(levels: Values) -> Values:
    flipped = levels[:, ::-1]
    offsets = range(-levels.shape[0] + 1, levels.shape[1])
    lines = (
        list(levels), list(levels.T), [levels.diagonal(k) for k in offsets],
        [flipped.diagonal(k) for k in offsets],
    )  # fmt: skip
    found = []
    for direction in lines:
        matrix = np.zeros((BINS, max(levels.shape)))
        for line in direction:
            edges = np.flatnonzero(np.diff(line, prepend=-1, append=-1))
            np.add.at(matrix, (line[edges[:-1]] - 1, np.diff(edges) - 1), 1)
        found.append(plain_emphasis(matrix, levels.size))
    return np.mean(found, axis=0)


def plain_size_zone(levels: Values) -> list[float]:
    zones = label(levels, background=0, connectivity=2)
    sizes = np.bincount(zones.ravel())[1:]
    first = np.unique(zones, return_index=True)[1]
    matrix = np.zeros((BINS, sizes.max()))
    np.add.at(matrix, (levels.ravel()[first] - 1, sizes - 1), 1)
    return plain_emphasis(matrix, levels.size)


def plain_neighbourhood(levels: Values) -> list[float]:
    kernel = np.ones((3, 3))
    kernel[1, 1] = 0
    count = ndimage.convolve(np.ones(levels.shape), kernel, mode="constant")
    mean = ndimage.convolve(levels.astype(float), kernel, mode="constant") / count
    p = np.bincount(levels.ravel(), minlength=BINS + 1)[1:] / levels.size
    s = np.bincount(levels.ravel(), np.abs(levels - mean).ravel(), minlength=BINS + 1)[1:]
    i = np.flatnonzero(p) + 1
    p, s = p[i - 1], s[i - 1]
    apart = np.abs(i[:, None] - i[None])
    share = p[:, None] + p[None]
    weighted = (p * s)[:, None] + (p * s)[None]
    return [
        1 / (p * s).sum(),
        (p[:, None] * p[None] * apart**2).sum() / (len(i) * (len(i) - 1)) * s.sum() / levels.size,
        (p * s).sum() / np.abs((i * p)[:, None] - (i * p)[None]).sum(),
        (apart * weighted / share).sum() / levels.size,
        (share * apart**2).sum() / s.sum(),
    ]


def plain(images: Values) -> Values:
    """Compute what the extractor does, an image and a filter at a time."""
    rows = []
    for image in images:
        row: list[float] = []
        for values, low, high in filtered(image):
            scaled = np.floor((values - low) / (high - low) * BINS + 1e-9)
            levels = np.clip(scaled, 0, BINS - 1).astype(int) + 1
            row += plain_first_order(values, levels)
            row += list(plain_cooccurrence(levels))
            row += list(plain_run_length(levels))
            row += plain_size_zone(levels)
            row += plain_neighbourhood(levels)
        rows.append(row)
    return np.array(rows)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    images, few, volumes = images_hu(64, 64, 64), 8, images_hu(2, 64, 64, 64)
    batch = torch.from_numpy(images)[:, None]
    extractor = RadiomicFeatures(RANGE_HU)
    ours, theirs = extractor.features(batch).numpy(), plain(images[:few])
    # an intensity within rounding of a level's edge may fall on either side of it
    apart = np.abs(ours[:few] - theirs) / (np.abs(theirs) + 1e-3 * np.abs(theirs).max(0) + 1e-12)
    if np.quantile(apart, 0.95) > 0.01:
        raise SystemExit(f"the two do not agree: {np.quantile(apart, 0.95):.3g}")
    quick, slow = [], []
    for _ in range(rounds):
        quick.append(seconds(lambda: extractor.features(batch)) / len(images))
        slow.append(seconds(lambda: plain(images[:few])) / few)
    solid = RadiomicFeatures(RANGE_HU, dimensions=3)
    whole = torch.from_numpy(volumes)[:, None]
    volume = min(seconds(lambda: solid.features(whole)) for _ in range(2)) / len(volumes)
    measured = [
        ("images 64x64 per second, vesalius", 1 / min(quick), "1/s", len(images)),
        ("images 64x64 per second, scikit-image loop", 1 / min(slow), "1/s", few),
        ("times as fast as the scikit-image loop", min(slow) / min(quick), "1", len(images)),
        ("median relative difference of a feature", float(np.median(apart)), "1", few),
        ("features of an image", float(ours.shape[1]), "1", len(images)),
        ("volume 64x64x64, vesalius", volume, "s", len(volumes)),
        ("features of a volume", float(len(solid.feature_names)), "1", len(volumes)),
    ]
    records = [
        {
            "name": name, "value": value, "unit": unit, "n": n, "rounds": rounds,
            "machine": f"{processor()}, {os.cpu_count()} cores, torch {torch.__version__}",
            "load": round(os.getloadavg()[0], 1), "torch_threads": torch.get_num_threads(),
        }
        for name, value, unit, n in measured
    ]  # fmt: skip
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(records, indent=1) + "\n")
    for name, value, unit, _ in measured:
        print(f"{name}: {value:.4g} {unit}")


if __name__ == "__main__":
    main()
