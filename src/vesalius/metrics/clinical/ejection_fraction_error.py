"""Error of the ejection fraction that the outlines of a heart give."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.labels import regions, voxels
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class EjectionFractionError(CaseMetric):
    """Predicted minus reference ejection fraction of a ventricle, in percentage points.

    The channels of the label maps are the phases of the heart's cycle. The ejection fraction is
    100 (V_d - V_s) / V_d %, with V_d and V_s the end-diastolic and the end-systolic volume of the
    label. Maps of 2D images give that of areas. NaN where a map has no label in end diastole.

    Parameters
    ----------
    label, label_name:
        The ventricle's number in the maps and what it stands for.
    phases:
        Channel numbers of end diastole and end systole, for both maps; None for the largest and
        the smallest volume of each map, which favours neither.
    """

    name: ClassVar[str] = "ejection_fraction_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = (
        "Hesse et al., Eur J Nucl Med Mol Imaging 35:851, 2008, doi:10.1007/s00259-007-0694-9"
    )

    label: int
    label_name: str
    phases: tuple[int, int] | None = field(default=None, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        if self.phases is not None and (min(self.phases) < 0 or len(set(self.phases)) != 2):
            raise InputError("two phases, counted from zero", came=repr(self.phases))

    @property
    def unit(self) -> str:
        """Percentage points."""
        return "percentage points"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64 from ``(batch, phase, *space)``; NaN where the mask is empty.

        The mask ``(batch, 1, *space)`` holds for every phase.
        """
        predicted, reference, mask = checked(predicted, reference, mask)
        n_phases = reference.shape[1]
        least = 1 + max(self.phases or (1,))
        if n_phases < least:
            raise InputError(f"at least {least} phases, one a channel", came=str(n_phases))
        found, truth, _ = regions(
            _one_by_one(predicted),
            _one_by_one(reference),
            None if mask is None else _one_by_one(mask),
            self.label,
        )
        return self._fraction(found, n_phases) - self._fraction(truth, n_phases)

    def _fraction(self, region: Tensor, n_phases: int) -> Tensor:
        volumes = voxels(region).view(-1, n_phases)
        if self.phases is None:
            diastole, systole = volumes.amax(dim=1), volumes.amin(dim=1)
        else:
            diastole, systole = volumes[:, self.phases[0]], volumes[:, self.phases[1]]
        return 100 * (diastole - systole) / diastole


def _one_by_one(phases: Tensor) -> Tensor:
    """``(batch, phase, *space)`` to ``(batch * phase, 1, *space)``."""
    return phases.flatten(0, 1).unsqueeze(1)
