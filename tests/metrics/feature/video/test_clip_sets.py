"""Sets of clips: features of clips, motion histograms, FVD, KVD, and text agreement."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import InputError
from vesalius.metrics.feature import (
    FrechetDistance,
    KernelDistance,
    RadiomicFeatures,
    enough_cases,
    named,
)
from vesalius.metrics.feature.video import (
    ClipStatistics,
    FrechetMotionDistance,
    FrechetVideoDistance,
    KernelVideoDistance,
    MotionHistograms,
    ScriptedClips,
    SequenceTextAgreement,
    clips_of,
)
from vesalius.metrics.feature.video.flow import Flow
from vesalius.metrics.metric import Extractor


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Mean(Extractor):
    """One feature: the mean of the image in the mask."""

    name = "mean"
    citation = "none"

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        inside = torch.ones_like(images, dtype=torch.bool) if mask is None else mask
        axes = tuple(range(1, images.ndim))
        return ((images * inside).sum(axes) / inside.sum(axes)).double()[:, None]


class Steady(Flow):
    """Moves everything by the same displacement, in pixels of what it is given."""

    citation = "none"

    def __init__(self, *steps: tuple[float, float]) -> None:
        self.steps = torch.tensor(steps, dtype=torch.float64)

    @property
    def name(self) -> str:
        return "steady"

    def displacement(self, before: Tensor, after: Tensor) -> Tensor:
        steps = self.steps.expand(len(before), 2) if len(self.steps) == 1 else self.steps
        return steps[:, :, None, None].expand(-1, -1, *before.shape[1:])


def flat(*levels: float) -> Tensor:
    return torch.tensor(levels).double().reshape(1, 1, -1, 1, 1).expand(1, 1, -1, 4, 4)


def test_clip_statistics_by_hand() -> None:
    # steps 2, 2, -1
    found = ClipStatistics(Mean()).features(flat(0, 2, 4, 3))[0].tolist()
    expected = [
        9 / 4,
        math.sqrt((81 / 16 + 1 / 16 + 49 / 16 + 9 / 16) / 4),
        math.sqrt(9 / 3),
        ((8 + 8 - 1) / 3) ** (1 / 3),
    ]
    assert found == pytest.approx(expected)


def test_time_reversed_changes_the_sign_of_the_last_quarter_alone() -> None:
    clips = noise(0, 3, 1, 6, 12, 10)
    extractor = ClipStatistics(RadiomicFeatures((0, 1), sigmas_mm=(), wavelet=None))
    assert extractor.name == "clip_radiomics"
    forward, backward = extractor.features(clips), extractor.features(clips.flip(2))
    parts = forward.shape[1] // 4
    torch.testing.assert_close(backward[:, : 3 * parts], forward[:, : 3 * parts])
    torch.testing.assert_close(backward[:, 3 * parts :], -forward[:, 3 * parts :])
    assert forward[:, 3 * parts :].abs().max() > 0.01
    # the order of frames is seen by the third quarter
    mixed = extractor.features(clips[:, :, [0, 3, 1, 5, 2, 4]])
    torch.testing.assert_close(mixed[:, : 2 * parts], forward[:, : 2 * parts])
    assert (mixed[:, 2 * parts : 3 * parts] - forward[:, 2 * parts : 3 * parts]).abs().max() > 0.01


def test_still_clips_have_only_means_and_masks_follow_time() -> None:
    found = ClipStatistics(Mean()).features(flat(5, 5, 5))
    assert found.tolist() == [[5, 0, 0, 0]]
    clip = flat(1, 1, 1).clone()
    clip[..., 0, 0] = 9
    mask = torch.zeros(1, 1, 3, 4, 4, dtype=torch.bool)
    mask[:, :, 0, 0, 0] = True  # the bright corner in the first frame only
    mask[:, :, 1:, 1, 1] = True
    assert ClipStatistics(Mean()).features(clip, mask)[0, 0] == pytest.approx(11 / 3)
    volumes = ClipStatistics(Mean()).features(noise(1, 2, 1, 3, 4, 5, 6))
    assert volumes.shape == (2, 4)


def test_clips_are_consecutive_frames() -> None:
    sequence = torch.arange(7.0).reshape(1, 1, 7, 1, 1).expand(2, 3, 7, 2, 2)
    clips = clips_of(sequence, 3)
    assert clips.shape == (4, 3, 3, 2, 2)
    assert clips[:, 0, :, 0, 0].tolist() == [[0, 1, 2], [3, 4, 5]] * 2
    assert clips_of(sequence, 3, step=2)[:3, 1, 0, 0, 0].tolist() == [0, 2, 4]
    assert clips_of(noise(2, 1, 1, 16, 3, 4, 5)).shape == (1, 1, 16, 3, 4, 5)
    with pytest.raises(InputError, match="at least 16 frames"):
        clips_of(sequence)


class Thirds(nn.Module):
    """The means of the first, second and third channel over frames and space, and a flag."""

    def forward(self, clips: Tensor, doubled: bool = False) -> Tensor:
        found = clips.mean((2, 3, 4))
        return 2 * found if doubled else found


class Map(nn.Module):
    def forward(self, clips: Tensor) -> Tensor:
        return clips[:, :2]


def saved(network: nn.Module, path: Path) -> Path:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(network.eval()).save(str(path))
    return path


def test_a_video_network_by_path(tmp_path: Path) -> None:
    path = saved(Thirds(), tmp_path / "i3d_kinetics400.pt")
    clips = torch.tensor([-100.0, 0.0, 300.0, 900.0]).reshape(4, 1, 1, 1, 1).expand(4, 1, 16, 9, 9)
    extractor = ScriptedClips(path, (-100, 300), size=12)
    found = extractor.features(clips)
    assert found.dtype == torch.float64
    assert found[:, 0].tolist() == pytest.approx([-1, -0.5, 1, 1])
    assert named(FrechetVideoDistance(), extractor) == "fvd[i3d_kinetics400]"
    doubled = ScriptedClips(path, (-100, 300), size=12, flags={"doubled": True}, at_once=1)
    torch.testing.assert_close(doubled.features(clips), 2 * found)
    volumes = clips[:, :, :, None].expand(4, 1, 16, 7, 9, 9)
    torch.testing.assert_close(extractor.features(volumes), found)
    mask = torch.zeros(4, 1, 9, 9, dtype=torch.bool)
    dark = extractor.features(clips, mask)
    assert dark.unique().tolist() == [-1]
    mapped = ScriptedClips(saved(Map(), tmp_path / "map.pt"), (-100, 300), size=8)
    torch.testing.assert_close(mapped.features(clips), found[:, :2])


def test_a_video_network_that_cannot_be(tmp_path: Path) -> None:
    clips = noise(3, 1, 1, 16, 8, 8)
    with pytest.raises(InputError, match=r"I3D trained on Kinetics-400 from .*; |ClipStatistics"):
        ScriptedClips(tmp_path / "i3d.pt", (0, 1)).features(clips)
    with pytest.raises(InputError, match="clips of 16 frames, got 12"):
        ScriptedClips(tmp_path / "i3d.pt", (0, 1)).features(clips[:, :, :12])
    with pytest.raises(InputError, match="window"):
        ScriptedClips(tmp_path / "i3d.pt", (1, 1))
    with pytest.raises(InputError, match="positive frames"):
        ScriptedClips(tmp_path / "i3d.pt", (0, 1), frames=0)


def test_fvd_and_kvd_are_the_distances_of_their_features() -> None:
    generated, real = noise(4, 30, 5), noise(5, 25, 5) * 1.5
    fvd, kvd = FrechetVideoDistance(), KernelVideoDistance()
    assert fvd.value(generated, real) == FrechetDistance().value(generated, real) > 0.05
    assert kvd.value(generated, real) == KernelDistance().value(generated, real)
    assert {fvd.name, kvd.name, FrechetMotionDistance().name} == {"fvd", "kvd", "fvmd_like"}
    for metric in (fvd, FrechetMotionDistance()):
        assert "rank" in enough_cases(metric, 10, 400)
    assert "small" in enough_cases(kvd, 10, 400)
    assert named(FrechetMotionDistance(), MotionHistograms()) == ("fvmd_like[motion_lucas_kanade]")


def test_histograms_of_a_steady_motion() -> None:
    # 3 pixels down and 4 to the right, in the 256 pixels that are tracked
    extractor = MotionHistograms(Steady((3.0, 4.0)))
    found = extractor.features(noise(6, 1, 1, 16, 32, 32))[0]
    assert found.shape == (1024,)
    velocity, acceleration = found.reshape(2, 4, 16, 8)
    assert acceleration.abs().max() < 1e-9
    # atan2(3, 4) is 36.87 degrees: the fifth direction counted from -180
    weight = math.log2(6) / 8 * 25
    assert velocity.sum(-1).unique().numel() <= 200
    # the first frame has no velocity
    assert velocity[0, :, 4].tolist() == pytest.approx([3 * weight] * 16)
    assert velocity[1:, :, 4].flatten().tolist() == pytest.approx([4 * weight] * 48)
    assert velocity.sum() == pytest.approx(float(velocity[..., 4].sum()))
    rounded = MotionHistograms(Steady((3.0, 4.0)), weight="rounded_up")
    assert rounded.name == "motion_steady_rounded_up"
    found = rounded.features(noise(6, 1, 1, 16, 32, 32))[0].reshape(2, 4, 16, 8)
    assert found[0, 1, 0, 4] == pytest.approx(4 * 25 * 3 / 8)


def test_histograms_of_an_acceleration() -> None:
    # two steps along the width, of 1 and of 3 pixels: one acceleration of 2, in the third frame
    found = MotionHistograms(Steady((0.0, 1.0), (0.0, 3.0))).features(noise(7, 1, 1, 3, 20, 20))
    velocity, acceleration = found.reshape(2, 16, 8)
    assert velocity.sum(1).tolist() == pytest.approx([25 * (1 + 2) / 8] * 16)
    assert acceleration.sum(1).tolist() == pytest.approx([25 * math.log2(3) / 8] * 16)


def test_points_outside_the_mask_do_not_count() -> None:
    mask = torch.zeros(1, 1, 40, 40, dtype=torch.bool)
    mask[..., :20, :] = True
    found = MotionHistograms(Steady((0.0, -2.0))).features(noise(8, 1, 1, 4, 40, 40), mask)
    by_cell = found.reshape(2, 4, 4, 8)[0].sum(-1)
    assert (by_cell[:2] > 0).all()
    assert (by_cell[2:] == 0).all()


def test_motion_distance_sees_motion_and_not_looks() -> None:
    rows, columns = torch.meshgrid(*[torch.arange(48.0)] * 2, indexing="ij")

    def clips(speed: float, brightness: float) -> Tensor:
        rng = torch.Generator().manual_seed(0)
        found = []
        for _ in range(4):
            row, column, angle = torch.rand(3, generator=rng)
            start = (16 + 8 * row, 16 + 8 * column)
            step = (speed * torch.sin(6.28 * angle), speed * torch.cos(6.28 * angle))
            found.append(torch.stack([
                brightness * torch.sigmoid(
                    9 - ((rows - start[0] - step[0] * t) ** 2
                         + (columns - start[1] - step[1] * t) ** 2).sqrt())
                for t in range(4)
            ]))  # fmt: skip
        return torch.stack(found)[:, None]

    extractor = MotionHistograms()
    real = extractor.features(clips(1.0, 1.0))
    alike, faster, still = (extractor.features(clips(speed, 40.0)) for speed in (1.0, 4.0, 0.0))
    assert still.abs().max() == 0
    distance = FrechetMotionDistance()
    assert distance.value(alike, real) < 1e-3 * distance.value(still, real)
    assert distance.value(alike, real) < 1e-3 * distance.value(faster, real)


def test_motion_needs_three_to_sixteen_frames() -> None:
    with pytest.raises(InputError, match="at least 3 frames"):
        MotionHistograms().features(noise(9, 1, 1, 2, 16, 16))
    with pytest.raises(InputError, match=r"at most 16 frames, got 17; cut them with clips_of"):
        MotionHistograms().features(noise(9, 1, 1, 17, 16, 16))
    with pytest.raises(InputError, match="one channel"):
        MotionHistograms().features(noise(9, 1, 2, 4, 16, 16))
    volumes = MotionHistograms(Steady((1.0, 0.0))).features(noise(10, 2, 1, 3, 8, 9, 10))
    assert volumes.shape == (2, 256)


WORDS = ("heart", "beats", "still", "liver")


def count_words(texts: Sequence[str]) -> Tensor:
    return torch.tensor([[float(text.split().count(word)) for word in WORDS] for text in texts])


def test_text_agreement_of_sequences() -> None:
    metric = SequenceTextAgreement(count_words, "words")
    captions = [["heart beats"], ["heart", "liver", "heart still"]]
    found = metric.statistic(captions, ["heart beats", "heart"])
    assert found.tolist() == pytest.approx([1, (1 + 0 + math.sqrt(0.5)) / 3])

    def captioner(sequence: Tensor) -> list[str]:
        return ["heart" if frame.mean() > 0 else "liver" for frame in sequence.unbind(1)]

    clip = torch.tensor([1.0, -1, 1, 1]).reshape(1, 4, 1, 1)
    assert metric.score([clip], ["heart"], captioner).tolist() == pytest.approx([0.75])
    with pytest.raises(InputError, match="captions for each of 2 prompts"):
        metric.statistic([["heart"]], ["heart", "liver"])
    with pytest.raises(InputError, match="case 1: expected a caption"):
        metric.statistic([["heart"], []], ["heart", "liver"])
    with pytest.raises(InputError, match="case 0: expected a list of captions"):
        metric.statistic(["heart"], ["heart"])
    with pytest.raises(InputError, match="words"):
        metric.statistic([["heart", " "]], ["heart"])
