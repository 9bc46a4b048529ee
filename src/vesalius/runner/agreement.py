"""What several draws of one case agree on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from vesalius.core.answer import Answer
from vesalius.core.image import Image


def combined(drawn: Sequence[Image], answer: Answer) -> tuple[Image, Image | None]:
    """What the draws agree on and how far they do not: None for a single one.

    Of images the mean and the standard deviation, of label maps the most frequent label and the
    share of draws that differ from it.
    """
    first = drawn[0]
    data = torch.stack([image.data for image in drawn])
    if answer == "labels":
        agreed = data.mode(dim=0).values
        apart = (data != agreed).float().mean(dim=0)
        unsure = replace(first, data=apart, unit="1", stored="float32")
        return first.with_data(agreed), unsure if len(drawn) > 1 else None
    mean = first.with_data(data.double().mean(dim=0).float())
    if len(drawn) < 2:
        return mean, None
    return mean, mean.with_data(data.double().std(dim=0).float())


def two_answers(model: Tensor, answer: Answer) -> tuple[Tensor, Tensor]:
    """Two answers ``(channel, *size)`` in model units that differ at every voxel."""
    if answer == "labels":
        first, last = torch.zeros_like(model), torch.zeros_like(model)
        first[0], last[-1] = 1, 1
        return first, last
    return torch.full_like(model, -0.5), torch.full_like(model, 0.5)
