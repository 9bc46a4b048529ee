from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.losses import Losses
from vesalius.generative.objectives import (
    Denoising,
    NoisyClassification,
    Regression,
    Together,
)
from vesalius.generative.paths import CosinePath
from vesalius.recipes import get

PATH = CosinePath(data_std=0.5)
DONE = {"done": torch.tensor(0.25)}


class Logits(nn.Module):
    """Fixed logits, and what was seen."""

    def __init__(self, *logits: float) -> None:
        super().__init__()
        self.logits = torch.tensor(logits)
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        self.seen.append((x, level))
        return self.logits.expand(x.shape[0], -1)


def batch() -> Batch:
    given = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]).view(3, 2, 1, 1).expand(3, 2, 4, 4)
    return Batch(wanted=0.5 * torch.ones(3, 1, 4, 4), given=given)


def test_noisy_classification_is_cross_entropy_of_states() -> None:
    objective, network = NoisyClassification(PATH), Logits(0.0, math.log(3.0))
    rng = torch.Generator().manual_seed(0)
    losses = objective.loss("classifier", {"classifier": network}, batch(), rng, dict(DONE))
    assert float(losses.total) == pytest.approx((math.log(4) + 2 * math.log(4 / 3)) / 3)
    x, level = network.seen[0]
    again = torch.Generator().manual_seed(0)
    time = PATH.draw_times(3, again)
    state = PATH.perturb(batch().wanted, time, PATH.draw_noise((3, 1, 4, 4), again))
    assert torch.equal(x, PATH.normalised(state, time))
    assert torch.equal(level, PATH.level(time))
    with pytest.raises(InputError, match="draws"):
        objective.predictor({"classifier": network}, batch())


def test_players_and_networks_of_all_and_draws_of_the_first() -> None:
    denoising, classification = Denoising(PATH), NoisyClassification(PATH)
    both = Together((denoising, classification))
    assert dict(both.players()) == {"network": ("network",), "classifier": ("classifier",)}
    assert both.drawing() == ("network", "classifier")
    assert both.interfaces(2, 1) == {
        **denoising.interfaces(2, 1),
        **classification.interfaces(2, 1),
    }
    network = Logits(0.0, 0.0)
    rng, again = (torch.Generator().manual_seed(1) for _ in range(2))
    nets = {"classifier": network}
    found = both.loss("classifier", nets, batch(), rng, dict(DONE))
    alone = classification.loss("classifier", nets, batch(), again, dict(DONE))
    assert torch.equal(found.total, alone.total)


def test_names_that_clash_are_refused() -> None:
    with pytest.raises(InputError, match="every player otherwise"):
        Together((Denoising(PATH), Regression()))
    with pytest.raises(InputError, match="at least one"):
        Together(())


class Counting(Regression):
    """Carries a number from player to player, and keeps one."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.kept = name, 0

    def players(self) -> dict[str, tuple[str, ...]]:
        return {f"{self.name}-{part}": (f"{self.name}-{part}",) for part in "ab"}

    def interfaces(self, given: int, wanted: int) -> dict[str, object]:
        return dict.fromkeys(self.players())

    def loss(self, player, networks, batch, rng, carry):  # type: ignore[no-untyped-def]
        assert float(carry["done"]) == 0.25
        carry["n"] = carry.get("n", torch.tensor(0.0)) + 1
        return Losses({"n": (1.0, carry["n"])})

    def state(self) -> dict[str, Tensor]:
        return {"kept": torch.tensor(self.kept)}

    def restore(self, state) -> None:  # type: ignore[no-untyped-def]
        self.kept = int(state["kept"])


def test_each_keeps_its_own_carry_and_state() -> None:
    one, other = Counting("one"), Counting("other")
    both, carry = Together((one, other)), dict(DONE)
    values = [
        float(both.loss(player, {}, batch(), torch.Generator(), carry).total)
        for player in both.players()
    ]
    assert values == [1.0, 2.0, 1.0, 2.0]
    one.kept, other.kept = 3, 4
    saved = both.state()
    one.kept = other.kept = 0
    both.restore(saved)
    assert (one.kept, other.kept) == (3, 4)


def test_what_each_asks_of_a_recipe_is_asked() -> None:
    recipe = get("classifier-guided-diffusion")
    with pytest.raises(InputError, match="a prediction that"):
        recipe.set("objective.objectives.0.prediction", '"displacement"')
