"""Samplers of tokens on joint distributions that are written out, with exact conditionals."""

from __future__ import annotations

import itertools
import math
from typing import Literal

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from vesalius.core import Call, InputError, Recipe
from vesalius.generative.codecs import GreyLevels
from vesalius.generative.objectives import MaskedToken
from vesalius.generative.paths import HIDDEN, AbsorbingPath, CosinePath
from vesalius.generative.samplers import NextTokenSampler, Unmasking

DRAWS = 20_000


class Joint:
    """All outcomes of ``n`` binary tokens and their probabilities."""

    def __init__(self, n: int, seed: int) -> None:
        self.n = n
        self.outcomes = torch.tensor(list(itertools.product((0, 1), repeat=n)))
        rng = np.random.default_rng(seed)
        self.p = torch.from_numpy(rng.dirichlet(np.full(2**n, 0.7)))

    def conditional(self, state: Tensor) -> Tensor:
        """Log probabilities (batch, 2, n) of every token given those of ``state`` that show."""
        shown = state[:, None, :] >= 0
        agrees = ((state[:, None, :] == self.outcomes) | ~shown).all(dim=2)
        weight = agrees * self.p
        weight = weight / weight.sum(dim=1, keepdim=True)
        one = weight @ self.outcomes.double()
        return torch.stack([1 - one, one], dim=1).clamp(1e-12, 1).log()

    def count(self, tokens: Tensor) -> np.ndarray:
        """How often each outcome was drawn."""
        number = (tokens * 2 ** torch.arange(self.n - 1, -1, -1)).sum(dim=1)
        return torch.bincount(number, minlength=2**self.n).numpy()

    def agrees(self, tokens: Tensor, law: np.ndarray) -> float:
        """The chi-square probability of ``tokens`` under ``law``."""
        expected = law / law.sum() * len(tokens)
        return float(chisquare(self.count(tokens), expected).pvalue)


def raster(joint: Joint):  # type: ignore[no-untyped-def]
    """The exact predictor of the next token."""

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        place = int((x[0] >= 0).sum())
        assert (x.flatten(1)[:, place:] == HIDDEN).all(), "what follows is not drawn yet"
        return joint.conditional(x.flatten(1))[:, :, place]

    return predict


def anywhere(joint: Joint, seen: list[Tensor] | None = None):  # type: ignore[no-untyped-def]
    """The exact predictor of all tokens."""

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        assert time is not None
        assert time.shape == x.shape[:1]
        if seen is not None:
            seen.append(x.clone())
        return joint.conditional(x)

    return predict


def test_raster_order_draws_the_joint_exactly() -> None:
    joint = Joint(3, seed=1)
    rng = torch.Generator().manual_seed(0)
    tokens = NextTokenSampler().sample(raster(joint), (DRAWS, 3), rng)
    assert joint.agrees(tokens, joint.p.numpy()) > 1e-3


def test_a_grid_is_drawn_row_by_row() -> None:
    joint = Joint(4, seed=2)
    rng = torch.Generator().manual_seed(0)
    sampler = NextTokenSampler()
    tokens = sampler.sample(raster(joint), (DRAWS, 2, 2), rng)
    assert tokens.shape == (DRAWS, 2, 2)
    assert joint.agrees(tokens.flatten(1), joint.p.numpy()) > 1e-3
    assert sampler.calls_for((DRAWS, 2, 2)) == 4


def test_temperature_and_top_k() -> None:
    logits = torch.tensor([0.5, 0.3, 0.2]).log().expand(DRAWS, 3)

    def shares(**settings: float) -> list[float]:
        rng = torch.Generator().manual_seed(0)
        sampler = NextTokenSampler(**settings)  # type: ignore[arg-type]
        drawn = sampler.sample(lambda x, t: logits, (DRAWS, 1), rng)
        return (torch.bincount(drawn[:, 0], minlength=3) / DRAWS).tolist()

    assert shares(temperature=0.0) == [1, 0, 0]
    assert shares(top_k=1) == [1, 0, 0]
    assert shares(top_k=2) == pytest.approx([0.625, 0.375, 0], abs=0.015)
    squares = np.array([0.25, 0.09, 0.04])
    assert shares(temperature=0.5) == pytest.approx(squares / squares.sum(), abs=0.015)
    assert shares(top_k=9) == pytest.approx([0.5, 0.3, 0.2], abs=0.015)


