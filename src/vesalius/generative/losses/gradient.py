"""Distance of spatial gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class Gradient(Loss):
    """Mean absolute or squared error of the difference to the next voxel, averaged over axes.

    In (squared) model units a voxel. Blind to a constant that is added to the image.
    """

    weight: float = 1.0
    norm: Literal["l1", "l2"] = "l1"

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        error = predicted - reference(predicted, batch)
        steps = [error.diff(dim=axis) for axis in range(2, error.ndim)]
        means = [(s.abs() if self.norm == "l1" else s.square()).mean() for s in steps]
        return torch.stack(means).mean()
