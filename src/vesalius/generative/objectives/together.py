"""Several objectives learnt in one run."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class Together(Objective):
    """The players of all ``objectives``, in order; the first one draws.

    No two may name a player or a network alike. The networks that any of them draws with are there
    for guidance when the first one draws.
    """

    def __init__(self, objectives: tuple[Objective, ...]) -> None:
        if not objectives:
            raise InputError("at least one objective", came="none")
        self.objectives = objectives
        self._require_apart()

    def _require_apart(self) -> None:
        named = {
            "player": [name for one in self.objectives for name in one.players()],
            "network": [name for one in self.objectives for name in one.interfaces(1, 1)],
        }
        for what, names in named.items():
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise InputError(
                    f"objectives that name every {what} otherwise", came=f"{', '.join(twice)} twice"
                )

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """What every one of the objectives asks of the recipe."""
        inner = arguments.get("objectives", ())
        assert isinstance(inner, (tuple, list)), "checked by Call"
        for call in inner:
            if not isinstance(call, Call):
                raise InputError("objectives as Calls", came=f"a {type(call).__name__}")
            check = getattr(call.target, "check_recipe", None)
            if check is not None:
                check(call.arguments, recipe)

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Of all."""
        return {name: nets for one in self.objectives for name, nets in one.players().items()}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Of all."""
        return {
            name: interface
            for one in self.objectives
            for name, interface in one.interfaces(given, wanted).items()
        }

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """Of the objective whose player it is; each keeps its own carry."""
        place = next(k for k, one in enumerate(self.objectives) if player in one.players())
        mark = f"{place}."
        own = {
            name.removeprefix(mark): kept for name, kept in carry.items() if name.startswith(mark)
        }
        own["done"] = carry["done"]
        losses = self.objectives[place].loss(player, networks, batch, rng, own)
        carry.update({mark + name: kept for name, kept in own.items()})
        return losses

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """Of the first."""
        return self.objectives[0].predictor(networks, batch)

    def frozen(self) -> tuple[str, ...]:
        """Of all."""
        return tuple(name for one in self.objectives for name in one.frozen())

    def drawing(self) -> tuple[str, ...]:
        """Of all."""
        return tuple(name for one in self.objectives for name in one.drawing())

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Of the first."""
        return self.objectives[0].code_shape(networks, shape)

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """Of the first."""
        return self.objectives[0].decode(networks, code, batch, space)

    def state(self) -> dict[str, Tensor]:
        """Of all, by their places."""
        return {
            f"{place}.{name}": kept
            for place, one in enumerate(self.objectives)
            for name, kept in one.state().items()
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Give back to each its own."""
        for place, one in enumerate(self.objectives):
            mark = f"{place}."
            own = {n.removeprefix(mark): kept for n, kept in state.items() if n.startswith(mark)}
            one.restore(own)
