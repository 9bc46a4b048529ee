"""Frames that change as they should."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference


@dataclass(frozen=True)
class TemporalConsistency(Loss):
    """Mean absolute error of the change from frame to frame; in model units a frame.

    ``frame_axis`` counts from the batch's 0: 2 for ``(batch, channel, frame, row, column)``, 1
    where frames are channels. With ``periodic`` the first frame follows the last, as in a heart
    cycle. Blind to an error that all frames share: use it beside a loss of each frame.
    """

    weight: float = 1.0
    frame_axis: int = 2
    periodic: bool = False

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0. Raises InputError for fewer than two frames."""
        error = predicted - reference(predicted, batch)
        axis = self.frame_axis
        if not 1 <= axis < error.ndim or error.shape[axis] < 2:
            raise InputError(
                f"two frames or more along axis {axis}", came=f"shape {tuple(error.shape)}"
            )
        first = error.narrow(axis, 0, 1) if self.periodic else None
        return error.diff(dim=axis, append=first).abs().mean()
