"""Distance of line integrals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.physics.ct.line_integrals import LineIntegrals


@dataclass(frozen=True)
class Sinogram(Loss):
    """Mean absolute or squared error of line integrals of every slice; (squared) model units mm.

    ``n_angles`` parallel projections are spread evenly over 180 degrees; ``spacing_mm`` is the size
    of a pixel (row, column) and may be left at 1, which counts lengths in pixels. Rays that miss
    the image count as zero. Volumes are taken slice by slice across their first axis. Shi et al.
    2019, arXiv:1909.01394 (line-integral projection loss).
    """

    weight: float = 1.0
    n_angles: int = 30
    spacing_mm: tuple[float, float] = (1.0, 1.0)
    norm: Literal["l1", "l2"] = "l1"

    def __post_init__(self) -> None:
        if self.n_angles < 1 or not min(self.spacing_mm) > 0:
            raise InputError(
                "one angle or more and spacings above zero",
                came=f"{self.n_angles} and {self.spacing_mm}",
            )

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        error = predicted - reference(predicted, batch)
        angles = tuple(180 * number / self.n_angles for number in range(self.n_angles))
        operator = LineIntegrals(tuple(error.shape[1:]), angles, self.spacing_mm)
        projected = operator.forward(error)
        return (projected.abs() if self.norm == "l1" else projected.square()).mean()
