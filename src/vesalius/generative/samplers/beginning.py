"""Where on a path a draw begins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import Path
from vesalius.generative.paths.time_of_ratio import time_of_ratio


class Beginning(ABC):
    """The times of a draw, and the state at the first of them."""

    @abstractmethod
    def times(self, path: Path, steps: int) -> Tensor:
        """``steps`` + 1 falling times, the last one zero; float64."""

    @abstractmethod
    def state(
        self,
        path: Path,
        time: Tensor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """The state at ``time``, a scalar."""


@dataclass(frozen=True)
class WholePath(Beginning):
    """At time one: pure noise, or the given image on a path that leads to it."""

    def times(self, path: Path, steps: int) -> Tensor:
        """The path's own."""
        return path.times(steps)

    def state(
        self,
        path: Path,
        time: Tensor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """The path's start."""
        return path.start(shape, rng, given)


@dataclass(frozen=True)
class GivenTimes(Beginning):
    """At time one, and by the very ``stops`` that are given: any published schedule of steps.

    Strictly falling times from 1 to 0, one more than the sampler has steps.
    """

    stops: tuple[float, ...] = (1.0, 0.0)

    def __post_init__(self) -> None:
        if len(self.stops) < 2 or (self.stops[0], self.stops[-1]) != (1, 0):
            raise InputError("times from 1 to 0", came=self.stops)
        for number, (now, then) in enumerate(pairwise(self.stops)):
            if not then < now:
                raise InputError(
                    "times that fall at every step",
                    came=f"{then} after {now} at step {number + 1}",
                    remedy="sort sampler.beginning.stops from 1 down to 0, each once",
                )

    def times(self, path: Path, steps: int) -> Tensor:
        """The stops."""
        if len(self.stops) != steps + 1:
            raise InputError(
                f"{steps + 1} times for {steps} steps",
                came=len(self.stops),
                remedy=f"set sampler.steps={len(self.stops) - 1}",
            )
        return torch.tensor(self.stops, dtype=torch.float64)

    def state(
        self,
        path: Path,
        time: Tensor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """The path's start."""
        return path.start(shape, rng, given)


@dataclass(frozen=True)
class LevelsOf(Beginning):
    """In noise, and by the noise levels of ``other``, another Gaussian path.

    All Gaussian paths are one rotation, so a network that learnt one may be asked at the levels of
    any other: where a sampler sets its few steps decides how good they are.
    """

    other: GaussianPath

    def times(self, path: Path, steps: int) -> Tensor:
        """Where ``path`` has the ratios of noise to signal that ``other`` has at its times."""
        if not isinstance(path, GaussianPath):
            raise InputError(
                "a Gaussian path for the levels of another one", came=type(path).__name__
            )
        ratios = self.other.ratio(self.other.times(steps))
        times = time_of_ratio(path, ratios[:-1])
        return torch.cat([times, torch.zeros(1, dtype=torch.float64)])

    def state(
        self,
        path: Path,
        time: Tensor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """Noise as wide as the path's states at ``time``."""
        assert isinstance(path, GaussianPath), "times were asked for first"
        noise = path.draw_noise(shape, rng)
        return noise * float(path.width(time))


@dataclass(frozen=True)
class PartialPath(Beginning):
    """At ``time``, from the given image: partial diffusion.

    With ``noised`` the given image is taken as if it were clean and noised up to ``time`` (SDEdit,
    Meng et al. 2022); without, the given image is itself taken as the state at ``time``: a noisy
    measurement whose noise is that of the path there (Chung et al. 2022, come-closer-diffuse-faster
    and its denoising use), scaled by the path's signal.
    """

    time: float = 0.5
    noised: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.time <= 1:
            raise InputError("a time above 0 and at most 1 to begin at", came=self.time)

    def times(self, path: Path, steps: int) -> Tensor:
        """``steps`` of the path's times below ``time``, and ``time`` before them."""
        whole = path.times(max(steps, round(steps / self.time)))
        below = whole[whole < self.time]
        first = torch.tensor([self.time], dtype=torch.float64)
        if len(below) < steps:  # times crowd near one: lay as many evenly below
            return torch.linspace(self.time, 0, steps + 1, dtype=torch.float64)
        return torch.cat([first, below[-steps:]])

    def state(
        self,
        path: Path,
        time: Tensor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """The given image, noised or not."""
        if given is None:
            raise InputError(
                "a task that gives an image like the wanted one, to begin at",
                came="none",
                remedy="choose such a task, or a sampler that begins in noise",
            )
        times = time.to(given.dtype).to(rng.device).expand(shape[0])
        noise = path.draw_noise(shape, rng)
        if not self.noised:
            noise = torch.zeros_like(noise)
        return path.perturb(given, times, noise, given)
