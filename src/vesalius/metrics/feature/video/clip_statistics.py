"""Features of clips without a network for video: features of frames and how they go on in time."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.metrics.feature.video.sequences import checked_sequences
from vesalius.metrics.metric import Extractor


class ClipStatistics(Extractor):
    """Any extractor of images on every frame, then four statistics of each feature over time.

    Mean; standard deviation; root mean square of the steps between frames; and the cube root of the
    mean cubed step. The first two do not know the order of frames, the third does; none of the
    three knows the direction of time. The fourth changes its sign when a clip runs backwards:
    slow filling and quick emptying is not quick filling and slow emptying. A still clip has zeros
    in all but the mean.

    The name is "clip_" and the frames' extractor's: ``clip_radiomics``.

    Parameters
    ----------
    frames:
        E.g. ``RadiomicFeatures``, ``EfficientNetLite0Features``, ``ScriptedFeatures``.
    """

    def __init__(self, frames: Extractor) -> None:
        self.frames = frames
        self.name = f"clip_{frames.name}"  # type: ignore[misc]
        self.citation = frames.citation  # type: ignore[misc]

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, time, *space)`` in physical units to ``(batch, 4 * feature)`` float64.

        ``mask``: ``(batch, 1, *space)`` or ``(batch, 1, time, *space)`` bool; None for everywhere.
        """
        of_frames = frame_features(self.frames, images, mask)
        steps = of_frames.diff(dim=1)
        cubed = steps.pow(3).mean(1)
        return torch.cat(
            [
                of_frames.mean(1),
                of_frames.std(1, correction=0),
                steps.square().mean(1).sqrt(),
                cubed.sign() * cubed.abs().pow(1 / 3),
            ],
            dim=1,
        )


def frame_features(extractor: Extractor, sequences: Tensor, mask: Tensor | None) -> Tensor:
    """Features of every frame, ``(batch, 1, time, *space)`` to ``(batch, time, feature)``."""
    checked, spread = checked_sequences(sequences, mask, one_channel=True)
    batch, _, time = checked.shape[:3]
    frames = checked.transpose(1, 2).flatten(0, 1)
    inside = None if spread is None else spread.transpose(1, 2).flatten(0, 1)
    return extractor.features(frames, inside).reshape(batch, time, -1)