@pytest.mark.parametrize("steps", [5, 40])
@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_as_many_steps_as_tokens_draw_the_joint_exactly(
    steps: int, schedule: Literal["cosine", "linear"]
) -> None:
    joint, seen = Joint(5, seed=3), []
    rng = torch.Generator().manual_seed(0)
    sampler = Unmasking(AbsorbingPath(schedule), steps)
    tokens = sampler.sample(anywhere(joint, seen), (DRAWS, 5), rng)
    assert joint.agrees(tokens, joint.p.numpy()) > 1e-3
    assert sampler.calls_for((DRAWS, 5)) == len(seen) == 5
    first = (seen[1] >= 0).double().mean(dim=0)
    assert torch.allclose(first, torch.full((5,), 0.2, dtype=torch.float64), atol=0.015)


def law_of_steps(joint: Joint, keeps: list[float]) -> np.ndarray:
    """What ancestral sampling with exact conditionals draws, by walking through all states."""
    weights = {(HIDDEN,) * joint.n: 1.0}
    for late, early in itertools.pairwise(keeps):
        show = (early - late) / (1 - late)
        after: dict[tuple[int, ...], float] = {}
        for state, weight in weights.items():
            p = joint.conditional(torch.tensor([state]))[0].exp().numpy()
            options = [
                [(token, 1.0)]
                if token >= 0
                else [(HIDDEN, 1 - show), (0, show * p[0, k]), (1, show * p[1, k])]
                for k, token in enumerate(state)
            ]
            for chosen in itertools.product(*options):
                reached = tuple(token for token, _ in chosen)
                chance = math.prod(probability for _, probability in chosen)
                if chance > 0:
                    after[reached] = after.get(reached, 0.0) + weight * chance
        weights = after
    outcomes = [tuple(outcome) for outcome in joint.outcomes.tolist()]
    return np.array([weights[outcome] for outcome in outcomes])


def test_fewer_steps_draw_the_law_of_their_steps() -> None:
    """Tokens that show together are independent, so the law is another, and known."""
    joint, path = Joint(4, seed=4), AbsorbingPath("linear")
    true = joint.p.numpy()
    wrong = []
    for steps in (1, 2, 3):
        law = law_of_steps(joint, [k / steps for k in range(steps + 1)])
        assert law.sum() == pytest.approx(1)
        wrong.append(np.abs(law - true).sum() / 2)
        rng = torch.Generator().manual_seed(steps)
        tokens = Unmasking(path, steps).sample(anywhere(joint), (DRAWS, 4), rng)
        assert joint.agrees(tokens, law) > 1e-3
        assert joint.agrees(tokens, true) < 1e-3
    assert wrong[0] > wrong[1] > wrong[2] > 0.01
    factorised = joint.conditional(torch.full((1, 4), HIDDEN))[0].exp().numpy()
    product = [
        math.prod(factorised[token, k] for k, token in enumerate(o))
        for o in joint.outcomes.tolist()
    ]
    assert law_of_steps(joint, [0, 1]) == pytest.approx(np.array(product))


def test_the_error_of_ancestral_steps_falls_with_their_number() -> None:
    joint = Joint(4, seed=4)
    true = joint.p.numpy()
    wrong = [
        np.abs(law_of_steps(joint, [k / steps for k in range(steps + 1)]) - true).sum()
        for steps in (16, 32)
    ]
    assert wrong[0] / wrong[1] == pytest.approx(2, rel=0.1), "of order one"


