"""What every metric of image sequences asks of them: shape, finite values, a mask over time."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.inputs import check_finite

CLIP_FRAMES = 16
"""Frames of a clip in FVD and FVMD."""


def checked_sequences(
    sequences: Tensor,
    mask: Tensor | None = None,
    *,
    least_frames: int = 2,
    one_channel: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Sequences as float64, and the mask spread over channels and time.

    Parameters
    ----------
    sequences:
        ``(batch, channel, time, height, width)`` or ``(batch, channel, time, depth, height,
        width)``, any real type.
    mask:
        bool, ``(batch, 1, *space)`` for one mask of all frames or ``(batch, 1, time, *space)``;
        None for everywhere.

    Raises
    ------
    InputError
        For another shape, too few frames, complex values, NaN and infinities, a mask that does not
        fit or is not bool.
    """
    if sequences.ndim not in (5, 6) or 0 in sequences.shape:
        raise InputError(
            "sequences of shape (batch, channel, time, *space) with 2 or 3 axes of space",
            came=f"shape {tuple(sequences.shape)}",
        )
    if sequences.shape[2] < least_frames:
        raise InputError(
            f"at least {least_frames} frames", came=sequences.shape[2], remedy="give longer clips"
        )
    if one_channel and sequences.shape[1] != 1:
        raise InputError("one channel", came=sequences.shape[1], remedy="pass one at a time")
    if sequences.is_complex():
        raise InputError("real values", came="complex ones", remedy="take abs()")
    check_finite(sequences, "sequences")
    if mask is not None:
        batch, time, space = sequences.shape[0], sequences.shape[2], sequences.shape[3:]
        if tuple(mask.shape) == (batch, 1, *space):
            mask = mask[:, :, None]
        elif tuple(mask.shape) != (batch, 1, time, *space):
            raise InputError(
                f"a mask of shape {(batch, 1, *space)} or {(batch, 1, time, *space)}",
                came=f"shape {tuple(mask.shape)}",
            )
        if mask.dtype is not torch.bool:
            raise InputError("a mask of type bool", came=str(mask.dtype), remedy="pass mask > 0")
        mask = mask.expand(sequences.shape)
    return sequences.detach().to(torch.float64), mask


def clips_of(sequences: Tensor, frames: int = CLIP_FRAMES, step: int | None = None) -> Tensor:
    """Clips of ``frames`` consecutive frames, every ``step`` frames (default: side by side).

    ``(batch, channel, time, *space)`` to ``(batch * clip, channel, frames, *space)``, the clips of
    one sequence after one another; frames that fill no clip are left out.
    """
    step = frames if step is None else step
    if min(frames, step) < 1:
        raise InputError("positive numbers of frames and of steps", came=f"{frames} and {step}")
    if sequences.ndim not in (5, 6) or sequences.shape[2] < frames:
        raise InputError(
            f"sequences of shape (batch, channel, time, *space) with at least {frames} frames",
            came=f"shape {tuple(sequences.shape)}",
            remedy="give longer sequences, or shorter clips to all of them",
        )
    clips = sequences.unfold(2, frames, step).movedim(-1, 3)  # (batch, channel, clip, frame, ...)
    return clips.movedim(2, 1).flatten(0, 1)


def central_planes(sequences: Tensor) -> list[Tensor]:
    """Sequences of 2D frames as they are; of volumes, their central slice along each axis.

    ``(batch, channel, time, *space)`` to one or three of ``(batch, channel, time, height, width)``.
    """
    if sequences.ndim == 5:
        return [sequences]
    return [sequences.select(axis, sequences.shape[axis] // 2) for axis in (3, 4, 5)]
