"""Metrics of one sequence: hand-worked values, still clips, masks, bad input."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.measure import blur_effect
from torch import Tensor, nn

from vesalius.core import InputError
from vesalius.metrics.feature import RadiomicFeatures, RobustScale
from vesalius.metrics.feature.video import (
    DynamicDegree,
    Flow,
    FlowMidpoint,
    ImagingQuality,
    LinearMidpoint,
    LucasKanade,
    MotionAmount,
    MotionSmoothness,
    ScriptedMidpoint,
    ScriptedRater,
    SequenceMetric,
    Sharpness,
    SignalToNoise,
    SubjectConsistency,
    TemporalFlicker,
    sequence_number_name,
)
from vesalius.metrics.metric import Extractor


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def disc(frames: int, speed: float, size: int = 48) -> Tensor:
    """``(1, 1, time, size, size)``: a disc of radius 8 that moves along the width."""
    rows, columns = torch.meshgrid(*[torch.arange(size, dtype=torch.float64)] * 2, indexing="ij")
    distance = [
        ((rows - size / 2) ** 2 + (columns - size / 3 - speed * t) ** 2).sqrt()
        for t in range(frames)
    ]
    return torch.stack([torch.sigmoid(8 - d) for d in distance])[None, None]


class MeanAndOne(Extractor):
    """Two features that can be worked out by hand: the mean, and one."""

    name = "mean_and_one"
    citation = "none"

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        mean = (
            images.mean((1, 2, 3))
            if mask is None
            else images[mask].reshape(len(images), -1).mean(1)
        )
        return torch.stack([mean, torch.ones_like(mean)], 1).double()


class Steady(Flow):
    """The same displacement everywhere."""

    citation = "none"

    def __init__(self, *displacement: float) -> None:
        self.steady = torch.tensor(displacement, dtype=torch.float64)

    @property
    def name(self) -> str:
        return "steady"

    def displacement(self, before: Tensor, after: Tensor) -> Tensor:
        return self.steady.reshape(1, -1, 1, 1).expand(len(before), -1, *before.shape[1:])


METRICS: tuple[SequenceMetric, ...] = (
    TemporalFlicker(1.0),
    TemporalFlicker(1.0, flow=LucasKanade()),
    MotionSmoothness(1.0),
    MotionSmoothness(1.0, midpoint=LinearMidpoint()),
    DynamicDegree(),
    MotionAmount(),
    ImagingQuality(),
    ImagingQuality(SignalToNoise()),
    SubjectConsistency(MeanAndOne()),
)


def test_still_sequences() -> None:
    still = noise(0, 2, 1, 1, 24, 20).expand(2, 1, 6, 24, 20)
    for metric, wanted in (
        (TemporalFlicker(2.0), 0),
        (TemporalFlicker(2.0, flow=LucasKanade()), 0),
        (DynamicDegree(), 0),
        (DynamicDegree(threshold_pixels=1e-6), 0),
        (MotionAmount(), 0),
        (MotionSmoothness(2.0), 1),
        (MotionSmoothness(2.0, midpoint=LinearMidpoint()), 1),
    ):
        found = metric.statistic(still).tolist()
        assert found == pytest.approx([wanted, wanted], abs=1e-12), metric.name
    consistent = SubjectConsistency(MeanAndOne()).statistic(still)
    assert consistent.tolist() == pytest.approx([1, 1])


def test_flicker_by_hand() -> None:
    # three frames of 10, 13 and 9: differences 3 and 4
    frames = torch.tensor([10.0, 13.0, 9.0]).reshape(1, 1, 3, 1, 1).expand(1, 1, 3, 5, 5).clone()
    assert TemporalFlicker(70.0).statistic(frames).tolist() == pytest.approx([3.5 / 70])
    # a mask of the one pixel that jumps by 20 once; a mask that knows time, of the first two only
    frames[0, 0, 2, 1, 1] += 20
    mask = torch.zeros(1, 1, 5, 5, dtype=torch.bool)
    mask[..., 1, 1] = True
    assert TemporalFlicker(1.0).statistic(frames, mask).tolist() == pytest.approx([(3 + 16) / 2])
    over_time = mask[:, :, None].repeat(1, 1, 3, 1, 1)
    over_time[:, :, 2] = False
    assert TemporalFlicker(1.0).statistic(frames, over_time).tolist() == pytest.approx([3])
    assert math.isnan(float(TemporalFlicker(1.0).statistic(frames, mask & False)[0]))


def test_flicker_is_one_minus_the_score_of_vbench() -> None:
    frames = (noise(1, 1, 1, 5, 9, 8) * 255).round()
    video = frames[0, 0].numpy().astype(np.float32)
    score = (255 - np.mean([np.abs(a - b).mean() for a, b in pairwise(video)])) / 255
    assert 1 - float(TemporalFlicker(255.0).statistic(frames)[0]) == pytest.approx(score, rel=1e-6)


def test_motion_is_flicker_unless_it_is_taken_out() -> None:
    moving = disc(6, 1.5)
    plain = float(TemporalFlicker(1.0).statistic(moving)[0])
    without = float(TemporalFlicker(1.0, flow=LucasKanade()).statistic(moving)[0])
    assert without < 0.1 * plain
    brighter = moving * torch.tensor([1, 1.2, 1, 1.2, 1, 1.2]).reshape(1, 1, 6, 1, 1)
    assert float(TemporalFlicker(1.0, flow=LucasKanade()).statistic(brighter)[0]) > 5 * without


def test_smoothness_by_hand() -> None:
    # frames 0, 4, 2, 2, 4, x: the guesses of frames 1 and 3 are 1 and 3; the sixth is not judged
    frames = torch.tensor([0.0, 4, 2, 2, 4, 50]).reshape(1, 1, 6, 1, 1).expand(1, 1, 6, 6, 6)
    found = MotionSmoothness(10.0, midpoint=LinearMidpoint()).statistic(frames)
    assert found.tolist() == pytest.approx([1 - (3 + 1) / 2 / 10])


def test_smooth_motion_is_smoother_than_jerky_motion() -> None:
    smooth = disc(7, 2.0)
    places = [0, 1, 3, 2, 4, 6, 5]  # two frames swapped, twice
    jerky = smooth[:, :, places]
    by_flow = MotionSmoothness(1.0)
    assert float(by_flow.statistic(smooth)[0]) > float(by_flow.statistic(jerky)[0]) + 0.01
    linear = MotionSmoothness(1.0, midpoint=LinearMidpoint())
    assert float(by_flow.statistic(smooth)[0]) > float(linear.statistic(smooth)[0])
    halfway = FlowMidpoint().between(smooth[0, 0, :1], smooth[0, 0, 2:3])
    off = (halfway[0] - smooth[0, 0, 1]).abs().mean()
    double = ((smooth[0, 0, 0] + smooth[0, 0, 2]) / 2 - smooth[0, 0, 1]).abs().mean()
    assert off < 0.1 * double


def test_motion_amount_is_the_speed_of_what_moves() -> None:
    moving = disc(5, 2.0)
    found = float(MotionAmount().statistic(moving)[0])
    # an estimate: it overshoots at edges along which the disc slides
    assert found == pytest.approx(2, rel=0.25)
    steady = MotionAmount(Steady(3.0, 4.0))
    assert float(steady.statistic(moving)[0]) == pytest.approx(5)
    by_axis = MotionAmount(Steady(3.0, 4.0), spacing_mm=(2.0, 0.5))
    assert float(by_axis.statistic(moving)[0]) == pytest.approx(math.hypot(6, 2))
    in_mm = MotionAmount(spacing_mm=(9.0, 0.5))
    assert in_mm.unit == "mm/frame"
    assert 1 < float(in_mm.statistic(moving)[0]) < 9
    mask = torch.zeros(1, 1, 48, 48, dtype=torch.bool)
    mask[..., :4, :] = True
    assert float(MotionAmount().statistic(moving, mask)[0]) < 0.1
    assert math.isnan(float(MotionAmount().statistic(moving, mask & False)[0]))
    assert math.isnan(float(DynamicDegree().statistic(moving, mask & False)[0]))


def test_dynamic_degree_is_thresholded_where_it_is_said() -> None:
    moving = disc(8, 2.0)
    # 48 pixels a side: a threshold of T in 256 pixels is one of T * 48 / 256 here
    assert DynamicDegree(threshold_pixels=1.5 * 256 / 48).statistic(moving).tolist() == [1]
    assert DynamicDegree(threshold_pixels=2.6 * 256 / 48).statistic(moving).tolist() == [0]
    # two of eight frames' steps have to move
    mostly_still = torch.cat([moving[:, :, :1].expand(-1, -1, 6, -1, -1), moving[:, :, 1:3]], 2)
    metric = DynamicDegree(threshold_pixels=1.0 * 256 / 48)
    assert metric.statistic(mostly_still).tolist() == [1]
    assert metric.statistic(mostly_still[:, :, [0, 0, 0, 0, 0, 0, 0, 6]]).tolist() == [0]


def test_subject_consistency_by_hand() -> None:
    # features (mean, 1): directions at 45, 0 (mean 0 -> (0, 1)) and 135 degrees
    frames = torch.tensor([1.0, 0.0, -1.0]).reshape(1, 1, 3, 1, 1).expand(1, 1, 3, 4, 4)
    half = math.sqrt(0.5)
    first = half  # of frame 2, to the one before and to the first
    second = (half + 0) / 2  # of frame 3
    found = SubjectConsistency(MeanAndOne()).statistic(frames)
    assert found.tolist() == pytest.approx([(first + second) / 2])
    # an angle of more than 90 degrees counts as none
    apart = frames * 5
    found = SubjectConsistency(MeanAndOne()).statistic(apart)
    cosine = 1 / math.sqrt(26)
    assert found.tolist() == pytest.approx([(cosine + (cosine + 0) / 2) / 2])


def test_subject_consistency_sees_a_change_of_subject() -> None:
    extractor = RadiomicFeatures((0, 1), sigmas_mm=(), wavelet=None)
    steady = noise(3, 1, 1, 1, 16, 16) + 0.02 * noise(4, 1, 1, 8, 16, 16)
    changed = torch.cat([steady[:, :, :4], steady[:, :, 4:] ** 6], 2)
    frames = noise(5, 40, 1, 16, 16) ** torch.linspace(1, 6, 40).reshape(-1, 1, 1, 1)
    scale = RobustScale.fit(extractor.features(frames))
    metric = SubjectConsistency(extractor, scale=scale)
    same, other = float(metric.statistic(steady)[0]), float(metric.statistic(changed)[0])
    assert 0 <= other < same - 0.1 <= 1
    assert sequence_number_name(metric) == "subject_consistency[radiomics]"
    assert metric.parameters == {"extractor": "radiomics", "scale": "robust"}


@pytest.mark.parametrize("shape", [(20, 31), (16, 18, 20)])
def test_sharpness_against_scikit_image(shape: tuple[int, ...]) -> None:
    frames = noise(6, 3, *shape).cumsum(-1).cumsum(1)
    for size in (11, 4):
        found = Sharpness(size).ratings(frames)
        theirs = [1 - blur_effect(x.numpy(), h_size=size) for x in frames]
        assert found.tolist() == pytest.approx(theirs, rel=1e-9)
    everywhere = torch.ones_like(frames, dtype=torch.bool)
    torch.testing.assert_close(Sharpness().ratings(frames, everywhere), Sharpness().ratings(frames))
    assert math.isnan(float(Sharpness().ratings(torch.ones(1, *shape).double())[0]))


def test_signal_to_noise_finds_the_noise() -> None:
    rows, columns = torch.meshgrid(*[torch.linspace(0, 1, 200).double()] * 2, indexing="ij")
    smooth = 10 * (rows + columns)[None]
    rng = torch.Generator().manual_seed(0)
    noisy = smooth + 0.5 * torch.randn(1, 200, 200, generator=rng, dtype=torch.float64)
    expected = 20 * math.log10(float(noisy.std()) / 0.5)
    assert float(SignalToNoise().ratings(noisy)[0]) == pytest.approx(expected, abs=0.2)
    assert float(SignalToNoise().ratings(noisy * 30 - 5)[0]) == pytest.approx(expected, abs=0.2)
    mask = torch.zeros(1, 200, 200, dtype=torch.bool)
    mask[:, 20:90, 30:150] = True
    assert float(SignalToNoise().ratings(noisy, mask)[0]) == pytest.approx(
        20 * math.log10(float(noisy[mask].std()) / 0.5), abs=0.4
    )
    still = 8.0 * (noise(20, 1, 30, 30) > 2)
    assert math.isnan(float(SignalToNoise().ratings(still)[0]))


def test_blur_lowers_sharpness_and_noise_lowers_signal_to_noise() -> None:
    clip = disc(3, 1.0)
    soft = torch.nn.functional.avg_pool2d(clip[0], 5, 1, 2)[None]
    rough = clip + 0.1 * noise(7, *clip.shape)
    assert float(ImagingQuality().statistic(soft)[0]) < float(ImagingQuality().statistic(clip)[0])
    by_noise = ImagingQuality(SignalToNoise())
    assert by_noise.unit == "dB"
    assert float(by_noise.statistic(rough)[0]) < float(by_noise.statistic(clip)[0]) - 3


class Middle(nn.Module):
    """The mean of two frames."""

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        return (before + after) / 2


class Mark(nn.Module):
    """A hundred times the mean brightness."""

    def forward(self, images: Tensor) -> Tensor:
        return 100 * images.mean((1, 2, 3))[:, None]


def saved(network: nn.Module, path: Path) -> Path:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(network.eval()).save(str(path))
    return path


def test_networks_by_path(tmp_path: Path) -> None:
    clip = noise(8, 2, 1, 5, 12, 10) * 40 - 10
    amt = ScriptedMidpoint(saved(Middle(), tmp_path / "amt_s.pt"), (-10, 30))
    metric = MotionSmoothness(40.0, midpoint=amt)
    linear = MotionSmoothness(40.0, midpoint=LinearMidpoint())
    torch.testing.assert_close(metric.statistic(clip), linear.statistic(clip), rtol=0, atol=1e-6)
    assert sequence_number_name(metric) == "motion_smoothness[amt_s]"
    musiq = ScriptedRater(saved(Mark(), tmp_path / "musiq.pt"), (-10, 30))
    found = ImagingQuality(musiq)
    expected = ((clip + 10) / 40).mean((1, 2, 3, 4))
    torch.testing.assert_close(found.statistic(clip), expected, rtol=0, atol=1e-6)
    assert sequence_number_name(found) == "imaging_quality[musiq]"
    with pytest.raises(InputError, match="such as MUSIQ"):
        ImagingQuality(ScriptedRater(tmp_path / "no.pt", (0, 1))).statistic(clip)
    with pytest.raises(InputError, match="such as AMT"):
        ScriptedMidpoint(tmp_path / "no.pt", (0, 1)).between(clip[0, 0], clip[0, 0])


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 999), factor=st.floats(0.01, 1e3), offset=st.floats(-1e3, 1e3))
def test_units_do_not_matter(seed: int, factor: float, offset: float) -> None:
    clip = noise(seed, 2, 1, 5, 16, 14)
    moved = clip * factor + offset
    for plain, other in (
        (TemporalFlicker(1.0), TemporalFlicker(factor)),
        (
            MotionSmoothness(1.0, midpoint=LinearMidpoint()),
            MotionSmoothness(factor, midpoint=LinearMidpoint()),
        ),
        (ImagingQuality(), ImagingQuality()),
        (ImagingQuality(SignalToNoise()), ImagingQuality(SignalToNoise())),
    ):
        torch.testing.assert_close(
            other.statistic(moved), plain.statistic(clip), rtol=1e-6, atol=1e-6
        )
    plain = TemporalFlicker(1.0).statistic(clip)
    assert (plain >= 0).all()
    torch.testing.assert_close(TemporalFlicker(1.0).statistic(clip.flip(2)), plain)


@pytest.mark.parametrize("metric", METRICS, ids=sequence_number_name)
def test_batches_types_volumes_and_bad_input(metric: SequenceMetric) -> None:
    clips = (noise(9, 3, 1, 4, 14, 13) * 200).to(torch.int16)
    found = metric.statistic(clips)
    assert found.shape == (3,)
    assert found.dtype == torch.float64
    torch.testing.assert_close(metric.statistic(clips[1:2].double()), found[1:2])
    volumes = metric.statistic(noise(10, 2, 1, 3, 8, 9, 10))
    assert volumes.shape == (2,)
    assert torch.isfinite(volumes).all()
    broken = clips.double()
    broken[2, 0, 1, 3, 3] = math.nan
    with pytest.raises(InputError, match="case 2"):
        metric.statistic(broken)
    with pytest.raises(InputError, match=r"batch, channel, time"):
        metric.statistic(clips[0])
    with pytest.raises(InputError, match="a mask of shape"):
        metric.statistic(clips, torch.ones(3, 1, 9, 9, dtype=torch.bool))
    with pytest.raises(InputError, match="type bool"):
        metric.statistic(clips, torch.ones(3, 1, 14, 13))
    with pytest.raises(InputError, match="real values"):
        metric.statistic(clips * 1j)
    if not isinstance(metric, ImagingQuality):
        with pytest.raises(InputError, match="frames"):
            metric.statistic(clips[:, :, :1])


def test_parameters_are_checked() -> None:
    with pytest.raises(InputError, match="data_range"):
        TemporalFlicker(0.0)
    with pytest.raises(InputError, match="data_range"):
        MotionSmoothness(-1.0)
    with pytest.raises(InputError, match="threshold_pixels"):
        DynamicDegree(threshold_pixels=0)
    with pytest.raises(InputError, match="2 voxel sizes"):
        MotionAmount(spacing_mm=(1.0, 1, 1)).statistic(disc(3, 1))
    names = {sequence_number_name(metric) for metric in METRICS}
    assert names >= {"temporal_flicker", "temporal_flicker[lucas_kanade]",
                     "motion_smoothness[lucas_kanade_midway]", "motion_smoothness[linear]",
                     "dynamic_degree[lucas_kanade]", "imaging_quality[sharpness]"}  # fmt: skip
