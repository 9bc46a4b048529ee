"""Conditionings that bring networks of their own, and what is left out of them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, Call, InputError, Recipe
from vesalius.core.batch import Shape
from vesalius.generative.conditioning import (
    Concatenation,
    Conditioning,
    Covariates,
    Dropped,
    Text,
    require_readers,
    untold,
)
from vesalius.generative.guidance import ClassifierFree, Scene
from vesalius.generative.interface import Interface
from vesalius.generative.objectives import Denoising, Regression
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Euler
from vesalius.generative.system import System
from vesalius.networks import CovariateEncoder, TextEncoder, UViT

TOKENS = torch.tensor([[2, 5, 7, 0], [2, 6, 0, 0], [2, 7, 5, 3]])
NOISE = torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))
BATCH = Batch(
    wanted=NOISE, extras={"tokens": TOKENS}, texts=("a b", "c", "b a d"), cases=("x", "y", "z")
)


class Says(nn.Module):
    """Each token's number on each of two channels; remembers how often it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.asked = 0

    def forward(self, tokens: Tensor) -> Tensor:
        self.asked += 1
        return self.scale * torch.stack([tokens, 10 * tokens], 1).float()


class Adds(nn.Module):
    """The state and the sum of the condition, so that both are seen in what is returned."""

    def forward(self, x: Tensor, level: Tensor, condition: Tensor) -> Tensor:
        return x + condition.flatten(1).sum(1).view(-1, 1, 1, 1)


def networks() -> dict[str, nn.Module]:
    return {"network": Adds(), "text_encoder": Says()}


def test_what_the_reader_makes_of_tokens_is_the_condition() -> None:
    text = Text(features=2, kinds=8)
    assert text.channels(0) == (0, 2)
    assert text.interfaces() == {"text_encoder": Interface(8, 2)}
    read = text.read(networks(), BATCH)
    inside, condition = text.arrange(NOISE, read)
    assert inside is NOISE
    assert condition is not None
    assert condition[0].tolist() == [[2, 5, 7, 0], [20, 50, 70, 0]]


def test_a_batch_is_read_once() -> None:
    text, known = Text(features=2, kinds=8), networks()
    read = text.read(known, BATCH)
    assert text.read(known, read) is read
    said = known["text_encoder"]
    assert isinstance(said, Says)
    assert said.asked == 1
    objective = Denoising(CosinePath(), conditioning=text)
    predict = objective.predictor(known, BATCH)
    for time in (0.9, 0.5):
        predict(NOISE, torch.full((3,), time))
    assert said.asked == 2, "not once a step"


@pytest.mark.parametrize("learns", [True, False])
def test_the_reader_learns_with_the_network_or_stands_still(learns: bool) -> None:
    objective = Denoising(CosinePath(), conditioning=Text(features=2, kinds=8, learns=learns))
    trained = {name for names in objective.players().values() for name in names}
    assert trained == ({"network", "text_encoder"} if learns else {"network"})
    assert objective.frozen() == (() if learns else ("text_encoder",))
    assert set(objective.drawing()) == {"network", "text_encoder"}
    assert objective.interfaces(0, 1) == {
        "network": Interface(1, 1, 2, takes_level=True),
        "text_encoder": Interface(8, 2),
    }
    known = networks()
    rng = torch.Generator().manual_seed(0)
    loss = objective.loss("network", known, BATCH, rng, {"done": torch.tensor(0.0)})
    torch.autograd.backward(loss.total)
    said = known["text_encoder"]
    assert isinstance(said, Says)
    assert said.scale.grad is not None
    assert said.scale.grad != 0


def test_some_cases_are_told_nothing_in_training() -> None:
    dropped = Dropped(inner=Text(features=2, kinds=8), drop=0.25)
    assert dropped.readers() == ("text_encoder",)
    assert dropped.interfaces() == dropped.inner.interfaces()
    n = 4000
    many = Batch(
        wanted=None, extras={"tokens": TOKENS[:1].expand(n, -1)}, texts=("a",) * n,
        cases=("x",) * n,
    )  # fmt: skip
    read = dropped.read(networks(), many)
    x = torch.zeros(n, 1, 2, 2)
    condition = dropped.arrange(x, read, rng=torch.Generator().manual_seed(0))[1]
    assert condition is not None
    silent = (condition.flatten(1) == 0).all(1)
    assert abs(float(silent.double().mean()) - 0.25) < 4 * (0.25 * 0.75 / n) ** 0.5
    told = dropped.arrange(x, read)[1]
    assert told is not None
    assert not (told.flatten(1) == 0).all(1).any(), "all are told when images are drawn"
    assert torch.equal(condition[~silent], told[~silent])


