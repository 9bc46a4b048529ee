"""The laws themselves: a metric that breaks one is found out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor

from vesalius.core.record import Direction, Level
from vesalius.metrics.inputs import checked, masked_mean
from vesalius.metrics.metric import CaseMetric
from vesalius.testing.check_metric import LABELS, check_case_metric


@dataclass(frozen=True)
class Honest(CaseMetric):
    name: ClassVar[str] = "mean absolute error"
    level: ClassVar[Level] = "pixel"
    direction: ClassVar[Direction] = "down"
    citation: ClassVar[str] = "this test"

    @property
    def unit(self) -> str:
        return "1"

    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        predicted, reference, mask = checked(predicted, reference, mask)
        return masked_mean((predicted - reference).abs(), mask)


class WrongDirection(Honest):
    direction: ClassVar[Direction] = "up"


class SeesItsBatch(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        value = super().statistic(predicted, reference, mask)
        return torch.where(value.isnan(), value, value.nanmean())


class DeafToMasks(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        checked(predicted, reference, mask)
        value = super().statistic(predicted, reference, None)
        return value if mask is None else torch.where(mask.flatten(1).any(1), value, torch.nan)


class ZeroForEmptyMask(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().statistic(predicted, reference, mask).nan_to_num()


class SinglePrecision(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().statistic(predicted, reference, mask).float()


class OneSided(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        value = super().statistic(predicted, reference, mask)
        return value * (1 + predicted.double().abs().flatten(1).mean(1))


class LetsNanPass(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        cleaned = (x.nan_to_num() if x.is_floating_point() else x for x in (predicted, reference))
        return super().statistic(*cleaned, mask)


class Offset(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        return super().statistic(predicted, reference, mask) + 1


class WritesIntoItsInput(Honest):
    def statistic(self, predicted: Tensor, reference: Tensor, mask: Tensor | None = None) -> Tensor:
        value = super().statistic(predicted, reference, mask)
        predicted.mul_(2)
        return value


def test_an_honest_metric_passes() -> None:
    check_case_metric(Honest(), best=0.0, symmetric=True)
    check_case_metric(Honest(), best=0.0, symmetric=True, material=LABELS)


@pytest.mark.parametrize(
    ("broken", "law"),
    [
        (WrongDirection(), "worse values"),
        (SeesItsBatch(), "does not see its batch"),
        (DeafToMasks(), "reach"),
        (ZeroForEmptyMask(), "NaN for an empty mask"),
        (SinglePrecision(), "float64"),
        (OneSided(), "symmetry"),
        (LetsNanPass(), "must raise InputError"),
        (Offset(), "against itself"),
        (WritesIntoItsInput(), "worse values|stay as they are|symmetry"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_broken_metric_is_found_out(broken: CaseMetric, law: str) -> None:
    with pytest.raises(AssertionError, match=law):
        check_case_metric(broken, best=0.0, symmetric=True)
