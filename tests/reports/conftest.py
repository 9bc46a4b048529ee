"""Synthetic plain data that fills every part of a report."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from vesalius.core.recipe import Provenance
from vesalius.core.record import Record
from vesalius.reports import Curve, Picture, ReportContent, Scatter, Strip, Table, verdict


def make_record(**changes: object) -> Record:
    """A plausible record with some fields changed."""
    fields: dict[str, object] = {
        "recipe": "dolce",
        "task": "limited-angle CT",
        "dataset": "phantom-ct",
        "protocol": "MAE inside the body, mean over slices",
        "metric": "MAE",
        "level": "pixel",
        "unit": "HU",
        "direction": "down",
        "value": 12.34,
        "low": 10.98,
        "high": 13.87,
        "n": 24,
        "baseline": "FBP",
        "baseline_value": 45.12,
        "p_value": 0.0004,
        "split": "a1b2c3d4e5f6",
        "fingerprint": "0f1e2d3c4b5a",
    }
    return Record(**{**fields, **changes})  # type: ignore[arg-type]


def phantom(seed: int, side: int = 96) -> np.ndarray:
    """An abdomen of ellipses in HU."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    image = np.full((side, side), -1000.0)
    image[(x / 0.9) ** 2 + (y / 0.72) ** 2 < 1] = -90
    image[(x / 0.82) ** 2 + (y / 0.63) ** 2 < 1] = 40
    for _ in range(9):
        cx, cy, rx, ry = rng.uniform((-0.5, -0.35, 0.06, 0.06), (0.5, 0.35, 0.24, 0.2))
        image[((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 < 1] = rng.uniform(-20, 160)
    image[(x / 0.12) ** 2 + ((y - 0.42) / 0.1) ** 2 < 1] = 600
    return image


def strip(seed: int, kind: str) -> Strip:
    """What a reconstruction's strip holds."""
    rng = np.random.default_rng(100 + seed)
    reference = phantom(seed)
    blur = reference + 0.0
    for _ in range(6):
        blur = (blur + np.roll(blur, 1, 0) + np.roll(blur, -1, 1)) / 3
    scale = 3 if kind == "worst" else 1
    draws = [reference + rng.normal(0, 14 * scale, reference.shape) for _ in range(2)]
    mean = np.mean(draws, axis=0)
    spread = np.std(draws, axis=0)
    spread[reference < -900] = np.nan
    soft = (-160.0, 240.0)
    pictures = (
        Picture("given (filtered back-projection)", blur, soft, "HU"),
        Picture("draw 1", draws[0], soft, "HU"),
        Picture("draw 2", draws[1], soft, "HU"),
        Picture("mean of 8 draws", mean, soft, "HU"),
        Picture("reference", reference, soft, "HU"),
        Picture("error", np.abs(mean - reference), (0, 60), "HU", "heat"),
        Picture("uncertainty (standard deviation)", spread, (0, 60), "HU", "heat"),
        Picture("mean minus baseline", mean - blur, (-200, 200), "HU", "signed"),
    )
    scores = {"MAE": f"{9.8 * scale:.1f} HU", "PSNR": f"{34.2 - 9 * (scale > 1):.1f} dB"}
    return Strip(f"phantom-{seed:03d}", "Slice 48, soft-tissue window.", pictures, scores, kind)


def label_strip() -> Strip:
    """Labels, a wide and a constant image."""
    labels = np.digitize(phantom(3), [-500, -50, 60, 300])
    names = {1: "fat", 2: "muscle", 3: "organ", 4: "bone"}
    return Strip(
        "phantom-003",
        "Labels, a sinogram and an error that is zero everywhere.",
        (
            Picture("segmentation", labels, (0, 4), "1", "labels", label_names=names),
            Picture("sinogram", np.abs(np.fft.fft2(phantom(3)))[:30] ** 0.25, (0, 40), "a.u."),
            Picture("error", np.zeros((96, 96)), (0, 0), "HU", "heat"),
        ),
        {},
        "best",
    )


def demo_records() -> tuple[Record, ...]:
    """Every outcome, level and kind of number."""
    clinical = {"level": "clinical", "protocol": "measured on the organ's outline"}
    feature = {"level": "feature", "baseline": None, "baseline_value": None, "p_value": None}
    return (
        make_record(),
        make_record(group="shifted", value=18.21, low=15.4, high=21.9, n=8, p_value=0.008),
        make_record(metric="PSNR", unit="dB", direction="up", value=34.21, low=33.5, high=34.8,
                    baseline_value=27.95, protocol="data range 4024 HU"),
        make_record(metric="SSIM", unit="1", direction="up", value=0.9342, low=0.9291, high=0.9388,
                    baseline_value=0.9401, p_value=0.012, protocol="Gaussian 11x11, sigma 1.5"),
        make_record(metric="RMSE", value=22.1, low=19.2, high=25.4, baseline_value=22.9,
                    p_value=0.34),
        make_record(metric="FID", unit="1", value=5.12, low=4.3, high=6.1, floor=3.2,
                    protocol="2.5D RadImageNet ResNet-50, 960 slices", **feature),
        make_record(metric="KID", unit="1", value=0.0021, low=-0.0003, high=0.0046, floor=0.0004,
                    protocol="2.5D RadImageNet ResNet-50, 960 slices", **feature),
        make_record(metric="liver volume bias", unit="%", direction="zero", value=-1.21, low=-2.1,
                    high=0.3, baseline_value=4.8, p_value=0.021, **clinical),
        make_record(metric="lesion detection AUROC", unit="1", direction="up", value=float("nan"),
                    low=None, high=None, n=0, baseline_value=0.71, p_value=None,
                    note="no lesion in this test set", **clinical),
        make_record(metric="time a slice", unit="s", value=1.42, low=None, high=None, level="cost",
                    baseline_value=0.004, p_value=None, protocol="one slice, cpu"),
    )  # fmt: skip


def demo_content() -> ReportContent:
    """A full report."""
    rng = np.random.default_rng(0)
    steps = np.arange(1, 3001)
    loss = 2.0 * steps**-0.45 * np.exp(rng.normal(0, 0.12, steps.size))
    uncertainty = rng.gamma(2.0, 9.0, 700)
    records = demo_records()
    return ReportContent(
        title="DOLCE on limited-angle CT",
        question="Can a 90 degree scan be completed so that organs keep their place and density?",
        verdict=verdict(records),
        facts={
            "recipe": "dolce",
            "family": "diffusion, proximal consistency",
            "data": "phantom-ct",
            "split": "a1b2c3d4e5f6",
            "patients": {"train": 120, "validation": 12, "test": 24, "shifted": 8},
            "fingerprint": "0f1e2d3c4b5a",
            "seed": 0,
            "steps": 3000,
            "seconds": 4530.2,
            "device": "cpu",
            "machine": "2 cores, 8 GiB",
            "software": {"python": "3.11", "torch": "2.13"},
        },
        provenance=Provenance(
            system="dolce",
            title="DOLCE: A Model-Based Probabilistic Diffusion Framework",
            doi="10.1109/ICCV51070.2023.00963",
            reproduces="equations",
            deviations=("96x96 slices instead of 512x512", "3000 steps instead of 400 000"),
        ),
        strips=(
            strip(1, "typical"),
            label_strip(),
            *(strip(seed, "worst") for seed in (5, 6)),
        ),
        records=records,
        curves=(
            Curve(
                "Training loss",
                "step",
                "loss",
                (("training", steps, loss), ("validation", steps[::100], loss[::100] * 1.3)),
                log_y=True,
            ),
            Scatter(
                "Uncertainty against error",
                "uncertainty (HU)",
                "absolute error (HU)",
                (("pixels", uncertainty, np.abs(rng.normal(0, uncertainty))),),
                diagonal=True,
            ),
        ),
        tables=(
            Table(
                "Coverage of intervals",
                ("nominal", "measured", "patients"),
                ((0.5, 0.47, 24), (0.9, 0.861, 24), (0.95, float("nan"), 0)),
                "Share of pixels whose reference lies in the interval.",
            ),
        ),
        recipe_json={"name": "dolce", "draws": 8, "sampler": {"call": "x:Ancestral", "with": {}}},
        warnings=("Trained for 3000 steps: a demonstration, not a result.",),
    )


@pytest.fixture
def content() -> ReportContent:
    return demo_content()


@pytest.fixture
def record() -> Callable[..., Record]:
    return make_record
