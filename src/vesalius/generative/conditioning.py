"""How what is given reaches the network."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError


class Conditioning(ABC):
    """Turns a path's state and a batch into a network's input and spatial condition."""

    @abstractmethod
    def channels(self, given: int) -> tuple[int, int]:
        """Channels added to the input, and channels of the spatial condition."""

    @abstractmethod
    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Input and condition of the network; ``rng`` is given in training only."""

    def origin(self, batch: Batch, channels: int) -> Tensor | None:
        """The given image that resembles the wanted one of ``channels``; None where none does.

        Paths that lead to a given image lead here, and partial draws begin here.
        """
        given = batch.given
        return given if given is not None and given.shape[1] == channels else None


def _given(batch: Batch) -> Tensor:
    if batch.given is None:
        raise InputError(
            "a task that gives something",
            came="an unconditional task",
            remedy="use a recipe without conditioning",
        )
    return batch.given


@dataclass(frozen=True)
class Concatenation(Conditioning):
    """Given images beside the state as further input channels (Saharia et al. 2022, SR3)."""

    def channels(self, given: int) -> tuple[int, int]:
        """All of them are input."""
        return given, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``[x, given]`` along channels."""
        given = _given(batch)
        return (given if x is None else torch.cat([x, given], dim=1)), None


@dataclass(frozen=True)
class Context(Conditioning):
    """The first given image is the degraded one itself, the others its neighbours.

    On a path the state stands in for the degraded image, between its neighbours (CoreDiff, Gao et
    al. 2024); the path may lead to the degraded image.
    """

    def channels(self, given: int) -> tuple[int, int]:
        """The neighbours."""
        return given - 1, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``[x, neighbours]`` along channels."""
        given = _given(batch)
        return (given if x is None else torch.cat([x, given[:, 1:]], dim=1)), None

    def origin(self, batch: Batch, channels: int) -> Tensor | None:
        """The degraded image."""
        return _given(batch)[:, :channels]


@dataclass(frozen=True)
class SpatialCondition(Conditioning):
    """Given images as the spatial condition (SPADE, Park et al. 2019) and as only input."""

    def channels(self, given: int) -> tuple[int, int]:
        """Input as well as condition."""
        return given, given

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``(given, given)``, or ``([x, given], given)`` on a path."""
        given = _given(batch)
        return (given if x is None else torch.cat([x, given], dim=1)), given


@dataclass(frozen=True)
class Unconditional(Conditioning):
    """Nothing but the state."""

    def channels(self, given: int) -> tuple[int, int]:
        """None."""
        return 0, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``x`` alone."""
        if x is None:
            raise InputError("a path's state as the input of an unconditional network", came="none")
        return x, None


@dataclass(frozen=True)
class MaskAblation(Conditioning):
    """A label map as one input channel, whose classes are dropped at random in training.

    ``given`` holds one channel a class, without background. Each class of each case is dropped with
    probability ``drop`` so that the network learns all subsets of masks (Konz et al. 2024,
    SegGuidedDiff, arXiv 2402.05210). The channel is the class number over the number of classes.
    """

    drop: float = 0.5

    def channels(self, given: int) -> tuple[int, int]:
        """One."""
        return 1, 0

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``[x, label map]`` along channels."""
        given = _given(batch)
        n_classes = given.shape[1]
        if rng is not None and self.drop > 0:
            kept = torch.rand(given.shape[:2], generator=rng, device=given.device) >= self.drop
            given = given * kept.view(*kept.shape, *[1] * (given.ndim - 2))
        number = torch.arange(1, n_classes + 1, device=given.device, dtype=given.dtype)
        number = number.view(1, -1, *[1] * (given.ndim - 2))
        label = (given * number).amax(dim=1, keepdim=True) / n_classes
        return (label if x is None else torch.cat([x, label], dim=1)), None


@dataclass(frozen=True)
class Dropped(Conditioning):
    """``inner``, told nothing for a part ``drop`` of the training cases.

    What is given is zero there, so one network learns to draw with and without it, as
    :class:`~vesalius.generative.guidance.ClassifierFree` needs (Ho & Salimans 2022).
    """

    inner: Conditioning = Concatenation()
    drop: float = 0.1

    def __post_init__(self) -> None:
        if not 0 < self.drop < 1:
            raise InputError("a part between 0 and 1 to drop", came=self.drop)

    def channels(self, given: int) -> tuple[int, int]:
        """Those of ``inner``."""
        return self.inner.channels(given)

    def arrange(
        self, x: Tensor | None, batch: Batch, *, rng: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """``inner`` on what is left."""
        if rng is not None:
            given = _given(batch)
            kept = torch.rand(given.shape[0], generator=rng, device=given.device) >= self.drop
            batch = replace(batch, given=given * kept.view(-1, *[1] * (given.ndim - 1)))
        return self.inner.arrange(x, batch, rng=rng)

    def origin(self, batch: Batch, channels: int) -> Tensor | None:
        """That of ``inner``."""
        return self.inner.origin(batch, channels)
