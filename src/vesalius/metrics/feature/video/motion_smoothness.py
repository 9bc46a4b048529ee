"""Whether a frame is what its neighbours let expect."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction
from vesalius.metrics.description import parameters_of
from vesalius.metrics.feature.video.midpoint import FlowMidpoint, Midpoint
from vesalius.metrics.feature.video.sequence_metric import Named, SequenceMetric
from vesalius.metrics.feature.video.sequences import checked_sequences
from vesalius.metrics.inputs import check_positive, masked_mean


@dataclass(frozen=True)
class MotionSmoothness(SequenceMetric):
    """One minus the mean absolute error of every second frame guessed from its two neighbours.

    As in VBench, whose guess is the network AMT: with :class:`ScriptedMidpoint` and the range 255
    on grey frames it is close to it, otherwise it bears the name of what guesses. A guess that is
    poor lowers the value of real sequences too: read it beside theirs.

    Parameters
    ----------
    data_range:
        In the unit of the sequences; the error is a part of it.
    data_unit:
        Their unit, for the report.
    midpoint:
        What guesses.

    References
    ----------
    Huang et al. 2024, arXiv:2311.17982 (VBench).
    """

    name: ClassVar[str] = "motion_smoothness"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Huang et al. 2024, arXiv:2311.17982 (VBench)"

    data_range: float
    data_unit: str = field(default="1", kw_only=True)
    midpoint: Midpoint = field(default_factory=FlowMidpoint, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("data_range", self.data_range)

    @property
    def unit(self) -> str:
        """None: at most 1."""
        return "1"

    @property
    def part(self) -> Named | None:
        """What guesses."""
        return self.midpoint

    def statistic(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`SequenceMetric`; at least 3 frames of one channel."""
        values, inside = checked_sequences(sequences, mask, least_frames=3, one_channel=True)
        last = (values.shape[2] - 1) // 2 * 2
        kept, wanted = values[:, 0, : last + 1 : 2], values[:, 0, 1:last:2]
        guessed = torch.stack(
            [self.midpoint.between(frames[:-1], frames[1:]) for frames in kept.unbind()]
        )
        counted = None if inside is None else inside[:, 0, 1:last:2]
        return 1 - masked_mean((guessed - wanted).abs(), counted) / self.data_range
