"""Models of tokens on laws whose entropy is known."""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, Call, InputError, Recipe
from vesalius.generative.codecs import GreyLevels, Residual
from vesalius.generative.conditioning import Concatenation, Unconditional
from vesalius.generative.objectives import MaskedToken, NextToken, TokenModel
from vesalius.generative.objectives.objective import Interface
from vesalius.generative.paths import HIDDEN, AbsorbingPath
from vesalius.generative.samplers import NextTokenSampler, Unmasking
from vesalius.networks.token_transformer import TokenTransformer

NOBODY = Batch(wanted=None)
STAY = 0.9
LENGTH = 8


def chains(n: int, seed: int) -> Tensor:
    """Binary Markov chains that stay as they are with probability ``STAY``, (n, 8)."""
    rng = torch.Generator().manual_seed(seed)
    change = torch.rand(n, LENGTH, generator=rng) >= STAY
    change[:, 0] = torch.rand(n, generator=rng) < 0.5
    return change.cumsum(dim=1) % 2


def chain_bits() -> float:
    """The entropy of a token of a chain in bits: one for the first, h(0.9) for the others."""
    each = -(STAY * math.log2(STAY) + (1 - STAY) * math.log2(1 - STAY))
    return (1 + (LENGTH - 1) * each) / LENGTH


