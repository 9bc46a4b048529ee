"""The two scores of the OpenKBP challenge, of a patient and of a set of patients."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.clinical.dose_score import DoseScore
from vesalius.metrics.clinical.dvh_score import DVHScore


@dataclass(frozen=True)
class OpenKBPScores:
    """What the challenge measures of one patient, all in Gy.

    Parameters
    ----------
    dose_score:
        Mean absolute dose error where dose can be.
    dvh_errors:
        Predicted minus reference value of each criterion, such as ``"PTV70 D_95%"``; those of
        structures that the patient does not have are not in it.
    """

    dose_score: float
    dvh_errors: Mapping[str, float]

    @property
    def dvh_score(self) -> float:
        """The patient's own mean absolute error of the criteria; NaN for none."""
        return _mean_absolute(list(self.dvh_errors.values()))


def openkbp_scores(
    predicted_gy: Tensor,
    reference_gy: Tensor,
    structures: Mapping[str, Tensor],
    possible_dose: Tensor,
    spacing_mm: tuple[float, ...],
) -> OpenKBPScores:
    """Dose score and DVH criteria of one patient, as the challenge computes them.

    Parameters
    ----------
    predicted_gy, reference_gy:
        Doses ``(1, *space)`` in Gy; the prediction is taken as zero where dose cannot be.
    structures:
        All ten by their names in the challenge, ``(1, *space)`` bool; all False for one that the
        patient does not have.
    possible_dose:
        Where dose can be, ``(1, *space)`` bool.
    spacing_mm:
        Voxel size along every axis of space.

    Raises
    ------
    InputError
        For shapes that differ, masks that are not bool, a missing structure, an empty mask, NaN.

    References
    ----------
    Babier et al., Med Phys 48:5549, 2021, doi:10.1002/mp.14845.
    """
    predicted, reference, possible = (
        item.unsqueeze(0) for item in (predicted_gy, reference_gy, possible_dose)
    )
    dose_score = DoseScore().statistic(predicted, reference, possible).item()
    if math.isnan(dose_score):
        raise InputError("voxels where dose can be", came="an empty 'possible_dose'")
    criteria = DVHScore()
    errors = criteria.errors(
        predicted.masked_fill(~possible, 0),
        reference,
        {name: mask.unsqueeze(0) for name, mask in structures.items()},
        spacing_mm=spacing_mm,
    )[0].tolist()
    named = zip(criteria.criteria, errors, strict=True)
    return OpenKBPScores(dose_score, {name: error for name, error in named if error == error})


def openkbp_summary(patients: Sequence[OpenKBPScores]) -> tuple[float, float]:
    """Dose score and DVH score of a set of patients, in Gy, as on the challenge's leaderboard.

    The dose score is the mean over patients. The DVH score is one mean over all criteria of all
    patients, so that a patient with more structures counts more. NaN where there is nothing.
    """
    errors = [error for patient in patients for error in patient.dvh_errors.values()]
    return _mean_absolute([patient.dose_score for patient in patients]), _mean_absolute(errors)


def _mean_absolute(values: Sequence[float]) -> float:
    return math.fsum(map(abs, values)) / len(values) if values else math.nan
