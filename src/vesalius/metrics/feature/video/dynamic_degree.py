"""Whether, and by how much, what is in a sequence moves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction
from vesalius.metrics.description import parameters_of
from vesalius.metrics.feature.video.flow import Flow
from vesalius.metrics.feature.video.lucas_kanade import LucasKanade
from vesalius.metrics.feature.video.sequence_metric import Named, SequenceMetric
from vesalius.metrics.feature.video.sequences import checked_sequences
from vesalius.metrics.inputs import check_positive

#: The part of the voxels, those that move most, whose mean is a step's speed.
STRONGEST = 0.05


@dataclass(frozen=True)
class DynamicDegree(SequenceMetric):
    """1 for a sequence that moves, 0 for one that does not, by VBench's rule with a named flow.

    A step between frames moves when the mean of its 5 % largest displacements is above
    ``threshold_pixels`` in frames of 256 pixels along the shorter side; a sequence moves when a
    quarter as many steps as it has frames do. VBench takes RAFT (:class:`ScriptedFlow`) and 8
    frames a second; here every frame counts. More is not better where real sequences stand still:
    read it beside theirs.

    Parameters
    ----------
    flow:
        What measures displacement.
    threshold_pixels:
        VBench's 6 is made for films of people; medical motion between frames is often smaller.

    References
    ----------
    Huang et al. 2024, arXiv:2311.17982 (VBench).
    """

    name: ClassVar[str] = "dynamic_degree"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Huang et al. 2024, arXiv:2311.17982 (VBench)"

    flow: Flow = field(default_factory=LucasKanade)
    threshold_pixels: float = field(default=6.0, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("threshold_pixels", self.threshold_pixels)

    @property
    def unit(self) -> str:
        """None: 0 or 1; the mean over sequences is the part of them that move."""
        return "1"

    @property
    def part(self) -> Named | None:
        """The flow."""
        return self.flow

    def statistic(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`SequenceMetric`; one channel."""
        ones = [1.0] * (sequences.ndim - 3)
        speeds = _speeds(self.flow, ones, sequences, mask)
        threshold = self.threshold_pixels * min(sequences.shape[3:]) / 256
        needed = max(1, round(sequences.shape[2] / 4))
        moves = ((speeds > threshold).sum(1) >= needed).double()
        return torch.where(speeds.isnan().all(1), math.nan, moves)


@dataclass(frozen=True)
class MotionAmount(SequenceMetric):
    """Mean over time of the 5 % largest displacements between frames, with a named flow.

    What VBench's dynamic degree is thresholded from: in voxels a frame, or in mm a frame where the
    size of a voxel is given. More is not better: read it beside real sequences.

    Parameters
    ----------
    flow:
        What measures displacement.
    spacing_mm:
        Size of a voxel along each axis of space; None measures in voxels.

    References
    ----------
    After Huang et al. 2024, arXiv:2311.17982 (VBench).
    """

    name: ClassVar[str] = "motion_amount"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "after Huang et al. 2024, arXiv:2311.17982 (VBench)"

    flow: Flow = field(default_factory=LucasKanade)
    spacing_mm: tuple[float, ...] | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        if self.spacing_mm is not None:
            check_positive("spacing_mm", *self.spacing_mm)

    @property
    def unit(self) -> str:
        """A distance a frame."""
        return "voxel/frame" if self.spacing_mm is None else "mm/frame"

    @property
    def part(self) -> Named | None:
        """The flow."""
        return self.flow

    def statistic(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """See :class:`SequenceMetric`; one channel."""
        dims = sequences.ndim - 3
        spacing = self.spacing_mm or (1.0,) * dims
        if len(spacing) != dims:
            raise InputError(f"{dims} voxel sizes in mm", came=spacing)
        return _speeds(self.flow, spacing, sequences, mask).nanmean(1)


def _speeds(
    flow: Flow, spacing: tuple[float, ...] | list[float], sequences: Tensor, mask: Tensor | None
) -> Tensor:
    """The mean of the strongest displacements of each step, ``(batch, time - 1)``; NaN if none."""
    values, inside = checked_sequences(sequences, mask, one_channel=True)
    size = values.new_tensor(spacing).reshape(-1, *[1] * (values.ndim - 3))
    found = []
    for number, frames in enumerate(values[:, 0]):
        lengths = (flow.of_sequence(frames).to(frames) * size).norm(dim=1)
        for place, length in enumerate(lengths):
            chosen = length.flatten() if inside is None else length[inside[number, 0, place]]
            strongest = chosen.topk(min(len(chosen), max(1, int(STRONGEST * len(chosen))))).values
            found.append(strongest.mean())
    return torch.stack(found).reshape(len(values), -1)
