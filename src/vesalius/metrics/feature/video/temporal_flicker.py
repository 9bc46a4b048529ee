"""How much a sequence changes from frame to frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction
from vesalius.metrics.description import parameters_of
from vesalius.metrics.feature.video.flow import Flow, warped
from vesalius.metrics.feature.video.sequence_metric import Named, SequenceMetric
from vesalius.metrics.feature.video.sequences import checked_sequences
from vesalius.metrics.inputs import check_positive, masked_mean


@dataclass(frozen=True)
class TemporalFlicker(SequenceMetric):
    """Mean absolute difference of successive frames, as a part of the data range.

    Without a flow it is one minus VBench's temporal flickering (which has 255 for the range), and
    like it counts motion as flicker: for sequences that should stand still. With a flow the later
    frame is first brought onto the earlier one, so that only what no motion explains counts; its
    name is then in the number's.

    Parameters
    ----------
    data_range:
        In the unit of the sequences.
    data_unit:
        Their unit, for the report.
    flow:
        Motion that does not count.

    References
    ----------
    Huang et al. 2024, arXiv:2311.17982 (VBench); warping error after Lai et al. 2018,
    arXiv:1808.00449.
    """

    name: ClassVar[str] = "temporal_flicker"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Huang et al. 2024, arXiv:2311.17982 (VBench)"

    data_range: float
    data_unit: str = field(default="1", kw_only=True)
    flow: Flow | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("data_range", self.data_range)

    @property
    def unit(self) -> str:
        """A part of the data range."""
        return "1"

    @property
    def part(self) -> Named | None:
        """The flow."""
        return self.flow

    def statistic(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`SequenceMetric`; one channel where a flow is given."""
        one_channel = self.flow is not None
        values, inside = checked_sequences(sequences, mask, one_channel=one_channel)
        before, after = values[:, :, :-1], values[:, :, 1:]
        if self.flow is not None:
            after = torch.stack([
                warped(frames[1:], self.flow.of_sequence(frames).to(frames))
                for frames in values[:, 0]
            ])[:, None]  # fmt: skip
        counted = None if inside is None else inside[:, :, :-1] & inside[:, :, 1:]
        return masked_mean((after - before).abs(), counted) / self.data_range
