"""Sparse gradients of an image and of what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.generative.losses.total_variation import total_variation


@dataclass(frozen=True)
class JointSparsifyingTransform(Loss):
    """share TV(predicted) + (1 - share) TV(reference - predicted), in model units a voxel.

    TV is isotropic and a mean. You et al. 2019, GAN-CIRCLE, arXiv:1808.04256. The reference is what
    was given, on the grid of what is wanted, so it needs no pairs; ``against`` "wanted" where there
    are pairs. Zero for a constant image that differs from its reference by a constant.
    """

    weight: float = 1.0
    share: float = 0.5
    against: Literal["given", "wanted"] = "given"

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1:
            raise InputError("a share from 0 to 1", came=self.share)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        residual = reference(predicted, batch, self.against) - predicted
        own = total_variation(predicted, "isotropic")
        return self.share * own + (1 - self.share) * total_variation(residual, "isotropic")
