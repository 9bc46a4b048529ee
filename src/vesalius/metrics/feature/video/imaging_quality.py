"""How good the frames of a sequence are by themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.record import Direction
from vesalius.metrics.description import parameters_of
from vesalius.metrics.feature.video.rater import Rater, Sharpness
from vesalius.metrics.feature.video.sequence_metric import Named, SequenceMetric
from vesalius.metrics.feature.video.sequences import checked_sequences


@dataclass(frozen=True)
class ImagingQuality(SequenceMetric):
    """Mean rating of the frames, without a reference, by a named rater.

    VBench takes the network MUSIQ, made for photographs (:class:`ScriptedRater` with the user's
    export). Without a file, :class:`Sharpness` sees blur and :class:`SignalToNoise` sees noise, and
    each mistakes the other's fault for a merit: read both, beside real sequences.

    Parameters
    ----------
    rater:
        What rates.

    References
    ----------
    Huang et al. 2024, arXiv:2311.17982 (VBench).
    """

    name: ClassVar[str] = "imaging_quality"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Huang et al. 2024, arXiv:2311.17982 (VBench)"

    rater: Rater = field(default_factory=Sharpness)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """The rater's."""
        return self.rater.unit

    @property
    def part(self) -> Named | None:
        """The rater."""
        return self.rater

    def statistic(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`SequenceMetric`; one channel, one frame or more."""
        values, inside = checked_sequences(sequences, mask, least_frames=1, one_channel=True)
        frames = values.transpose(1, 2).flatten(0, 2)
        masks = None if inside is None else inside.transpose(1, 2).flatten(0, 2)
        return self.rater.ratings(frames, masks).reshape(len(values), -1).mean(1)
