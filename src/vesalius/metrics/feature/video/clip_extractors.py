"""From the word that a user types to an extractor of clips."""

from __future__ import annotations

from pathlib import Path

from vesalius.core.errors import InputError
from vesalius.metrics.feature.video.clip_statistics import ClipStatistics
from vesalius.metrics.feature.video.flow import Flow
from vesalius.metrics.feature.video.lucas_kanade import LucasKanade
from vesalius.metrics.feature.video.motion_histograms import MotionHistograms
from vesalius.metrics.feature.video.scripted_clips import ScriptedClips
from vesalius.metrics.feature.video.total_variation_flow import TotalVariationFlow
from vesalius.metrics.metric import Extractor

#: What words of extractors of clips begin with.
STATISTICS, NETWORK, MOTION = "clip_", "clip:", "motion_"
#: What ``NAME.json`` beside a network may say of its input.
OF_CLIPS = frozenset({"frames", "size", "scale", "flags"})


def is_of_clips(spec: str) -> bool:
    """Whether a word names an extractor of clips."""
    return spec.startswith((STATISTICS, NETWORK, MOTION))


def clip_extractor(spec: str, window: tuple[float, float]) -> Extractor:
    """The extractor of clips ``(batch, 1, time, height, width)`` that ``spec`` names.

    Parameters
    ----------
    spec:
        ``"clip_"`` and a word for images (``"clip_radiomics"``, ``"clip_efficientnet_lite0"``):
        statistics over time of features of frames. ``"clip:PATH.pt"``: a TorchScript network for
        video; what it takes, where it is not 16 frames of 224 x 224 from -1 to 1, is said by
        ``PATH.json``: ``frames``, ``size``, ``scale`` and ``flags`` of :class:`ScriptedClips`.
        ``"motion_lucas_kanade"`` or ``"motion_tv_l1"``: :class:`MotionHistograms`.
    window:
        (low, high) in the unit of the frames.

    Raises
    ------
    InputError
        For other words, and for files that are missing or broken.
    """
    from vesalius.metrics.feature.extractors import extractor, told_beside

    if spec.startswith(STATISTICS):
        return ClipStatistics(extractor(spec.removeprefix(STATISTICS), window, 2))
    if spec.startswith(NETWORK):
        path = Path(spec.removeprefix(NETWORK))
        ready = ScriptedClips(path, window, **told_beside(path.with_suffix(".json"), OF_CLIPS))
        assert ready.network is not None
        return ready
    flows: tuple[Flow, ...] = (LucasKanade(), TotalVariationFlow())
    for flow in flows:
        if spec == MOTION + flow.name:
            return MotionHistograms(flow)
    known = [f"{STATISTICS}radiomics", f"{NETWORK}PATH.pt", *(MOTION + flow.name for flow in flows)]
    raise InputError(f"an extractor of clips: {', '.join(known)}", came=f"'{spec}'")
