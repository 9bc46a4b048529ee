"""Features as far apart as what is known of the cases."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss


def squared_distances(points: Tensor, floor: float) -> Tensor:
    """Squared Euclidean distances ``(batch, batch)`` of ``(batch, ...)``, at least ``floor``."""
    flat = points.flatten(1)
    return (flat[:, None] - flat[None]).square().sum(dim=2).clamp(min=floor)


@dataclass(frozen=True)
class LogRatio(Loss):
    """Mean over triplets of (log(d_ai / d_aj) - log(D_ai / D_aj))^2; no unit, zero best.

    d are squared distances of predicted features ``(batch, feature)``, D those of
    ``batch.extras[label]`` (embeddings of a description, ages, poses); a, i, j are three cases of
    the batch. Kim et al., CVPR 2019, arXiv:1904.09626, equation 3. Triad (Wang et al. 2025,
    arXiv:2502.14064) takes text embeddings of how an image was made.
    """

    weight: float = 1.0
    label: str = "description"
    floor: float = 1e-12

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0. Raises InputError for fewer than three cases."""
        if self.label not in batch.extras:
            raise InputError(f"'{self.label}' among the batch's extras", came=list(batch.extras))
        cases = len(predicted)
        if cases < 3:
            raise InputError(
                "three cases or more in a batch",
                came=f"{cases}",
                remedy="set budget.batch_size=3 or more",
            )
        known = batch.extras[self.label].to(predicted.dtype)
        ratio = (
            squared_distances(predicted, self.floor).log()
            - squared_distances(known, self.floor).log()
        )
        error = (ratio[:, :, None] - ratio[:, None, :]).square()
        same = torch.eye(cases, dtype=torch.bool, device=predicted.device)
        triplets = ~(same[:, :, None] | same[:, None, :] | same[None])
        return error[triplets].mean()
