"""Root mean square error."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class RootMeanSquare(Loss):
    """Each case's sqrt(mean (predicted - wanted)^2), averaged over cases; in model units.

    Its gradient where a case is met exactly is zero.
    """

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        error = (predicted - reference(predicted, batch)).flatten(1)
        lengths: Tensor = torch.linalg.vector_norm(error, dim=1)
        return (lengths / math.sqrt(error.shape[1])).mean()
