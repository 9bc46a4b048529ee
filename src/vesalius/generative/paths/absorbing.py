"""The discrete path: tokens are hidden one after another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from vesalius.generative.paths.path import expand
from vesalius.generative.paths.stratified import stratified

#: What stands in a state for a token that is hidden, or not drawn yet.
HIDDEN = -1


@dataclass(frozen=True)
class AbsorbingPath:
    """Each token is hidden by itself with probability 1 - keep(t), and stays hidden.

    D3PM with an absorbing state (Austin et al. 2021, arXiv:2107.03006). Keep is 1 - t with the
    ``"linear"`` schedule and 1 - sin(pi t / 2) with ``"cosine"``, MaskGIT's (Chang et al. 2022,
    arXiv:2202.04200). States are tokens ``(batch, *grid)``, int64, with :data:`HIDDEN` for those
    that are hidden; times are ``(batch,)`` from 0, all shown, to 1, all hidden.
    """

    schedule: Literal["cosine", "linear"] = "cosine"

    def keep(self, time: Tensor) -> Tensor:
        """The probability that a token still shows at ``time``."""
        return 1 - (time if self.schedule == "linear" else torch.sin(time * math.pi / 2))

    def bound_weight(self, time: Tensor) -> Tensor:
        """-keep'(t) / (1 - keep(t)): how much a token that is hidden at ``time`` counts.

        The expected sum of these weights times -log p over hidden tokens bounds -log p of all
        tokens from above, whatever the schedule; with exact conditional probabilities it is equal
        (Sahoo et al. 2024, arXiv:2406.07524, equation 10). ``time`` is above zero.
        """
        if self.schedule == "linear":
            return 1 / time
        return math.pi / 2 / torch.tan(time * math.pi / 2)

    def draw_times(self, n: int, rng: torch.Generator) -> Tensor:
        """Stratified uniform on (0, 1], (n,), on the generator's device."""
        return 1 - stratified(n, rng)

    def times(self, steps: int) -> Tensor:
        """``steps`` + 1 falling times from one to zero; float64."""
        return torch.linspace(1, 0, steps + 1, dtype=torch.float64)

    def perturb(self, tokens: Tensor, time: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """The state at ``time``, and where it is hidden (bool)."""
        chance = torch.rand(tokens.shape, generator=rng, device=rng.device)
        hidden = chance >= expand(self.keep(time), tokens)
        return torch.where(hidden, HIDDEN, tokens), hidden

    def start(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """The state at time one, on the generator's device: all hidden."""
        return torch.full(shape, HIDDEN, device=rng.device)

    def shown(self, now: Tensor, then: Tensor) -> Tensor:
        """The probability that a token hidden at ``now`` shows at the earlier time ``then``.

        (keep(then) - keep(now)) / (1 - keep(now)): Austin et al. 2021, appendix A.2.
        """
        return (self.keep(then) - self.keep(now)) / (1 - self.keep(now))
