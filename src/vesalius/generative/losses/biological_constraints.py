"""Voxels that stay on the course that is expected of them."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss


@dataclass(frozen=True)
class BiologicalConstraints(Loss):
    """Mean of how far predicted voxels lie outside expected +/- tolerance; in model units.

    ``batch.extras`` holds "expected", a regression of each voxel on age and diagnosis for the
    wanted visit, and "tolerance", its band, both of the predicted shape or of one that spreads to
    it. Constrains ageing without a follow-up image. Ravi et al., DaniNet, MICCAI 2019,
    whose regressors are per voxel and per region.
    """

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        missing = [name for name in ("expected", "tolerance") if name not in batch.extras]
        if missing:
            raise InputError(
                "'expected' and 'tolerance' among the batch's extras", came=list(batch.extras)
            )
        away = (predicted - batch.extras["expected"]).abs() - batch.extras["tolerance"]
        return away.clamp(min=0).mean()
