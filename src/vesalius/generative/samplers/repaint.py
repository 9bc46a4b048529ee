"""Ancestral sampling that goes back and draws again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.ancestral import forward_std, step_back
from vesalius.generative.samplers.path_sampler import PathSampler, at


@dataclass(frozen=True)
class Repaint(PathSampler):
    """Resampling (Lugmayr et al. 2022, RePaint, algorithm 1 and appendix B).

    After every ``jump_length`` ancestral steps the state is noised back by as many and the stretch
    is walked again, ``jumps`` times in all (their j and r; the first stretch, out of noise, but
    once). What is drawn anew so comes to agree
    with what guidance holds fast: :class:`~vesalius.generative.guidance.Replacement` says which
    voxels are known, and in ancestral steps to its predictions these follow the path to their true
    values. With ``jumps`` 1 it is :class:`Ancestral`.
    """

    path: GaussianPath
    jumps: int = 5
    jump_length: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.jumps < 1 or self.jump_length < 1:
            raise InputError(
                "jumps and a jump_length of 1 or more", came=f"{self.jumps} and {self.jump_length}"
            )

    def schedule(self) -> Iterator[int]:
        """Numbers of the times visited, from 0 to ``steps``; they fall back at jumps."""
        yield 0
        for first in range(0, self.steps, self.jump_length):
            last = min(first + self.jump_length, self.steps)
            again = self.jumps if first > 0 else 1
            for jump in range(again):
                yield from range(first + 1, last + 1)
                if jump + 1 < again:
                    yield first

    @property
    def calls(self) -> int:
        """One a step, those after jumps included."""
        return sum(then > now for now, then in pairwise(self.schedule()))

    def solve(
        self,
        predict: Predictor,
        x: Tensor,
        times: Tensor,
        rng: torch.Generator,
        given: Tensor | None,
    ) -> Tensor:
        """See the class."""
        path = self.path
        levels = list(zip(path.signal(times).tolist(), path.noise(times).tolist(), strict=True))
        for k, then in pairwise(self.schedule()):
            now, next_ = levels[k], levels[then]
            if then < k:
                fresh = path.draw_noise(tuple(x.shape), rng)
                x = next_[0] / now[0] * x + forward_std(next_, now) * fresh
                continue
            clean = predict(x, at(times[k], x))
            noise = path.draw_noise(tuple(x.shape), rng) if next_[1] > 0 else None
            x = step_back(x, clean, now, next_, noise)
        return x
