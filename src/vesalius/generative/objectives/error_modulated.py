"""Cold restoration that corrects its own first guess."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.paths.bridge import BridgePath
from vesalius.generative.paths.path import expand
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor


class ErrorModulated(Objective):
    """CoreDiff (Gao et al. 2024): restore, degrade again to the step before, restore once more.

    On a bridge from the given image; the network returns what the state lacks. The first
    restoration sees no condition; the second is told the first and the given image, with which its
    network modulates the level's embedding, so that it learns to undo the errors that steps make.
    Both are trained on half their mean squared error. In drawing every step after the first is told
    the step before it. ``steps`` is the number of steps between which training degrades again.
    """

    def __init__(
        self, path: BridgePath, *, steps: int = 10, conditioning: Conditioning | None = None
    ) -> None:
        if steps < 2:
            raise InputError("2 steps or more", came=steps)
        self.path = path
        self.steps = steps
        self.conditioning = conditioning or Concatenation()

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError unless the path is a bridge."""
        require_path(recipe, BridgePath, "ErrorModulated")

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """State and neighbours to an image; the condition is the last guess and the given image."""
        added, _ = self.conditioning.channels(given)
        return {"network": Interface(wanted + added, wanted, 2 * wanted, takes_level=True)}

    def _origin(self, batch: Batch, channels: int) -> Tensor:
        given = self.conditioning.origin(batch, channels)
        if given is None:
            raise InputError(
                f"a given image of {channels} channels, like the wanted one",
                came="none",
                remedy="choose a task that gives one",
            )
        return given

    def _restored(
        self, networks: Networks, x: Tensor, time: Tensor, batch: Batch, guess: Tensor | None
    ) -> Tensor:
        inside, _ = self.conditioning.arrange(x, batch)
        condition = None
        if guess is not None:
            condition = torch.cat([guess, self._origin(batch, x.shape[1])], dim=1)
        out: Tensor = networks["network"](inside, level=self.path.level(time), condition=condition)
        return x + out

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """Both restorations."""
        clean, path = wanted(batch), self.path
        given = self._origin(batch, clean.shape[1])
        step = torch.randint(1, self.steps + 1, clean.shape[:1], generator=rng, device=rng.device)
        time, before = step / self.steps, (step - 1) / self.steps
        x = path.perturb(clean, time, path.draw_noise(tuple(clean.shape), rng), given)
        first = self._restored(networks, x, time, batch, None)
        guess = first.detach()
        weight, deviation = (expand(value, x) for value in path.between(time, before))
        again = guess + weight * (x - guess)
        again = again + deviation * path.draw_noise(tuple(clean.shape), rng)
        second = self._restored(networks, again, before, batch, guess)
        return Losses(
            {
                "restoration": (0.5, mse_loss(first, clean)),
                "modulated": (0.5, mse_loss(second, clean)),
            }
        )

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """Restores; remembers its last guess between the first call of a draw and its last."""
        memory: dict[str, Tensor] = {}

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a path's sampler passes states"
            assert time is not None, "and their times"
            begins = bool((time == 1).all())
            found = self._restored(networks, x, time, batch, None if begins else memory["guess"])
            memory["guess"] = found
            return found

        return predict
