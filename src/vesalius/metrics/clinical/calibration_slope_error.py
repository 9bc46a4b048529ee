"""How much too bold or too timid a classifier is."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.record import Direction, Level
from vesalius.metrics.clinical.table_metric import TableMetric, checked_binary
from vesalius.metrics.description import parameters_of

MOST_STEPS = 100


@dataclass(frozen=True)
class CalibrationSlopeError(TableMetric):
    """Slope of a logistic regression of the outcome on the logit of the score, minus one.

    Below zero: the scores are too extreme (overfitting), above zero: not extreme enough. NaN where
    no finite slope fits best: one label only, constant scores, or scores that separate the labels.

    Parameters
    ----------
    least_probability:
        Scores nearer to 0 or 1 than this are moved here, since their logit would be infinite.
    """

    name: ClassVar[str] = "calibration_slope_error"
    level: ClassVar[Level] = "clinical"
    direction: ClassVar[Direction] = "zero"
    citation: ClassVar[str] = "Cox, Biometrika 45:562, 1958"

    least_probability: float = field(default=1e-6, kw_only=True)

    parameters = property(parameters_of)

    def __post_init__(self) -> None:
        if not 0 < self.least_probability < 0.5:
            raise InputError(
                "a 'least_probability' between 0 and 0.5", came=repr(self.least_probability)
            )

    @property
    def unit(self) -> str:
        """None: a difference of slopes."""
        return "1"

    def value(self, scores: Tensor, labels: Tensor) -> float:
        """See :meth:`TableMetric.value`; scores of shape (n,) only."""
        scores, labels = checked_binary(scores, labels)
        logits = scores.clamp(self.least_probability, 1 - self.least_probability).logit()
        positive, negative = logits[labels == 1], logits[labels == 0]
        if not len(positive) or not len(negative):
            return math.nan
        if positive.min() >= negative.max() or negative.min() >= positive.max():
            return math.nan
        return _slope(logits, labels.to(torch.float64)) - 1


def _slope(logits: Tensor, labels: Tensor) -> float:
    """Slope of the logistic regression by Newton's method; the labels must not be separable."""
    centre, scale = logits.mean(), logits.std()
    design = torch.stack([torch.ones_like(logits), (logits - centre) / scale], dim=1)
    weights = design.new_zeros(2)

    def loss(at: Tensor) -> Tensor:
        score = design @ at
        return (torch.nn.functional.softplus(score) - labels * score).sum()

    for _ in range(MOST_STEPS):
        probability = (design @ weights).sigmoid()
        gradient = design.T @ (probability - labels)
        curvature = (design.T * (probability * (1 - probability))) @ design
        step = torch.linalg.solve(curvature, gradient)
        if float(step.abs().max()) < 1e-12 * (1 + float(weights.abs().max())):
            break
        length = 1.0
        while length > 1e-6 and loss(weights - length * step) > loss(weights):
            length /= 2  # Newton's full step may overshoot where the curvature is small
        weights = weights - length * step
    return float(weights[1] / scale)
