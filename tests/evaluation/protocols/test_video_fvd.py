"""The protocol of image sequences: what is read, what is measured, by which words."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vesalius.core import InputError
from vesalius.evaluation.protocols import Pair
from vesalius.evaluation.protocols.video_fvd import OF_REAL, VideoFVD, video_fvd
from vesalius.metrics.feature import extractor
from vesalius.metrics.feature.video import ClipStatistics, MotionHistograms, ScriptedClips

REAL = f" {OF_REAL}"


def beating(frames: int = 16, *, size: int = 40, swing: float = 3.0) -> Tensor:
    """``(1, 1, time, size, size)``: a ring whose radius swings, from 100 to about 300."""
    rows, columns = torch.meshgrid(*[torch.arange(size, dtype=torch.float64)] * 2, indexing="ij")
    distance = ((rows - size / 2) ** 2 + (columns - size / 2) ** 2).sqrt()
    radii = [10 + swing * math.sin(2 * math.pi * t / 16) for t in range(frames)]
    ring = [torch.exp(-((distance - radius) ** 2) / 8) for radius in radii]
    return 100 + 200 * torch.stack(ring)[None, None]


def test_files_are_cut_to_sixteen_frames(tmp_path: Path) -> None:
    frames = np.random.default_rng(0).random((20, 6, 7), dtype=np.float32)
    np.savez(tmp_path / "a.npz", frames=frames, spacing_mm=[2.0, 0.5])
    content = video_fvd().content(tmp_path / "a.npz", real=True)
    np.testing.assert_array_equal(content.image.data[0], frames[:16])
    assert content.image.spacing_mm == (1.0, 2.0, 0.5)
    assert content.slice_axis == 0
    np.savez(tmp_path / "b.npz", frames=frames[:15])
    with pytest.raises(InputError, match=r"b.npz: expected at least 16 frames, got 15"):
        video_fvd().content(tmp_path / "b.npz", real=True)
    np.savez(tmp_path / "c.npz", frames=frames[:, None])
    with pytest.raises(InputError, match="2D frames"):
        video_fvd().content(tmp_path / "c.npz", real=False)


def test_values_of_a_pair() -> None:
    pytest.importorskip("efficientnet_lite_pytorch", reason="needs the extra 'features'")
    protocol = video_fvd()
    real = beating()
    rng = torch.Generator().manual_seed(0)
    flickering = real + 40 * torch.randn(1, 1, 16, 1, 1, generator=rng, dtype=torch.float64)
    found = protocol.values(Pair(flickering, real))
    assert set(found) == {measure.name for measure in protocol.measures}
    assert found["temporal_flicker"][0] > 2 * found[f"temporal_flicker{REAL}"][0]
    smooth = "motion_smoothness[lucas_kanade_midway]"
    assert found[smooth][0] < found[smooth + REAL][0] - 0.01
    # the unit does not matter, since the range of the real one does not either
    same = protocol.values(Pair(real * 7 - 900, real * 7 - 900))
    for name, values in same.items():
        assert values == same[name.removesuffix(REAL)]
        assert math.isfinite(values[0])
        if name.endswith(REAL):
            assert values == pytest.approx(found[name], rel=1e-3, abs=1e-3)
    constant = protocol.values(Pair(real, torch.ones_like(real)))
    assert all(math.isnan(values[0]) for values in constant.values())


def test_each_extractor_has_its_distances() -> None:
    protocol = video_fvd()
    assert isinstance(protocol, VideoFVD)
    assert protocol.whole
    names = {spec: [m.name for m in protocol.distances(spec)] for spec in protocol.extractors}
    assert names == {
        "clip_efficientnet_lite0": ["fvd", "kvd"],
        "motion_lucas_kanade": ["fvmd_like"],
    }
    for word in ("16 frames", "I3D", "motion histograms"):
        assert word in protocol.text()


class Means(nn.Module):
    def forward(self, clips: Tensor, halved: bool = False) -> Tensor:
        found = clips.mean((3, 4)).flatten(1)
        return found / 2 if halved else found


def test_words_of_extractors(tmp_path: Path) -> None:
    statistics = extractor("clip_radiomics", (0, 1), 3)
    assert isinstance(statistics, ClipStatistics)
    assert statistics.name == "clip_radiomics"
    for word in ("motion_lucas_kanade", "motion_tv_l1"):
        motion = extractor(word, (0, 1), 3)
        assert isinstance(motion, MotionHistograms)
        assert motion.name == word
    path = tmp_path / "i3d.pt"
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(Means().eval()).save(str(path))
    path.with_suffix(".json").write_text(
        '{"frames": 4, "size": 8, "scale": [0, 1], "flags": {"halved": true}}'
    )
    network = extractor(f"clip:{path}", (0, 10), 3)
    assert isinstance(network, ScriptedClips)
    assert network.name == "i3d"
    clip = torch.full((1, 1, 4, 6, 6), 5.0)
    assert network.features(clip).tolist() == [[0.25] * 12]
    with pytest.raises(InputError, match="Kinetics-400"):
        extractor(f"clip:{tmp_path / 'none.pt'}", (0, 1), 3)
    with pytest.raises(InputError, match="an extractor of clips"):
        extractor("motion_pips", (0, 1), 3)
    with pytest.raises(InputError, match="expected sequences"):
        extractor("clip_radiomics", (0, 1), 2)
