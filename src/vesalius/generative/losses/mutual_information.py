"""Mutual information of intensities."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class MutualInformation(Loss):
    """Minus each case's mutual information, averaged over cases: -log(bins) to 0, in nats.

    Intensities from ``low`` to ``high`` (model units; beyond, they count at the end) fall on
    ``bins`` centres with Gaussian Parzen windows of standard deviation ``width`` centres, and the
    joint histogram is that of all voxels. It does not change when grey values are renamed one to
    one, exactly for an inversion, nearly otherwise. Unlike the others it is not zero for equal
    images, and knows no unit of its own. Viola and Wells 1997, doi:10.1023/A:1007958904918; Wells
    et al. 1996, doi:10.1016/S1361-8415(01)80004-9.
    """

    weight: float = 1.0
    bins: int = 32
    width: float = 0.5
    low: float = -1.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if self.bins < 2 or not self.width > 0 or not self.low < self.high:
            raise InputError(
                "2 bins or more, a width above zero and low below high",
                came=f"{self.bins}, {self.width}, {self.low} and {self.high}",
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at most 0."""
        x, y = self._shares(predicted), self._shares(reference(predicted, batch))
        joint = x.transpose(1, 2) @ y / x.shape[1]
        apart = joint.sum(dim=2, keepdim=True) * joint.sum(dim=1, keepdim=True)
        smallest = math.sqrt(torch.finfo(joint.dtype).tiny)
        ratio = joint.clamp(min=smallest).log() - apart.clamp(min=smallest).log()
        return -(joint * ratio).sum(dim=(1, 2)).mean()

    def _shares(self, images: Tensor) -> Tensor:
        """How much of each voxel falls on each centre, ``(batch, voxel, bin)``, sum 1."""
        scaled = (images.flatten(1) - self.low) / (self.high - self.low) * (self.bins - 1)
        centres = torch.arange(self.bins, dtype=images.dtype, device=images.device)
        away = (scaled.clamp(0, self.bins - 1)[..., None] - centres) / self.width
        return (-away.square() / 2).softmax(dim=-1)
