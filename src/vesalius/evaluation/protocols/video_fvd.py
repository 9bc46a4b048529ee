"""Image sequences as video generation judges them: FVD, KVD, motion, VBench's dimensions."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from vesalius.core.errors import InputError
from vesalius.core.image import Image, spacing_affine
from vesalius.data.sequences import read_sequence
from vesalius.evaluation.protocols.protocol import Content, Found, Measure, Pair, Protocol
from vesalius.metrics.feature import EfficientNetLite0Features
from vesalius.metrics.feature.video import (
    CLIP_FRAMES,
    DynamicDegree,
    FrechetMotionDistance,
    FrechetVideoDistance,
    ImagingQuality,
    KernelVideoDistance,
    MotionAmount,
    MotionSmoothness,
    SequenceMetric,
    Sharpness,
    SignalToNoise,
    SubjectConsistency,
    TemporalFlicker,
    sequence_number_name,
)
from vesalius.metrics.feature.video.clip_extractors import MOTION
from vesalius.metrics.metric import SetMetric

#: After the name of a number that is of the real sequence.
OF_REAL = "of the real"


@lru_cache(maxsize=1)
def _metrics() -> tuple[SequenceMetric, ...]:
    """On sequences from 0 to 1; kept, so that the network is read once."""
    return (
        SubjectConsistency(EfficientNetLite0Features((0.0, 1.0))),
        MotionSmoothness(1.0),
        TemporalFlicker(1.0),
        DynamicDegree(),
        MotionAmount(),
        ImagingQuality(Sharpness()),
        ImagingQuality(SignalToNoise()),
    )


@dataclass(frozen=True)
class VideoFVD(Protocol):
    """Sequences of 2D frames: FVD, KVD and a distance of motion, and VBench's dimensions."""

    name = "video-fvd"
    citation = "Unterthiner et al. 2018, arXiv:1812.01717; Huang et al. 2024, arXiv:2311.17982"
    dims = (3,)
    over = "sequences"
    whole = True
    extractors = ("clip_efficientnet_lite0", "motion_lucas_kanade")
    settings = (
        f"the first {CLIP_FRAMES} frames; FVD and KVD of clip features, a Fréchet distance of "
        "motion histograms after FVMD; dimensions after VBench of each sequence, scaled by the "
        "range of the real one, beside the real one's"
    )
    remarks = (
        "the published FVD has features of I3D: pass its file, --extractor clip:i3d.pt",
        "dimensions of single sequences are of those that have a partner by name",
    )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Dimensions of the generated sequence, then of the real one."""
        found = [
            Measure(
                sequence_number_name(metric), metric.level, metric.unit, metric.direction,
                metric.citation,
            )
            for metric in _metrics()
        ]  # fmt: skip
        return (*found, *(replace(one, name=f"{one.name} {OF_REAL}") for one in found))

    def distances(self, extractor: str) -> tuple[SetMetric, ...]:
        """Of motion histograms the one after FVMD, of other features FVD and KVD."""
        if extractor.startswith(MOTION):
            return (FrechetMotionDistance(),)
        return FrechetVideoDistance(), KernelVideoDistance()

    def content(self, path: Path, *, real: bool) -> Content:
        """The first 16 frames of a sequence, ``(1, time, height, width)``."""
        sequence = read_sequence(path)
        if sequence.data.ndim != 4:
            raise InputError(
                "a sequence of 2D frames", came="one of volumes", case=path.name,
                remedy="write the sequence of one slice",
            )  # fmt: skip
        if sequence.data.shape[1] < CLIP_FRAMES:
            raise InputError(
                f"at least {CLIP_FRAMES} frames", came=sequence.data.shape[1], case=path.name,
                remedy="the protocol is laid down for clips of that length",
            )  # fmt: skip
        image = Image(
            sequence.data[:, :CLIP_FRAMES],
            spacing_affine((1.0, *(sequence.spacing_mm or (1.0, 1.0)))),
            unit=sequence.unit,
            modality=sequence.modality,
            stored=sequence.stored,
        )
        return Content(image, slice_axis=0)

    def values(self, pair: Pair) -> Found:
        """One value a sequence; NaN where the real one is constant, which has no range."""
        low, high = float(pair.reference.min()), float(pair.reference.max())
        found: dict[str, tuple[float, ...]] = {}
        for metric in _metrics():
            name = sequence_number_name(metric)
            for named, sequence in ((name, pair.predicted), (f"{name} {OF_REAL}", pair.reference)):
                if high > low:
                    scaled = (sequence - low) / (high - low)
                    found[named] = (float(metric.statistic(scaled, pair.mask)[0]),)
                else:
                    found[named] = (math.nan,)
        return found


def video_fvd() -> VideoFVD:
    """Sequences: FVD, KVD, motion after FVMD, and VBench's dimensions with named parts."""
    return VideoFVD()
