"""Total variation of what is predicted: a regulariser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss


def total_variation(images: Tensor, kind: Literal["isotropic", "anisotropic"]) -> Tensor:
    """Mean over voxels, channels and cases of the length of the gradient; a scalar.

    Length is Euclidean ("isotropic") or the sum of absolute steps ("anisotropic"). A step is the
    difference to the next voxel, zero at the last one of an axis.
    """
    order = 2.0 if kind == "isotropic" else 1.0
    steps = []
    for axis in range(2, images.ndim):
        edge = images.narrow(axis, images.shape[axis] - 1, 1)
        steps.append(images.diff(dim=axis, append=edge))
    length: Tensor = torch.linalg.vector_norm(torch.stack(steps, dim=-1), ord=order, dim=-1)
    return length.mean()


@dataclass(frozen=True)
class TotalVariation(Loss):
    """Mean length of the gradient of ``predicted``, in model units a voxel; zero if constant.

    Rudin, Osher and Fatemi, Physica D 60:259, 1992. Nothing is compared: use it beside a loss that
    compares.
    """

    weight: float = 1.0
    kind: Literal["isotropic", "anisotropic"] = "isotropic"

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        return total_variation(predicted, self.kind)
