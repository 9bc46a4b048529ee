"""Gradient difference loss: edges as strong as they should be."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class GradientDifference(Loss):
    """Mean of | |step of predicted| - |step of wanted| |^alpha, averaged over axes.

    A step is the difference to the next voxel. Mathieu, Couprie and LeCun, ICLR 2016,
    arXiv:1511.05440, equation 6 (a sum there, a mean here). In model units a voxel for alpha 1.
    It does not see the sign of an edge.
    """

    weight: float = 1.0
    alpha: float = 1.0

    def __post_init__(self) -> None:
        if not self.alpha >= 1:
            raise InputError("an alpha of 1 or more", came=self.alpha)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        truth = reference(predicted, batch)
        means = [
            (
                (predicted.diff(dim=axis).abs() - truth.diff(dim=axis).abs()).abs() ** self.alpha
            ).mean()
            for axis in range(2, predicted.ndim)
        ]
        return torch.stack(means).mean()
