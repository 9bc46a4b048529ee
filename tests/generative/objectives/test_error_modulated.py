from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius import recipes
from vesalius.core import Batch, Call, InputError
from vesalius.generative.conditioning import Concatenation, Context
from vesalius.generative.objectives import Denoising, ErrorModulated
from vesalius.generative.paths import BridgePath, CosinePath
from vesalius.generative.samplers import Deterministic


class Linear(nn.Module):
    """A bias, and ``told`` times the guess where there is one; notes what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.tensor(0.3))
        self.told = nn.Parameter(torch.tensor(0.0))
        self.seen: list[tuple[Tensor, Tensor, Tensor | None]] = []

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        self.seen.append((x.detach(), level, condition))
        out = self.bias.expand_as(x[:, :1])
        return out if condition is None else out + self.told * condition[:, :1]


def pair(n: int = 4, neighbours: int = 2) -> Batch:
    rng = torch.Generator().manual_seed(0)
    wanted = torch.randn(n, 1, 4, 4, generator=rng)
    given = wanted + 0.5 * torch.randn(n, 1 + neighbours, 4, 4, generator=rng)
    return Batch(wanted=wanted, given=given, cases=tuple("abcd"[:n]))


def test_both_restorations_are_those_of_the_paper() -> None:
    """x_t = (1-t) x + t y; restored; degraded again to t - 1/T; restored with the guess and y."""
    objective = ErrorModulated(BridgePath(), steps=4, conditioning=Context())
    network, batch = Linear(), pair()
    losses = objective.loss(
        "network", {"network": network}, batch, torch.Generator().manual_seed(1), {}
    )
    (first, first_level, nothing), (second, second_level, told) = network.seen
    assert nothing is None
    assert told is not None
    assert batch.wanted is not None
    assert batch.given is not None
    degraded = batch.given[:, :1]
    t = ((first_level + 1) / 2).view(-1, 1, 1, 1)
    assert set((4 * t).flatten().round().int().tolist()) <= {1, 2, 3, 4}
    assert torch.allclose(first[:, :1], (1 - t) * batch.wanted + t * degraded, atol=1e-6)
    assert torch.equal(first[:, 1:], batch.given[:, 1:]), "neighbours stay beside the state"
    guess = first[:, :1] + 0.3
    s = t - 0.25
    assert torch.allclose((second_level + 1) / 2, s.flatten(), atol=1e-6)
    given_back = (first[:, :1] - (1 - t) * guess) / t
    assert torch.allclose(second[:, :1], (1 - s) * guess + s * given_back, atol=1e-5)
    assert torch.allclose(told, torch.cat([guess, degraded], dim=1), atol=1e-6)
    expected = 0.5 * (guess - batch.wanted).square().mean()
    expected = expected + 0.5 * (second[:, :1] + 0.3 - batch.wanted).square().mean()
    assert float(losses.total.detach()) == pytest.approx(float(expected.detach()), rel=1e-5)


def test_every_step_but_the_first_is_told_the_guess_before_it() -> None:
    objective = ErrorModulated(BridgePath(), steps=3, conditioning=Context())
    network, batch = Linear(), pair(2)
    assert batch.given is not None
    predict = objective.predictor({"network": network}, batch)
    sampler = Deterministic(BridgePath(), steps=3)
    for _ in range(2):  # a second draw begins anew
        network.seen.clear()
        with torch.no_grad():
            sampler.sample(predict, (2, 1, 4, 4), torch.Generator(), batch.given[:, :1])
        conditions = [condition for _, _, condition in network.seen]
        assert conditions[0] is None
        for (state, _, _), condition in zip(network.seen, conditions[1:], strict=False):
            assert condition is not None
            assert torch.allclose(condition[:, :1], state[:, :1] + 0.3)
            assert torch.equal(condition[:, 1:], batch.given[:, :1])


def test_it_learns_to_take_away_a_constant() -> None:
    rng = torch.Generator().manual_seed(0)
    wanted = torch.randn(8, 1, 4, 4, generator=rng)
    batch = Batch(wanted=wanted, given=wanted + 1.0)
    objective, network = ErrorModulated(BridgePath(), steps=2), Linear()
    optimiser = torch.optim.Adam(network.parameters(), 0.05)
    history = []
    for step in range(150):
        rng = torch.Generator().manual_seed(step)
        loss = objective.loss("network", {"network": network}, batch, rng, {}).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        history.append(float(loss.detach()))
    assert history[-1] < 0.3 * history[0]


def test_what_does_not_fit_is_refused_when_the_recipe_is_written() -> None:
    recipe = recipes.get("corediff")
    with pytest.raises(InputError, match="a BridgePath for ErrorModulated, got CosinePath"):
        recipes.get("corediff").__class__(
            **{**vars(recipe), "path": Call(CosinePath), "sampler": recipe.sampler}
        )
    with pytest.raises(InputError, match="BridgePath knows: denoised, displacement"):
        recipe.__class__(**{**vars(recipe), "objective": Call(Denoising, prediction="noise")})
    with pytest.raises(InputError, match="2 steps"):
        ErrorModulated(BridgePath(), steps=1)
    batch = Batch(wanted=torch.zeros(1, 1, 4, 4), given=torch.zeros(1, 2, 4, 4))
    objective = ErrorModulated(BridgePath(), conditioning=Concatenation())
    with pytest.raises(InputError, match="a given image of 1 channels"):
        objective.loss("network", {"network": Linear()}, batch, torch.Generator(), {})
