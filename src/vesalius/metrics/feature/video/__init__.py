"""Image sequences: clips compared as sets, and single ones by how they go on in time."""

from vesalius.metrics.feature.video.clip_extractors import clip_extractor
from vesalius.metrics.feature.video.clip_statistics import ClipStatistics, frame_features
from vesalius.metrics.feature.video.dynamic_degree import DynamicDegree, MotionAmount
from vesalius.metrics.feature.video.flow import Flow
from vesalius.metrics.feature.video.imaging_quality import ImagingQuality
from vesalius.metrics.feature.video.lucas_kanade import LucasKanade
from vesalius.metrics.feature.video.midpoint import (
    FlowMidpoint,
    LinearMidpoint,
    Midpoint,
    ScriptedMidpoint,
)
from vesalius.metrics.feature.video.motion_distance import FrechetMotionDistance
from vesalius.metrics.feature.video.motion_histograms import MotionHistograms
from vesalius.metrics.feature.video.motion_smoothness import MotionSmoothness
from vesalius.metrics.feature.video.rater import (
    Rater,
    ScriptedRater,
    Sharpness,
    SignalToNoise,
)
from vesalius.metrics.feature.video.scripted_clips import ScriptedClips
from vesalius.metrics.feature.video.scripted_flow import ScriptedFlow
from vesalius.metrics.feature.video.sequence_metric import SequenceMetric, sequence_number_name
from vesalius.metrics.feature.video.sequence_text_agreement import SequenceTextAgreement
from vesalius.metrics.feature.video.sequences import CLIP_FRAMES, clips_of
from vesalius.metrics.feature.video.subject_consistency import SubjectConsistency
from vesalius.metrics.feature.video.temporal_flicker import TemporalFlicker
from vesalius.metrics.feature.video.total_variation_flow import TotalVariationFlow
from vesalius.metrics.feature.video.video_distances import (
    FrechetVideoDistance,
    KernelVideoDistance,
)

__all__ = [
    "CLIP_FRAMES",
    "ClipStatistics",
    "DynamicDegree",
    "Flow",
    "FlowMidpoint",
    "FrechetMotionDistance",
    "FrechetVideoDistance",
    "ImagingQuality",
    "KernelVideoDistance",
    "LinearMidpoint",
    "LucasKanade",
    "Midpoint",
    "MotionAmount",
    "MotionHistograms",
    "MotionSmoothness",
    "Rater",
    "ScriptedClips",
    "ScriptedFlow",
    "ScriptedMidpoint",
    "ScriptedRater",
    "SequenceMetric",
    "SequenceTextAgreement",
    "Sharpness",
    "SignalToNoise",
    "SubjectConsistency",
    "TemporalFlicker",
    "TotalVariationFlow",
    "clip_extractor",
    "clips_of",
    "frame_features",
    "sequence_number_name",
]
