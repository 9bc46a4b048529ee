"""How unlikely counts are under predicted rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor, xlogy

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.generative.losses.measured import measured


@dataclass(frozen=True)
class PoissonLikelihood(Loss):
    """Mean of rate - n + n log(n / rate), in nats a voxel or detector element; zero for rate = n.

    Minus the Poisson log-likelihood of counts n, less its best value, which changes no gradient.

    ``domain`` "image": rate and n are predicted and wanted, counted from ``low`` (model units) and
    multiplied by ``counts`` a model unit. "measurement": n is the batch's measurement in counts,
    rate is its operator applied to ``counts (predicted - low)``; the mean is over its elements.
    Rates count from ``smallest`` up. Shepp and Vardi 1982, doi:10.1109/TMI.1982.4307558.
    """

    weight: float = 1.0
    counts: float = 100.0
    low: float = -1.0
    domain: Literal["image", "measurement"] = "image"
    smallest: float = 1e-3

    def __post_init__(self) -> None:
        if not (self.counts > 0 and self.smallest > 0):
            raise InputError(
                "counts and smallest above zero", came=f"{self.counts} and {self.smallest}"
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0. Raises InputError for negative counts."""
        rate = self.counts * (predicted - self.low)
        if self.domain == "measurement":
            operator, counted = measured(batch)
            rate = operator.forward(rate)
        else:
            counted = self.counts * (reference(predicted, batch) - self.low).clamp(min=0)
        if counted.is_complex() or bool((counted < 0).any()):
            raise InputError("counts of zero or more", came="negative or complex ones")
        rate = rate.clamp(min=self.smallest)
        return (rate - counted + xlogy(counted, counted) - counted * rate.log()).mean()
