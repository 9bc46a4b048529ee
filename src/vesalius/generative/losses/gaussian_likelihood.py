"""Minus the log-likelihood of Gaussian errors whose size is predicted, too."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class GaussianLikelihood(Loss):
    """Mean of (wanted - mean)^2 / (2 variance) + log(2 pi variance) / 2, in nats; may be negative.

    ``predicted`` is ``(batch, 2 channels, *space)``: means, then log variances, which count from
    ``lowest_log_variance`` up. Nix and Weigend 1994, doi:10.1109/ICNN.1994.374138; Kendall and Gal
    2017, arXiv:1703.04977.
    """

    weight: float = 1.0
    lowest_log_variance: float = -14.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar."""
        if predicted.shape[1] % 2:
            raise InputError(
                "means and as many log variances as channels",
                came=f"{predicted.shape[1]} channels",
                remedy="let the network predict twice the channels that are wanted",
            )
        mean, log_variance = predicted.chunk(2, dim=1)
        log_variance = log_variance.clamp(min=self.lowest_log_variance)
        squared = (reference(mean, batch) - mean).square() * (-log_variance).exp()
        return ((squared + log_variance).mean() + math.log(2 * math.pi)) / 2
