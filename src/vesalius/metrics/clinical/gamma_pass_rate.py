"""Share of the dose points that agree within a dose and a distance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.dose_volume import check_percent
from vesalius.metrics.clinical.gamma_search import GammaSearch
from vesalius.metrics.clinical.labels import check_one_channel
from vesalius.metrics.clinical.surfaces import check_spacing
from vesalius.metrics.description import parameters_of
from vesalius.metrics.inputs import check_positive, checked
from vesalius.metrics.metric import CaseMetric


@dataclass(frozen=True)
class GammaPassRate(CaseMetric):
    """Share of reference points, in %, with a predicted dose close in dose and place (gamma <= 1).

    A point passes if somewhere within ``distance_mm`` the predicted dose, between voxels by linear
    interpolation, has (distance / distance_mm)² + (dose difference / tolerance)² <= 1. Judged are
    the points with at least ``cutoff_percent`` of the normalisation dose in the reference; NaN
    where there is none. The mask says which points are judged; the search and the normalisation see
    the whole image.

    Parameters
    ----------
    spacing_mm:
        Voxel size along every axis of space.
    dose_percent:
        The tolerance, in percent of the normalisation dose (global) or of each point's reference
        dose (local).
    distance_mm:
        The distance to agreement.
    relative_to:
        What ``dose_percent`` is a part of.
    cutoff_percent:
        Dose below which a point is not judged, in percent of the normalisation dose.
    normalisation_gy:
        Such as the prescription; None for the largest reference dose of the image.
    steps:
        Search positions along each axis in a length of ``distance_mm``, at least.
    """

    name: ClassVar[str] = "gamma_pass_rate"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = "Low et al., Med Phys 25:656, 1998, doi:10.1118/1.598248"

    spacing_mm: tuple[float, ...]
    dose_percent: float = field(kw_only=True)
    distance_mm: float = field(kw_only=True)
    relative_to: Literal["global", "local"] = field(default="global", kw_only=True)
    cutoff_percent: float = field(default=10.0, kw_only=True)
    normalisation_gy: float | None = field(default=None, kw_only=True)
    steps: int = field(default=10, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        check_positive("spacing_mm", *self.spacing_mm)
        check_positive("dose_percent", self.dose_percent)
        check_positive("distance_mm", self.distance_mm)
        check_percent("cutoff_percent", self.cutoff_percent)
        if self.normalisation_gy is not None:
            check_positive("normalisation_gy", self.normalisation_gy)
        if self.steps < 1:
            raise InputError("at least one step", came=repr(self.steps))

    @property
    def unit(self) -> str:
        """Percent of the judged points."""
        return "%"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch,)`` float64; NaN where no point is judged."""
        predicted, reference, mask = checked(predicted, reference, mask)
        check_one_channel(reference)
        check_spacing(self.spacing_mm, tuple(reference.shape[2:]))
        search = GammaSearch(self.spacing_mm, self.distance_mm, self.steps)
        where = torch.ones_like(reference, dtype=torch.bool) if mask is None else mask
        values = [
            self._of_case(found[0], truth[0], inside[0], search)
            for found, truth, inside in zip(predicted, reference, where, strict=True)
        ]
        return torch.tensor(values, dtype=torch.float64, device=reference.device)

    def _of_case(
        self, predicted: Tensor, reference: Tensor, inside: Tensor, search: GammaSearch
    ) -> float:
        full_gy = self.normalisation_gy or float(reference.max())
        if full_gy <= 0:
            return math.nan
        judged = inside & (reference >= self.cutoff_percent / 100 * full_gy)
        n_judged = int(judged.sum())
        if n_judged == 0:
            return math.nan
        part = self.dose_percent / 100
        tolerance_gy = (
            torch.full_like(reference, part * full_gy)
            if self.relative_to == "global"
            else part * reference.abs()
        )
        failed = search.n_failed(predicted, reference, judged, tolerance_gy)
        return 100 * (n_judged - failed) / n_judged
