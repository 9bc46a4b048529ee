"""A real cardiac cine: worse sequences are told from it, each by the metric made for it."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.metrics.feature import RadiomicFeatures
from vesalius.metrics.feature.video import (
    ClipStatistics,
    FrechetMotionDistance,
    ImagingQuality,
    LucasKanade,
    MotionAmount,
    MotionHistograms,
    MotionSmoothness,
    SignalToNoise,
    SubjectConsistency,
    TemporalFlicker,
)

DATA = Path(os.environ.get("VESALIUS_TEST_DATA", Path(__file__).parents[5] / "shared" / "data"))
FILE = DATA / "cine_mouse" / "cine.npz"

pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason="needs the cardiac cine of the test data"
)


@pytest.fixture(scope="module")
def cine() -> Tensor:
    """``(1, 1, 8, 96, 96)``: the middle of the frames, from 0 to about 1."""
    with np.load(FILE, allow_pickle=False) as archive:
        frames = archive["frames"].astype(np.float64)
    middle = torch.from_numpy(frames[48:144, 48:144] / frames.max())
    return middle.movedim(-1, 0)[None, None].contiguous()


def test_a_beating_heart_moves_and_its_flow_explains_part_of_its_change(cine: Tensor) -> None:
    still = cine[:, :, :1].expand_as(cine)
    assert float(MotionAmount().statistic(cine)[0]) > 0.5
    assert float(MotionAmount().statistic(still)[0]) == 0
    plain = float(TemporalFlicker(1.0).statistic(cine)[0])
    explained = float(TemporalFlicker(1.0, flow=LucasKanade()).statistic(cine)[0])
    assert 0 < explained < 0.9 * plain


def test_faults_in_time_are_seen(cine: Tensor) -> None:
    smoothness = MotionSmoothness(1.0)
    swapped = cine[:, :, [0, 4, 2, 6, 1, 5, 3, 7]]
    assert float(smoothness.statistic(swapped)[0]) < float(smoothness.statistic(cine)[0])
    flicker = TemporalFlicker(1.0)
    pulsing = cine * (1 + 0.3 * torch.tensor([0, 1] * 4)).reshape(1, 1, 8, 1, 1)
    assert float(flicker.statistic(pulsing)[0]) > 1.1 * float(flicker.statistic(cine)[0])


def test_faults_of_frames_are_seen(cine: Tensor) -> None:
    blurred = torch.nn.functional.avg_pool2d(cine[0], 5, 1, 2)[None]
    rng = torch.Generator().manual_seed(0)
    noisy = cine + 0.1 * torch.randn(cine.shape, generator=rng, dtype=cine.dtype)
    sharp, quiet = ImagingQuality(), ImagingQuality(SignalToNoise())
    assert float(sharp.statistic(blurred)[0]) < float(sharp.statistic(cine)[0])
    assert float(quiet.statistic(noisy)[0]) < float(quiet.statistic(cine)[0])
    extractor = RadiomicFeatures((0, 1), sigmas_mm=(), wavelet=None)
    changed = torch.cat([cine[:, :, :4], noisy[:, :, 4:].flip(-1)], 2)
    metric = SubjectConsistency(extractor)
    assert float(metric.statistic(changed)[0]) < float(metric.statistic(cine)[0]) <= 1


def test_clips_of_the_cine_are_features(cine: Tensor) -> None:
    extractor = ClipStatistics(RadiomicFeatures((0, 1), sigmas_mm=(), wavelet=None))
    parts = [cine, cine.flip(-1), cine.flip(2)]
    found = extractor.features(torch.cat(parts))
    quarter = found.shape[1] // 4
    torch.testing.assert_close(found[2, : 3 * quarter], found[0, : 3 * quarter])
    assert torch.isfinite(found).all()
    # corners of the frames as separate clips: their halves are nearer to one another than to
    # clips of three times the speed
    corners = torch.cat([cine[..., r : r + 48, c : c + 48] for r in (0, 48) for c in (0, 48)])
    motion = MotionHistograms()
    real = motion.features(corners[:, :, :3])
    later, faster = motion.features(corners[:, :, 1:4]), motion.features(corners[:, :, 1::3])
    distance = FrechetMotionDistance()
    assert distance.value(later, real) < distance.value(faster, real)
