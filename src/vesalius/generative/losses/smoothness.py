"""How much a displacement field varies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.field import require_field
from vesalius.generative.losses.loss import Loss


@dataclass(frozen=True)
class Smoothness(Loss):
    """Size of the derivatives of a predicted displacement field; zero for a translation.

    ``predicted`` is ``(batch, axis, *space)`` in voxels. "l2" and "l1": mean squared or absolute
    step to the next voxel, averaged over axes (Balakrishnan et al. 2019, arXiv:1809.05231).
    "bending": sum over pairs of axes of the mean squared second difference, averaged over
    components; zero for every affine field (Rueckert et al. 1999, doi:10.1109/42.796284).
    """

    weight: float = 1.0
    kind: Literal["l1", "l2", "bending"] = "l2"

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        require_field(predicted)
        axes = range(2, predicted.ndim)
        if self.kind == "bending":
            seconds = [predicted.diff(dim=a).diff(dim=b) for a in axes for b in axes]
            return torch.stack([s.square().mean() for s in seconds]).sum()
        steps = [predicted.diff(dim=axis) for axis in axes]
        means = [(s.abs() if self.kind == "l1" else s.square()).mean() for s in steps]
        return torch.stack(means).mean()
