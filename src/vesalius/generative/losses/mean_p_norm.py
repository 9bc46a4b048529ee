"""Mean p-norm distance: between mean absolute and root mean square error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class MeanPNorm(Loss):
    """Each case's (mean |predicted - wanted|^p)^(1/p), averaged over cases; in model units.

    Lei et al. 2019, doi:10.1088/1361-6560/ab4891, take p = 1.5. p = 1 is L1, p = 2 RootMeanSquare.
    """

    weight: float = 1.0
    p: float = 1.5

    def __post_init__(self) -> None:
        if not self.p >= 1:
            raise InputError("a norm with p of 1 or more", came=self.p)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        error = (predicted - reference(predicted, batch)).flatten(1)
        norms: Tensor = torch.linalg.vector_norm(error, ord=self.p, dim=1)
        return (norms / math.pow(error.shape[1], 1 / self.p)).mean()
