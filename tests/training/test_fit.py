from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError, Optimiser, Recipe
from vesalius.generative.losses import Losses
from vesalius.generative.objectives import Regression
from vesalius.generative.system import System
from vesalius.training import checkpoint as checkpoints
from vesalius.training import fit
from vesalius.training.fit import Engine, Loop, Progress, learning_rate, read_log

Recipes = Callable[..., Recipe]
Loops = Callable[..., Loop]


def test_learning_rate_by_hand() -> None:
    cosine = Optimiser(rate=0.2, warmup_steps=4)
    found = [learning_rate(cosine, step, 12) for step in (0, 1, 3, 4, 8, 12, 20)]
    assert found == pytest.approx([0.05, 0.1, 0.2, 0.2, 0.1, 0.0, 0.0])
    constant = dataclasses.replace(cosine, schedule="constant")
    assert [learning_rate(constant, step, 12) for step in (0, 4, 11)] == [0.05, 0.2, 0.2]


def test_the_rate_reaches_the_optimiser_also_after_a_resume(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("regression", steps=6)
    seen: list[float] = []
    step = torch.optim.AdamW.step

    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        seen.append(self.param_groups[0]["lr"])
        return step(self, *arguments, **named)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    taken = 0

    def watch(progress: Progress) -> None:
        nonlocal taken
        taken = progress.step

    make_loop(recipe, tmp_path, watch=watch, stop=lambda: taken >= 3).run()
    make_loop(recipe, tmp_path).run()
    assert seen == pytest.approx([learning_rate(recipe.optimiser, k, 6) for k in range(6)])


def test_accumulated_parts_equal_the_bigger_batch(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops
) -> None:
    weights = []
    for accumulate in (1, 2, 4):
        recipe = tiny_recipe("regression", steps=4, batch_size=4, accumulate=accumulate)
        fitted = make_loop(recipe, tmp_path / str(accumulate)).run()
        weights.append(torch.cat([p.flatten() for p in fitted.networks["network"].parameters()]))
    assert torch.allclose(weights[0], weights[1], atol=1e-5)
    assert torch.allclose(weights[0], weights[2], atol=1e-5)
    start = System.build(recipe, make_loop(recipe, tmp_path).task.shape, 3).networks["network"]
    moved = weights[0] - torch.cat([p.flatten() for p in start.parameters()])
    assert moved.abs().max() > 1e-3, "training moved the weights far beyond that tolerance"


def test_accumulated_gradients_are_those_of_the_bigger_batch(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adam forgets the size of a gradient, and so would a test of weights alone."""
    seen: list[Tensor] = []
    step = torch.optim.AdamW.step

    def watched(self: Any, *arguments: Any, **named: Any) -> Any:
        grads = [p.grad.flatten() for group in self.param_groups for p in group["params"]]
        seen.append(torch.cat(grads).clone())
        return step(self, *arguments, **named)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    for accumulate in (1, 2, 4):
        recipe = tiny_recipe("regression", steps=1, batch_size=4, accumulate=accumulate)
        loop = make_loop(recipe.set("optimiser.clip_norm", "null"), tmp_path / str(accumulate))
        loop.run()
    assert float(seen[0].abs().max()) > 0
    assert torch.allclose(seen[0], seen[1], rtol=1e-3, atol=1e-6)
    assert torch.allclose(seen[0], seen[2], rtol=1e-3, atol=1e-6)


def test_a_batch_that_parts_do_not_divide_is_refused(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops
) -> None:
    recipe = tiny_recipe("regression", batch_size=3, accumulate=2)
    with pytest.raises(InputError, match=r"batch size that 2 parts .* divide, got 3"):
        make_loop(recipe, tmp_path).run()


def test_the_average_warms_up(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against the recursion a <- d a + (1 - d) w with d = min(decay, (1 + n) / (10 + n))."""
    recipe = tiny_recipe("regression", steps=5)
    history: list[Tensor] = []
    update = torch.optim.swa_utils.AveragedModel.update_parameters

    def watched(self: Any, model: nn.Module) -> None:
        history.append(torch.cat([p.detach().flatten().clone() for p in model.parameters()]))
        update(self, model)

    monkeypatch.setattr(torch.optim.swa_utils.AveragedModel, "update_parameters", watched)
    fitted = make_loop(recipe, tmp_path).run()
    average = history[0].double()
    for n, weights in enumerate(history[1:], start=1):
        decay = min(recipe.optimiser.ema_decay, (1 + n) / (10 + n))
        average = decay * average + (1 - decay) * weights.double()
    found = torch.cat([p.detach().flatten() for p in fitted.networks["network"].parameters()])
    assert torch.allclose(found.double(), average, atol=1e-6)
    assert not torch.allclose(found, history[-1], atol=1e-6)


class Poisoned(Regression):
    """A loss that breaks at its sixth call."""

    calls = 0

    def loss(
        self,
        player: str,
        networks: Any,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        Poisoned.calls += 1
        losses = super().loss(player, networks, batch, rng, carry)
        if Poisoned.calls == 6:
            return Losses({**losses.terms, "ghost": (1.0, self.ghost(networks))})
        return losses

    def ghost(self, networks: Any) -> Tensor:
        """No number."""
        return torch.tensor(math.nan)


class Steep(Poisoned):
    """A loss of zero whose slope is infinite."""

    def ghost(self, networks: Any) -> Tensor:
        """The root of zero."""
        weight = next(iter(networks["network"].parameters()))
        return (weight - weight.detach()).abs().sum().sqrt()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Poisoned, "ghost of network not finite at step 5"),
        (Steep, "the gradient of l1 + ghost of network not finite at step 5"),
    ],
)
def test_a_loss_that_is_no_number_names_step_term_and_cases(
    broken: type[Poisoned],
    said: str,
    tmp_path: Path,
    tiny_recipe: Recipes,
    make_loop: Loops,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = tiny_recipe("regression", steps=9, save_every_s=0.0)
    loop = make_loop(recipe, tmp_path)
    build = System.build
    Poisoned.calls = 0
    monkeypatch.setattr(
        fit.System,
        "build",
        lambda *args: dataclasses.replace(build(*args), objective=broken()),
    )
    with pytest.raises(fit.BrokenTraining) as caught:
        loop.run()
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert said in sentence
    train = {case.identifier for case in loop.task.split["train"]}
    assert sum(case in sentence for case in train) in (1, 2)
    last = checkpoints.found(tmp_path / "checkpoints")[-1]
    saved = checkpoints.load(last, recipe.fingerprint())
    assert saved.state["step"] == 5
    for tensors in saved.tensors.values():
        assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
    monkeypatch.undo()
    assert make_loop(recipe, tmp_path).run().steps == 9


def test_a_checkpoint_of_another_recipe_is_refused(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops
) -> None:
    make_loop(tiny_recipe("regression", steps=1), tmp_path).run()
    with pytest.raises(InputError, match="checkpoint of the recipe"):
        make_loop(tiny_recipe("regression", steps=2), tmp_path).run()


def test_minutes_become_a_number_of_steps_that_stays(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe("regression", minutes=60.0)
    told: list[int] = []
    asked: list[float] = []
    monkeypatch.setattr(fit, "MEASURED_STEPS", 3)

    def seventeen(self: Loop, fabric: Any, step: int, seconds: float) -> int:
        asked.append(seconds)
        return 17

    measured = Loop._steps_for_minutes
    monkeypatch.setattr(Loop, "_steps_for_minutes", seventeen)
    taken = 0

    def watch(progress: Progress) -> None:
        nonlocal taken
        taken = progress.step
        told.append(progress.steps)

    make_loop(recipe, tmp_path, watch=watch, stop=lambda: taken >= 5).run()
    assert told == [0, 0, 17, 17, 17]
    fitted = make_loop(recipe, tmp_path).run()
    assert fitted.steps == 17
    assert len(asked) == 1, "measured once"
    assert len(list(read_log(tmp_path))) == 17

    class Alone:
        def broadcast(self, value: int) -> int:
            return value

    # 3 steps in 30 s make 6 a minute; steps already taken are not given back
    assert measured(make_loop(recipe, tmp_path), Alone(), 3, 30.0) == 360
    short = tiny_recipe("regression", minutes=0.01)
    assert measured(make_loop(short, tmp_path), Alone(), 3, 30.0) == 3


def test_a_log_that_a_crash_cut_short_is_read_up_to_there(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1}\n{"step": 2}\n{"st')
    assert list(read_log(tmp_path)) == [{"step": 1}, {"step": 2}]
    assert list(read_log(tmp_path / "none")) == []


def test_an_engine_without_its_device_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="a CUDA device, got none"):
        Engine("cuda").fabric()


def test_training_leaves_the_global_random_state_alone(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops
) -> None:
    before = torch.random.get_rng_state().clone()
    make_loop(tiny_recipe("paired", steps=2), tmp_path).run()
    assert torch.equal(before, torch.random.get_rng_state())
