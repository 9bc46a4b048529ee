"""A named loss: a predicted image against what was wanted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError


class Loss(ABC):
    """One number, a mean over cases and voxels, in model units; zero is best."""

    weight: float

    @property
    def name(self) -> str:
        """How the log calls it."""
        return type(self).__name__.lower()

    @abstractmethod
    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar."""


@dataclass(frozen=True)
class Losses:
    """A weighted sum of named terms."""

    terms: dict[str, tuple[float, Tensor]]

    @property
    def total(self) -> Tensor:
        """The sum."""
        return torch.stack([weight * value for weight, value in self.terms.values()]).sum()

    def values(self) -> dict[str, float]:
        """Unweighted terms for the log."""
        return {name: float(value.detach()) for name, (_, value) in self.terms.items()}


def terms(
    losses: Sequence[Loss], predicted: Tensor, batch: Batch, *, beside: Collection[str] = ()
) -> dict[str, tuple[float, Tensor]]:
    """Terms of ``losses`` by name; the second of a name, ``beside`` counted, is "name-2"."""
    found: dict[str, tuple[float, Tensor]] = {}
    for loss in losses:
        name, number = loss.name, 1
        while name in found or name in beside:
            number += 1
            name = f"{loss.name}-{number}"
        found[name] = (loss.weight, loss(predicted, batch))
    return found


def wanted(batch: Batch) -> Tensor:
    """The batch's wanted images, which training needs."""
    if batch.wanted is None:
        raise InputError("wanted images to train on", came="a batch without them")
    return batch.wanted


def given(batch: Batch) -> Tensor:
    """The batch's given images."""
    if batch.given is None:
        raise InputError("given images to compare with", came="a batch without them")
    return batch.given


def reference(
    predicted: Tensor, batch: Batch, against: Literal["wanted", "given"] = "wanted"
) -> Tensor:
    """What ``predicted`` is compared with; raises InputError unless it has the same shape."""
    found = wanted(batch) if against == "wanted" else given(batch)
    if found.shape != predicted.shape:
        raise InputError(
            f"{against} images of the predicted shape {tuple(predicted.shape)}",
            came=f"shape {tuple(found.shape)}",
        )
    return found
