"""Edges near those wanted, and far from those given."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


def laplacian(images: Tensor) -> Tensor:
    """Sum of second differences along the axes of space, inside the border of one voxel."""
    found = []
    for axis in range(2, images.ndim):
        second = images.diff(n=2, dim=axis)
        for other in range(2, images.ndim):
            if other != axis:
                second = second.narrow(other, 1, images.shape[other] - 2)
        found.append(second)
    return torch.stack(found).sum(dim=0)


@dataclass(frozen=True)
class ContrastiveEdge(Loss):
    """|E predicted - E wanted| / (|E predicted - E given| + floor), means; 0 best, no unit.

    E is the Laplacian. What is given is on the wanted grid, as an interpolated image of lower
    resolution is. Each case's ratio counts alike. Contrastive regularisation of Wu et al., CVPR
    2021, arXiv:2104.09367, of edges in place of deep features, for the term of Deform-Mamba (Ji et
    al. 2024, arXiv:2407.05969), whose exact form is not public.
    """

    weight: float = 1.0
    floor: float = 1e-3

    def __post_init__(self) -> None:
        if not self.floor > 0:
            raise InputError("a floor above zero", came=self.floor)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        edges = laplacian(predicted)
        near, far = (
            (edges - laplacian(reference(predicted, batch, of))).abs().flatten(1).mean(dim=1)
            for of in ("wanted", "given")
        )
        return (near / (far + self.floor)).mean()
