"""The same image through several windows."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class MultipleContrast(Loss):
    """Mean over windows of the absolute error within each, as a share of its width; 0 to 1.

    ``windows`` are (low, high) in model units: both images are clipped to a window before they are
    compared. Outside of all windows nothing is seen, so one of them should be the full range.
    GLFC (2025) takes the full range, a soft-tissue and a bone window of CT.
    """

    weight: float = 1.0
    windows: tuple[tuple[float, float], ...] = field(kw_only=True)

    def __post_init__(self) -> None:
        if not self.windows or any(not low < high for low, high in self.windows):
            raise InputError("windows (low, high) with low below high", came=self.windows)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 1."""
        truth = reference(predicted, batch)
        return torch.stack(
            [
                (predicted.clamp(low, high) - truth.clamp(low, high)).abs().mean() / (high - low)
                for low, high in self.windows
            ]
        ).mean()
