"""What supervised learning shares, in arms of studies and tasks of its own: targets, new scans."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from vesalius.core.batch import Batch

#: Standard deviations of gain and offset of a scan made again, and its largest noise, model units.
GAIN, OFFSET, NOISE = 0.15, 0.1, 0.05


def label_batch(parts: Mapping[str, Tensor], case: str) -> Batch:
    """Image given, label map wanted: one channel a class, background first.

    ``parts`` are those of :class:`~vesalius.tasks.synthesis.MaskSynthesis`.
    """
    background = 1 - parts["given"].amax(dim=0, keepdim=True)
    return Batch(
        wanted=torch.cat([background, parts["given"]])[None],
        given=parts["wanted"][None],
        mask=parts["mask"][None],
        cases=(case,),
        records=({},),
    )


def class_batch(parts: Mapping[str, Tensor], case: str) -> Batch:
    """Image given, its class wanted, one-hot (batch, class).

    ``parts`` are those of :class:`~vesalius.tasks.label_synthesis.LabelSynthesis`.
    """
    return Batch(
        # shifted class maps have empty borders, so the class is where most of a map is one
        wanted=(parts["given"].flatten(1).mean(dim=1) > 0.5).float()[None],
        given=parts["wanted"][None],
        cases=(case,),
        records=({},),
    )


def rescanned(image: Tensor, rng: np.random.Generator) -> Tensor:
    """``image`` as if scanned again: scanners scale arbitrarily, so gain, offset, noise differ."""
    gain, offset = 1 + GAIN * rng.standard_normal(), OFFSET * rng.standard_normal()
    noise = torch.from_numpy(rng.standard_normal(image.shape)).float()
    return image * gain + offset + NOISE * rng.random() * noise
