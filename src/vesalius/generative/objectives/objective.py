"""An objective says what networks a system has, who trains which, and on what loss."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from vesalius.core.answer import Answer
from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.interface import Interface
from vesalius.generative.losses.loss import Losses
from vesalius.generative.predictor import Predictor

Networks = Mapping[str, nn.Module]

__all__ = ["Interface", "Networks", "Objective", "require_networks"]


class Objective(ABC):
    """How networks learn. Knows roles, not architectures; keeps nothing but :meth:`state`.

    ``answers`` are the kinds of task that it can learn; probabilities of labels are images, too.
    Without ``draws`` its networks only serve others, which start from them.
    """

    draws: ClassVar[bool] = True
    answers: ClassVar[tuple[Answer, ...]] = ("image", "labels")

    @abstractmethod
    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Networks by the player that trains them, in order of play."""

    @abstractmethod
    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Each network's interface for a task of so many channels given and wanted."""

    @abstractmethod
    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The loss of one player on one batch.

        ``carry`` lasts for one batch: what an earlier player made, a later one need not make again.
        It begins with ``done``, the part of the budget that is spent, from 0 to 1. A player whose
        loss has no terms rests in that step: its networks stay as they are.
        """

    @abstractmethod
    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """How trained networks predict the wanted image of ``batch``; without guidance."""

    def frozen(self) -> tuple[str, ...]:
        """Networks that no player trains: they start from an earlier run, or learn by themselves.

        They are saved with the rest.
        """
        return ()

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """What a sampler draws for images of ``shape`` (batch, channel, *space)."""
        return shape

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """Image (batch, channel, *space) of what a sampler drew."""
        return code

    def drawing(self) -> tuple[str, ...]:
        """Networks that draw: their moving average is kept, the others serve training alone."""
        return next(iter(self.players().values()))

    def state(self) -> dict[str, Tensor]:
        """Tensors beyond weights that training goes on with (an image pool); saved and restored."""
        return {}

    def restore(self, state: Mapping[str, Tensor]) -> None:  # noqa: B027 (most keep nothing)
        """Take back what :meth:`state` gave."""


def require_networks(objective: Objective, names: Any) -> None:
    """Raise InputError unless a recipe's networks are those that its objective uses."""
    needed = {name for trained in objective.players().values() for name in trained}
    needed |= set(objective.frozen())
    if set(names) != needed:
        raise InputError(
            f"networks named {', '.join(sorted(needed))} for {type(objective).__name__}",
            came=", ".join(sorted(names)) or "none",
        )