def test_nothing_told_is_zero_whatever_is_given() -> None:
    given = torch.ones(3, 2, 4, 4)
    kept = torch.tensor([True, False, True])
    both = untold(Batch(wanted=None, given=given, extras=BATCH.extras, texts=BATCH.texts), kept)
    assert both.given is not None
    assert both.given.flatten(1).amax(1).tolist() == [1, 0, 1]
    text = Text(features=2, kinds=8)
    condition = text.arrange(NOISE, text.read(networks(), both))[1]
    assert condition is not None
    assert condition.flatten(1).amax(1).tolist() == [70, 0, 70]
    with pytest.raises(InputError, match="gives or tells something"):
        untold(Batch(wanted=NOISE))


def test_guidance_goes_from_nothing_told_to_more_than_is_told() -> None:
    dropped, known = Dropped(inner=Text(features=2, kinds=8)), networks()
    objective = Denoising(CosinePath(), prediction="denoised", conditioning=dropped)

    def own(batch: Batch) -> object:
        return objective.predictor(known, batch)

    time = torch.full((3,), 0.5)
    scene = Scene(BATCH, known, own)  # type: ignore[arg-type]
    told = objective.predictor(known, BATCH)(NOISE, time)
    free = objective.predictor(known, untold(BATCH))(NOISE, time)
    sums = 11.0 * TOKENS.sum(1)
    torch.testing.assert_close(told - free, sums.view(-1, 1, 1, 1).expand(3, 1, 8, 8))
    guided = ClassifierFree(2.5).guide(objective.predictor(known, BATCH), scene)(NOISE, time)
    torch.testing.assert_close(guided, free + 2.5 * (told - free), rtol=1e-4, atol=1e-4)


def test_covariates_reach_their_reader_as_they_are() -> None:
    covariates = Covariates(features=3, categories=(0, 2))
    told = torch.tensor([[0.5, 1.0], [float("nan"), 0.0], [1.0, float("nan")]])
    seen: list[Tensor] = []

    class Looks(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(x)
            return torch.ones(3, 3)

    batch = Batch(wanted=None, extras={"covariates": told}, cases=("x", "y", "z"))
    read = covariates.read({"covariate_encoder": Looks()}, batch)
    assert seen[0] is told
    condition = covariates.arrange(NOISE, read)[1]
    assert condition is not None
    assert condition.shape == (3, 3)
    assert covariates.interfaces() == {
        "covariate_encoder": Interface(2, 3, categories=(0, 2)),
    }


@pytest.mark.parametrize("conditioning", [Text(), Covariates()])
def test_a_task_that_tells_nothing_is_refused(conditioning: Conditioning) -> None:
    with pytest.raises(InputError, match=r"a task (with texts|that tells covariates)"):
        conditioning.interfaces()


def test_an_objective_that_reads_nothing_is_refused() -> None:
    with pytest.raises(InputError, match=r"read with text_encoder, got Regression.*Denoising"):
        require_readers(Text(kinds=8), Regression())
    require_readers(Concatenation(), Regression())


def recipe(conditioning: Call, readers: Mapping[str, Call]) -> Recipe:
    return Recipe(
        name="told", summary="Told.", task=Call(Shape, given=0, wanted=1, dims=2),
        networks={"network": Call(UViT, patch=4, width=8, n_layers=2, heads=2), **readers},
        path=Call(CosinePath, data_std=0.5), objective=Call(Denoising), conditioning=conditioning,
        sampler=Call(Euler, steps=2),
    )  # fmt: skip


def test_a_system_tells_its_readers_what_there_is_to_read() -> None:
    shape = Shape(0, 1, 2, tokens=8, categories=(0, 2))
    text = recipe(
        Call(Dropped, inner=Call(Text, features=6)), {"text_encoder": Call(TextEncoder, width=8)}
    )
    system = System.build(text, shape, 0)
    encoder = system.networks["text_encoder"]
    assert isinstance(encoder, TextEncoder)
    assert (encoder.channels_in, encoder.channels_out) == (8, 6)
    batch = Batch(wanted=None, extras=BATCH.extras, texts=BATCH.texts, cases=BATCH.cases)
    with torch.no_grad():
        for parameter in system.networks["network"].parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.manual_seed(1)))
    drawn = system.draw(batch, (8, 8))
    assert drawn.shape == (1, 3, 1, 8, 8)
    others = Batch(
        wanted=None, extras={"tokens": TOKENS.flip(0)}, texts=BATCH.texts, cases=BATCH.cases
    )
    again = system.draw(others, (8, 8))
    same = [torch.allclose(drawn[0, k], again[0, k], atol=1e-4) for k in range(3)]
    assert same == [False, True, False], "the words matter, and a case's own alone"

    numbers = recipe(Call(Covariates, features=6), {"covariate_encoder": Call(CovariateEncoder)})
    reader = System.build(numbers, shape, 0).networks["covariate_encoder"]
    assert isinstance(reader, CovariateEncoder)
    assert reader.categories == (0, 2)
    with pytest.raises(InputError, match="a task with texts"):
        System.build(text, Shape(1, 1, 2), 0)
