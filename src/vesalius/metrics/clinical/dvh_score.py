"""Mean absolute error of the dose-volume criteria of a plan."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.dose_volume import dose_to_percent, dose_to_volume, mean_dose
from vesalius.metrics.clinical.labels import check_one_channel
from vesalius.metrics.clinical.structures_metric import StructuresMetric, structure_of
from vesalius.metrics.clinical.surfaces import check_spacing
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import checked

OPENKBP_ORGANS = (
    "Brainstem",
    "SpinalCord",
    "RightParotid",
    "LeftParotid",
    "Esophagus",
    "Larynx",
    "Mandible",
)
OPENKBP_TARGETS = ("PTV56", "PTV63", "PTV70")
ORGAN_CRITERIA = ("D_0.1cc", "mean")
TARGET_CRITERIA = ("D_99%", "D_95%", "D_1%")


@dataclass(frozen=True)
class DVHScore(StructuresMetric):
    """OpenKBP's DVH score: mean |error| of D_0.1cc and mean of organs, D99, D95, D1 of targets, Gy.

    A criterion of a structure that a case does not have is left out. The challenge takes one mean
    over the criteria of all patients, not the mean of the patients' means: see
    :func:`~vesalius.metrics.clinical.openkbp.openkbp_summary`.

    Parameters
    ----------
    organs, targets:
        Names of the organs at risk and of the targets; those of OpenKBP by default.
    """

    name: ClassVar[str] = "dvh_score"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "Babier et al., Med Phys 48:5549, 2021, doi:10.1002/mp.14845"

    organs: tuple[str, ...] = OPENKBP_ORGANS
    targets: tuple[str, ...] = OPENKBP_TARGETS

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """Gray."""
        return "Gy"

    @property
    def criteria(self) -> tuple[str, ...]:
        """What is compared, in order: ``"Brainstem D_0.1cc"``, ..., ``"PTV70 D_1%"``."""
        of_organs = [f"{name} {what}" for name in self.organs for what in ORGAN_CRITERIA]
        of_targets = [f"{name} {what}" for name in self.targets for what in TARGET_CRITERIA]
        return (*of_organs, *of_targets)

    def statistic(
        self,
        predicted: Tensor,
        reference: Tensor,
        structures: Mapping[str, Tensor],
        *,
        spacing_mm: tuple[float, ...],
    ) -> Tensor:
        """``(batch,)`` float64; NaN for a case without any structure."""
        errors = self.errors(predicted, reference, structures, spacing_mm=spacing_mm)
        return errors.abs().nanmean(dim=1)

    def errors(
        self,
        predicted: Tensor,
        reference: Tensor,
        structures: Mapping[str, Tensor],
        *,
        spacing_mm: tuple[float, ...],
    ) -> Tensor:
        """Predicted minus reference, ``(batch, criterion)`` in Gy, NaN for an absent structure."""
        predicted, reference, _ = checked(predicted, reference, None)
        check_one_channel(reference)
        check_spacing(spacing_mm, tuple(reference.shape[2:]))
        where = {
            name: structure_of(structures, name, reference)
            for name in (*self.organs, *self.targets)
        }
        rows = []
        for case in range(len(reference)):
            inside = {name: mask[case] for name, mask in where.items()}
            rows.append(
                self._values(predicted[case], inside, math.prod(spacing_mm))
                - self._values(reference[case], inside, math.prod(spacing_mm))
            )
        empty = reference.new_zeros(0, len(self.criteria))
        return torch.stack(rows).to(reference.device) if rows else empty

    def _values(self, dose_gy: Tensor, inside: Mapping[str, Tensor], voxel_mm3: float) -> Tensor:
        values = []
        for name in self.organs:
            dose = dose_gy[inside[name]]
            values += [dose_to_volume(dose, 0.1, voxel_mm3), mean_dose(dose)]
        for name in self.targets:
            dose = dose_gy[inside[name]]
            values += [dose_to_percent(dose, percent) for percent in (99, 95, 1)]
        return torch.tensor(values, dtype=torch.float64)
