"""A path leads from clean images, at time zero, to where draws start, at time one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError

#: What a network may predict at a state of a path.
Prediction = Literal["denoised", "noise", "velocity", "score", "flow", "displacement"]


def expand(value_B: Tensor, like: Tensor) -> Tensor:
    """``(batch,)`` to ``(batch, 1, ...)`` with as many axes as ``like``."""
    return value_B.view(-1, *[1] * (like.ndim - 1))


def require_times(time: Tensor) -> None:
    """Raise InputError unless all of ``time`` lies from 0, clean, to 1."""
    if bool(((time < 0) | (time > 1)).any()):
        low, high = float(time.min()), float(time.max())
        raise InputError("times from 0 to 1", came=f"{low:g} to {high:g}", remedy="divide by T")


class Path(ABC):
    """Continuous states between a clean image and noise, a given image, or both.

    ``kinds`` are the predictions that determine the clean image. ``given`` is the image a path
    leads to where ``to_given`` holds: in the path's coordinates and of the clean image's shape.
    Times are ``(batch,)`` from 0 to 1; states and images ``(batch, channel, *space)``.
    """

    kinds: ClassVar[tuple[Prediction, ...]]
    to_given: ClassVar[bool] = False

    @abstractmethod
    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Times to train at, (n,), on the generator's device."""

    @abstractmethod
    def times(self, steps: int) -> Tensor:
        """``steps`` + 1 falling times from one to zero; float64."""

    @abstractmethod
    def level(self, time: Tensor) -> Tensor:
        """What a network is told of ``time``: a number of about unit size."""

    @abstractmethod
    def perturb(
        self, clean: Tensor, time: Tensor, noise: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """The state at ``time`` with ``noise`` from :meth:`draw_noise`."""

    @abstractmethod
    def start(
        self, shape: tuple[int, ...], rng: torch.Generator, given: Tensor | None = None
    ) -> Tensor:
        """The state at time one, on the generator's device."""

    @abstractmethod
    def move(
        self, x: Tensor, clean: Tensor, now: Tensor, then: Tensor, given: Tensor | None = None
    ) -> Tensor:
        """Where ``x`` at time ``now`` is at time ``then`` (scalars) if ``clean`` is the image."""

    @abstractmethod
    def target(
        self,
        kind: Prediction,
        clean: Tensor,
        noise: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """What a network that predicts ``kind`` is to return."""

    @abstractmethod
    def denoised(
        self,
        kind: Prediction,
        out: Tensor,
        x: Tensor,
        time: Tensor,
        given: Tensor | None = None,
    ) -> Tensor:
        """The clean image that a prediction ``out`` of ``kind`` at the state ``x`` stands for."""

    def normalised(self, x: Tensor, time: Tensor) -> Tensor:
        """``x`` as a network sees it."""
        return x

    def draw_noise(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """Noise of unit scale for images of ``shape``, on the generator's device."""
        return torch.randn(shape, generator=rng, device=rng.device)
