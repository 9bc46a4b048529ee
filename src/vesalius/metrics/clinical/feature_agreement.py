"""Agreement of the features of predicted and of reference images."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.paired_values_metric import PairedValuesMetric, checked_pairs
from vesalius.metrics.description import parameters_of


def intraclass_correlation(ratings: Tensor, form: Literal["2,1", "3,1"]) -> Tensor:
    """ICC(2,1) or ICC(3,1) of ``(case, feature, rater)`` float64, ``(feature,)``.

    NaN for fewer than two cases and where no value of a feature differs from another.
    """
    n, n_features, k = ratings.shape
    if n < 2:
        return ratings.new_full((n_features,), math.nan)
    centred = ratings - ratings.mean(dim=(0, 2), keepdim=True)
    of_cases, of_raters = centred.mean(dim=2, keepdim=True), centred.mean(dim=0, keepdim=True)
    between_cases = k * of_cases.square().sum(dim=(0, 2)) / (n - 1)
    between_raters = n * of_raters.square().sum(dim=(0, 2)) / (k - 1)
    rest = (centred - of_cases - of_raters).square().sum(dim=(0, 2)) / ((n - 1) * (k - 1))
    below = between_cases + (k - 1) * rest
    if form == "2,1":
        below = below + k * (between_raters - rest) / n
    varies = (ratings != ratings[:1, :, :1]).any(dim=2).any(dim=0)
    return torch.where(varies, (between_cases - rest) / below, math.nan)


@dataclass(frozen=True)
class FeatureAgreement(PairedValuesMetric):
    """Mean over features of the intraclass correlation of predicted and reference values.

    Takes two tables ``(case, feature)``, such as radiomic features. Prediction and reference are
    the two raters of a two-way analysis of variance, each with one measurement. Features without
    any variance are left out; NaN where none is left and for fewer than two cases.

    Parameters
    ----------
    form:
        "2,1": ICC(2,1), absolute agreement, which a constant offset lowers. "3,1": ICC(3,1),
        consistency, which it does not.
    """

    name: ClassVar[str] = "feature_agreement"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "up"
    citation: ClassVar[str] = (
        "Shrout & Fleiss, Psychol Bull 86:420, 1979, doi:10.1037/0033-2909.86.2.420"
    )

    form: Literal["2,1", "3,1"] = field(default="2,1", kw_only=True)

    parameters = property(parameters_of)

    @property
    def unit(self) -> str:
        """None: a fraction of variance."""
        return "1"

    def value(self, predicted: Tensor, observed: Tensor) -> float:
        """One value for two tables ``(case, feature)``."""
        values = self.per_feature(predicted, observed)
        return float(values.nanmean())

    def per_feature(self, predicted: Tensor, observed: Tensor) -> Tensor:
        """The intraclass correlation of each feature, ``(feature,)`` float64; NaN as above."""
        predicted, observed = checked_pairs(predicted, observed, axes=2)
        return intraclass_correlation(torch.stack([predicted, observed], dim=2), self.form)