@pytest.mark.parametrize("order", ["random", "confidence"])
def test_what_shows_stays_and_all_shows_at_last(order: Literal["random", "confidence"]) -> None:
    joint, seen = Joint(9, seed=5), []
    rng = torch.Generator().manual_seed(0)
    sampler = Unmasking(AbsorbingPath(), 4, order=order)
    tokens = sampler.sample(anywhere(joint, seen), (50, 9), rng)
    assert len(seen) <= sampler.calls_for((50, 9)) == 4
    assert (seen[0] == HIDDEN).all()
    for early, late in itertools.pairwise([*seen, tokens]):
        assert torch.equal(late[early >= 0], early[early >= 0])
    assert ((tokens == 0) | (tokens == 1)).all()


def test_confidence_shows_as_many_as_the_schedule_says() -> None:
    joint, seen = Joint(9, seed=5), []
    path, rng = AbsorbingPath("cosine"), torch.Generator().manual_seed(0)
    Unmasking(path, 5, order="confidence").sample(anywhere(joint, seen), (50, 9), rng)
    for k, state in enumerate(seen):
        keep = 1 - math.cos(math.pi / 2 * k / 5)  # MaskGIT's schedule in its own terms
        expected = math.ceil(9 * keep - 1e-9)
        assert ((state >= 0).sum(dim=1) == expected).all()


def test_confidence_shows_the_surest_first() -> None:
    """Four tokens that know nothing of each other, the second and third the surest."""
    one = torch.tensor([0.6, 0.01, 0.95, 0.5])
    logits = torch.stack([1 - one, one]).log().expand(3, 2, 4)
    seen: list[Tensor] = []

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        seen.append(x.clone())
        return logits

    sampler = Unmasking(AbsorbingPath("linear"), 4, 0.0, order="confidence", choice_temperature=0.0)
    tokens = sampler.sample(predict, (3, 4), torch.Generator().manual_seed(0))
    h = HIDDEN
    assert [state[0].tolist() for state in seen] == [
        [h, h, h, h],
        [h, 0, h, h],
        [h, 0, 1, h],
        [1, 0, 1, h],
    ]
    assert tokens[:, :3].tolist() == [[1, 0, 1]] * 3


def test_noise_of_the_choice_changes_the_order() -> None:
    joint = Joint(6, seed=6)

    def second(noise: float, seed: int) -> Tensor:
        seen: list[Tensor] = []
        sampler = Unmasking(
            AbsorbingPath("linear"), 6, 0.0, order="confidence", choice_temperature=noise
        )
        sampler.sample(anywhere(joint, seen), (64, 6), torch.Generator().manual_seed(seed))
        return seen[1] >= 0

    assert torch.equal(second(0.0, 0), second(0.0, 1))
    places = second(1000.0, 0).double().mean(dim=0)
    assert float(places.max()) < 0.5, "all noise: any place may be first"


def test_draws_are_made_again_by_their_stream() -> None:
    joint = Joint(5, seed=7)
    for sampler in (Unmasking(AbsorbingPath(), 3), Unmasking(AbsorbingPath(), 9)):
        first, again, other = (
            sampler.sample(anywhere(joint), (40, 5), torch.Generator().manual_seed(seed))
            for seed in (0, 0, 1)
        )
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


def test_settings_that_cannot_be_are_refused() -> None:
    with pytest.raises(InputError, match="temperature of 0 or more"):
        NextTokenSampler(temperature=-1)
    with pytest.raises(InputError, match="top_k of 1 or more"):
        NextTokenSampler(top_k=0)
    with pytest.raises(InputError, match="at least one step"):
        Unmasking(AbsorbingPath(), 0)
    with pytest.raises(InputError, match="temperatures of 0 or more"):
        Unmasking(AbsorbingPath(), choice_temperature=-1.0)
    with pytest.raises(InputError, match="AbsorbingPath for MaskedToken, got CosinePath"):
        Recipe(
            name="r",
            summary="",
            task=Call(GreyLevels),
            networks={},
            path=Call(CosinePath),
            objective=Call(MaskedToken),
            codec=Call(GreyLevels),
            sampler=Call(Unmasking),
        )
