"""Whether what a sequence shows stays the same thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from torch import Tensor
from torch.nn import functional

from vesalius.core.record import Direction
from vesalius.metrics.feature.robust_scale import RobustScale
from vesalius.metrics.feature.video.clip_statistics import frame_features
from vesalius.metrics.feature.video.sequence_metric import Named, SequenceMetric
from vesalius.metrics.metric import Extractor


@dataclass(frozen=True)
class SubjectConsistency(SequenceMetric):
    """Mean cosine similarity of each frame's features to the frame before and to the first one.

    Negative similarities count as zero. VBench takes DINO (``ScriptedFeatures`` with the user's
    export of it, its ViT-B/16); with another extractor the number bears that name. A still sequence
    has 1, so read it beside ``motion_amount`` and beside real sequences.

    Parameters
    ----------
    extractor:
        Features of single frames.
    scale:
        Fitted on frames of real sequences that are not judged: without it, features of different
        units (radiomics) have cosines that the largest of them rules.

    References
    ----------
    Huang et al. 2024, arXiv:2311.17982 (VBench).
    """

    name: ClassVar[str] = "subject_consistency"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Huang et al. 2024, arXiv:2311.17982 (VBench)"

    extractor: Extractor
    scale: RobustScale | None = field(default=None, kw_only=True)

    @property
    def parameters(self) -> dict[str, Any]:
        """The names of extractor and scale, as plain JSON data."""
        scaled = None if self.scale is None else "robust"
        return {"extractor": self.extractor.name, "scale": scaled}

    @property
    def unit(self) -> str:
        """None: a similarity from 0 to 1."""
        return "1"

    @property
    def part(self) -> Named | None:
        """The extractor."""
        return self.extractor

    def statistic(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`SequenceMetric`; one channel."""
        found = frame_features(self.extractor, sequences, mask)
        if self.scale is not None:
            batch, time, _ = found.shape
            found = self.scale(found.flatten(0, 1)).reshape(batch, time, -1)
        found = functional.normalize(found, dim=-1)
        to_previous = (found[:, 1:] * found[:, :-1]).sum(-1).clamp(min=0)
        to_first = (found[:, 1:] * found[:, :1]).sum(-1).clamp(min=0)
        return ((to_previous + to_first) / 2).mean(1)
