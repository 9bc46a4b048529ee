"""Distance in the scanner's own domain."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.physics.complex_image import as_complex
from vesalius.physics.mri.fourier import fourier_transform


@dataclass(frozen=True)
class Kspace(Loss):
    """Mean absolute difference of the fully sampled k-space of predicted and wanted images.

    Images are ``(batch, 2, *space)``, real and imaginary; the transform is orthonormal.
    """

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        if predicted.shape[1] != 2:
            raise InputError("complex images in 2 channels", came=f"{predicted.shape[1]} channels")
        axes = predicted.ndim - 2
        error = fourier_transform(as_complex(predicted - reference(predicted, batch)), axes)
        return error.abs().mean()