def rng_of(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Previous(nn.Module):
    """Logits from the token before alone; as small as a causal network can be."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.table = nn.Embedding(kinds + 1, kinds)
        self.kinds = kinds

    def forward(self, tokens: Tensor, condition: Tensor | None = None) -> Tensor:
        line = tokens.flatten(1)
        start = torch.full_like(line[:, :1], self.kinds)
        before = torch.cat([start, line[:, :-1]], dim=1)
        return self.table(before).movedim(-1, 1).reshape(len(line), -1, *tokens.shape[1:])

    def begin(self, batch: int, grid: tuple[int, ...], condition: Tensor | None = None) -> Tensor:
        return torch.full((batch,), self.kinds)

    def step(self, cache: Tensor, token: Tensor | None = None) -> Tensor:
        return self.table(cache if token is None else token)


class Everything(nn.Module):
    """Logits from all tokens that show."""

    def __init__(self, kinds: int) -> None:
        super().__init__()
        self.kinds = kinds
        self.layers = nn.Sequential(
            nn.Linear(LENGTH * (kinds + 1), 96), nn.SiLU(), nn.Linear(96, LENGTH * kinds)
        )

    def forward(self, tokens: Tensor, condition: Tensor | None = None) -> Tensor:
        seen = nn.functional.one_hot(tokens, self.kinds + 1).float().flatten(1)
        return self.layers(seen).view(len(tokens), self.kinds, LENGTH)


class Exact(nn.Module):
    """The exact conditionals of a joint distribution of binary tokens; 2 stands for hidden."""

    def __init__(self, p: Tensor, n: int) -> None:
        super().__init__()
        self.p = p
        self.outcomes = torch.tensor(list(itertools.product((0, 1), repeat=n)))

    def forward(self, tokens: Tensor, condition: Tensor | None = None) -> Tensor:
        seen = tokens[:, None, :]
        weight = ((seen == self.outcomes) | (seen == 2)).all(dim=2) * self.p
        one = (weight @ self.outcomes.double()) / weight.sum(dim=1, keepdim=True)
        return torch.stack([1 - one, one], dim=1).clamp(1e-12, 1).log()


def learnt(model: TokenModel, network: nn.Module, steps: int, rate: float) -> list[float]:
    """Bits of the last hundred steps of training on fresh chains."""
    optimiser = torch.optim.Adam(network.parameters(), rate)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    bits = []
    for step in range(steps):
        losses = model.token_loss(network, chains(256, step), 2, NOBODY, rng_of(step))
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()
        scheduler.step()
        bits.append(losses.values()["bits"])
    return bits[-100:]


def test_the_next_token_is_learnt_to_the_entropy() -> None:
    torch.manual_seed(0)
    network = Previous(2)
    bits = learnt(NextToken(), network, 200, 0.1)
    assert np.mean(bits) == pytest.approx(chain_bits(), abs=0.01)
    chances = network.table.weight.softmax(dim=1)
    assert float(chances[0, 0].detach()) == pytest.approx(STAY, abs=0.02)


def test_masked_tokens_are_learnt_to_the_entropy_from_above() -> None:
    torch.manual_seed(0)
    model = MaskedToken(AbsorbingPath("linear"), weighting="bound")
    network = Everything(2)
    learnt(model, network, 400, 1e-2)
    with torch.no_grad():
        many = [
            model.token_loss(network, chains(8000, 1000 + k), 2, NOBODY, rng_of(k)).values()["bits"]
            for k in range(5)
        ]
    assert chain_bits() - 0.01 < np.mean(many) < chain_bits() + 0.05


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_the_bound_is_the_entropy_where_conditionals_are_exact(
    schedule: Literal["linear", "cosine"],
) -> None:
    p = torch.from_numpy(np.random.default_rng(0).dirichlet(np.full(8, 0.6)))
    network = Exact(p, 3)
    rng = rng_of(1)
    tokens = network.outcomes[torch.multinomial(p, 60_000, replacement=True, generator=rng)]
    model = MaskedToken(AbsorbingPath(schedule), weighting="bound")
    bits = model.token_loss(network, tokens, 2, NOBODY, rng).values()["bits"]
    entropy = float(-(p * p.log2()).sum()) / 3
    assert bits == pytest.approx(entropy, rel=0.02)

    class Marginal(nn.Module):
        def forward(self, tokens: Tensor, condition: Tensor | None = None) -> Tensor:
            return network(torch.full_like(tokens, 2))

    # without context every token costs its marginal entropy, whatever shows
    loose = model.token_loss(Marginal(), tokens, 2, NOBODY, rng).values()["bits"]
    one = (p @ network.outcomes.double()).numpy()
    marginal = float(-(one * np.log2(one) + (1 - one) * np.log2(1 - one)).mean())
    assert loose == pytest.approx(marginal, rel=0.02)
    assert loose > bits + 0.05


def test_what_a_network_knows_is_drawn() -> None:
    network = Previous(2)
    chances = torch.tensor([[STAY, 1 - STAY], [1 - STAY, STAY], [0.5, 0.5]])
    network.table = nn.Embedding.from_pretrained(chances.log())
    with torch.no_grad():
        predict = NextToken().token_predictor(network, 2, NOBODY)
        drawn = NextTokenSampler().sample(predict, (4000, LENGTH), rng_of())
    stays = (drawn[:, 1:] == drawn[:, :-1]).double().mean()
    assert float(stays) == pytest.approx(STAY, abs=0.02)


def test_hidden_tokens_alone_count() -> None:
    """By hand: a network that is sure of 1, of which it is right half the time."""

    class Sure(nn.Module):
        def forward(self, tokens: Tensor, condition: Tensor | None = None) -> Tensor:
            seen.append(tokens)
            return torch.tensor([0.25, 0.75]).log().view(1, 2, 1).expand(len(tokens), 2, 6)

    seen: list[Tensor] = []
    tokens = torch.tensor([[0, 1, 0, 1, 1, 1]] * 50)
    losses = MaskedToken(AbsorbingPath()).token_loss(Sure(), tokens, 2, NOBODY, rng_of())
    hidden = seen[0] == 2
    assert torch.equal(seen[0][~hidden], tokens[~hidden])
    nats = torch.where(tokens == 1, -math.log(0.75), -math.log(0.25))[hidden].mean()
    assert losses.values() == pytest.approx({"cross_entropy": float(nats)})
    assert float(losses.total) == pytest.approx(float(nats))


def test_bits_are_logged_and_nats_are_minimised() -> None:
    network = Previous(4)
    nn.init.zeros_(network.table.weight)
    losses = NextToken().token_loss(network, torch.zeros(2, 3, 3).long(), 4, NOBODY, rng_of())
    assert losses.values() == pytest.approx({"bits": 2.0})
    assert float(losses.total.detach()) == pytest.approx(math.log(4))


def models() -> list[TokenModel]:
    codec = GreyLevels(4)
    return [NextToken(codec=codec), MaskedToken(AbsorbingPath(), codec=codec)]


def test_interfaces_and_shapes() -> None:
    following, masked = models()
    assert following.interfaces(2, 1) == {"network": Interface(4, 4, 2)}
    assert masked.interfaces(2, 1) == {"network": Interface(5, 4, 2)}
    assert NextToken(conditioning=Unconditional()).interface(4, 2) == Interface(4, 4)
    assert following.code_shape({}, (3, 1, 6, 7)) == (3, 6, 7)


@pytest.mark.parametrize("model", models(), ids=["next", "masked"])
def test_images_are_learnt_as_their_tokens(model: TokenModel) -> None:
    given = torch.randn(2, 3, 2, 4, generator=rng_of())
    image = torch.tensor([-0.9, -0.3, 0.3, 0.9]).expand(2, 1, 2, 4)
    batch = Batch(wanted=image, given=given)
    met: dict[str, Any] = {}

    class Watching(nn.Module):
        def forward(self, tokens: Tensor, condition: Tensor | None = None) -> Tensor:
            met["tokens"], met["condition"] = tokens, condition
            return torch.zeros(len(tokens), 4, *tokens.shape[1:])

        def begin(self, batch: int, grid: tuple[int, ...], condition: Tensor | None) -> None:
            met["grid"], met["condition"] = (batch, *grid), condition

        def step(self, cache: None, token: Tensor | None) -> Tensor:
            return torch.zeros(2, 4)

    networks = {"network": Watching()}
    losses = model.loss("network", networks, batch, rng_of(), {"done": torch.tensor(0.0)})
    right = torch.arange(4).expand(2, 2, 4)
    hidden = met["tokens"] == 4
    assert torch.equal(met["tokens"][~hidden], right[~hidden])
    assert met["condition"] is given
    assert float(losses.total) == pytest.approx(math.log(4))
    predict = model.predictor(networks, batch)
    state = torch.full((2, 2, 4), HIDDEN)
    state[:, 0, 0] = 3
    logits = predict(state, torch.ones(2))
    assert logits.shape == ((2, 4) if isinstance(model, NextToken) else (2, 4, 2, 4))
    assert met["tokens"].min() >= 0
    assert met["condition"] is given
    assert met.get("grid", (2, 2, 4)) == (2, 2, 4)
    alone = Batch(wanted=image)
    model.loss("network", networks, alone, rng_of(), {"done": torch.tensor(0.0)})
    assert met["condition"] is None


def test_the_next_token_is_predicted_from_those_before_it() -> None:
    torch.manual_seed(0)
    network = Previous(4)
    predict = NextToken().token_predictor(network, 4, NOBODY)
    state = torch.full((2, 2, 2), HIDDEN)
    assert torch.equal(predict(state, None), network.table.weight[4].expand(2, 4))
    state[:, 0] = torch.tensor([3, 1])
    assert torch.equal(predict(state, None), network.table.weight[1].expand(2, 4))


def test_states_that_go_on_cost_one_step_and_others_begin_anew() -> None:
    """The transformer's own forward says what comes next; steps are counted."""
    torch.manual_seed(0)
    network = TokenTransformer(
        channels_in=4, channels_out=4, condition_channels=2, causal=True, width=16, n_layers=2
    ).eval()
    given = torch.randn(3, 2, 5, 5, generator=rng_of())
    predict = NextToken().token_predictor(network, 4, Batch(wanted=None, given=given))
    steps: list[int] = []
    step = network.step

    def counted(cache: Any, token: Tensor | None = None) -> Tensor:
        steps.append(0)
        return step(cache, token)

    network.step = counted  # type: ignore[method-assign]
    tokens = torch.randint(0, 4, (3, 2, 3), generator=rng_of())
    other = torch.randint(0, 4, (3, 2, 3), generator=rng_of(1))

    def state(of: Tensor, n: int) -> Tensor:
        shown = torch.arange(6).view(2, 3) < n
        return torch.where(shown, of, HIDDEN)

    def expected(of: Tensor, n: int) -> Tensor:
        return network(of, condition=given).flatten(2)[:, :, n]

    for of, n, cost in (
        (tokens, 0, 1),
        (tokens, 1, 1),
        (tokens, 1, 0),
        (tokens, 2, 1),
        (tokens, 5, 3),
        (other, 5, 6),
        (tokens, 2, 3),
        (tokens, 3, 1),
    ):
        steps.clear()
        with torch.no_grad():
            logits = predict(state(of, n), None)
            torch.testing.assert_close(logits, expected(of, n), atol=1e-5, rtol=1e-4)
        assert len(steps) == cost


def recipe(**changes: Any) -> Recipe:
    parts: dict[str, Any] = {
        "objective": Call(NextToken),
        "codec": Call(GreyLevels),
        "sampler": Call(NextTokenSampler),
        **changes,
    }
    causal = parts["objective"].target is NextToken
    network = parts.pop("network", Call(TokenTransformer, causal=causal))
    parts["networks"] = {"network": network}
    return Recipe(name="r", summary="", task=Call(GreyLevels), **parts)


def test_parts_that_do_not_fit_are_refused_when_a_recipe_is_written() -> None:
    recipe()
    path = Call(AbsorbingPath)
    masked = Call(MaskedToken)
    recipe(objective=masked, path=path, sampler=Call(Unmasking))
    with pytest.raises(InputError, match=r"codec that makes tokens for NextToken: .* got none"):
        recipe(codec=None)
    with pytest.raises(InputError, match=r"got Residual; set the recipe's codec"):
        recipe(codec=Call(Residual))
    with pytest.raises(InputError, match="sampler NextTokenSampler for NextToken, got Unmasking"):
        recipe(path=path, sampler=Call(Unmasking))
    with pytest.raises(InputError, match="sampler Unmasking for MaskedToken, got NextToken"):
        recipe(objective=masked, path=path)
    with pytest.raises(InputError, match="AbsorbingPath for MaskedToken, got none"):
        recipe(objective=masked, sampler=Call(Unmasking))
    with pytest.raises(InputError, match=r"is causal for NextToken.*networks.network.causal=true"):
        recipe(network=Call(TokenTransformer))
    blind = Call(TokenTransformer, causal=True)
    with pytest.raises(InputError, match="is not causal for MaskedToken, got TokenTransformer"):
        recipe(objective=masked, path=path, sampler=Call(Unmasking), network=blind)


def test_conditioning_reaches_a_model() -> None:
    given = torch.randn(1, 2, 3, 3, generator=rng_of())
    batch = Batch(wanted=None, given=given)
    assert NextToken(conditioning=Concatenation()).condition(batch) is given
    assert NextToken(conditioning=Unconditional()).condition(batch) is None
