"""Networks that no player trains: teachers, in the loop."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vesalius.core import Call, Recipe, Start
from vesalius.generative.objectives import ConsistencyDistillation, ProgressiveDistillation
from vesalius.generative.samplers import Consistency
from vesalius.generative.system import System
from vesalius.networks.unet import UNet
from vesalius.training.checkpoint import found, load_tensors, save_tensors
from vesalius.training.first_weights import identity
from vesalius.training.fit import Loop

OBJECTIVES = {
    "consistency": Call(ConsistencyDistillation, start_steps=4, end_steps=8),
    "progressive": Call(ProgressiveDistillation, start_steps=4, end_steps=1),
}
Recipes = Callable[..., Recipe]
Loops = Callable[..., Loop]


def distillation(kind: str, tiny_recipe: Recipes, folder: Path) -> Recipe:
    """A student of a teacher of random weights, with dropout, conditional on an image."""
    base = tiny_recipe("denoising")
    network = Call(UNet, width=4, multipliers=(1, 2), dropout=0.3)
    teacher = dataclasses.replace(base, networks={"network": network})
    weights = System.build(teacher, base.task.build().shape, 8).networks["network"].state_dict()
    rng = torch.Generator().manual_seed(0)
    weights = {
        key: value + 0.1 * torch.rand(value.shape, generator=rng) for key, value in weights.items()
    }
    (folder / "model").mkdir(parents=True)
    save_tensors(folder / "model" / "network.safetensors", weights, {})
    return dataclasses.replace(
        base,
        networks={"network": network, "teacher": network},
        objective=OBJECTIVES[kind],
        sampler=Call(Consistency),
        starts={
            "teacher": Start(run=str(folder), weights=identity(weights)),
            "network": Start(like="teacher"),
        },
    )


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_a_stopped_distillation_goes_on_bit_for_bit(
    kind: str,
    tmp_path: Path,
    tiny_recipe: Recipes,
    make_loop: Loops,
    digests: Callable[[Path], dict[str, str]],
) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    recipe = distillation(kind, tiny_recipe, tmp_path / "teacher")
    make_loop(recipe, tmp_path / "whole").run()
    taken = [0]
    for last in (1, 3, 6):
        make_loop(
            recipe,
            tmp_path / "parts",
            watch=lambda progress: taken.append(progress.step),
            stop=lambda last=last: taken[-1] >= last,
        ).run()
    torch.set_num_threads(before)
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")
    assert "weights-teacher.safetensors" in digests(tmp_path / "whole")


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_a_teacher_is_in_eval_mode_never_trained_and_saved(
    kind: str, tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops, monkeypatch: Any
) -> None:
    recipe = distillation(kind, tiny_recipe, tmp_path / "teacher")
    modes: dict[bool, set[bool]] = {True: set(), False: set()}
    forward = UNet.transform

    def watched(self: UNet, *arguments: Any) -> Any:
        trained = next(self.parameters()).requires_grad
        modes[trained].add(self.training)
        return forward(self, *arguments)

    monkeypatch.setattr(UNet, "transform", watched)
    make_loop(recipe, tmp_path / "run").run()
    assert modes == {True: {True}, False: {False}}
    last = found(tmp_path / "run" / "checkpoints")[-1]
    files = {path.name for path in last.glob("*.safetensors")}
    assert "optimiser-teacher.safetensors" not in files
    assert "average-teacher.safetensors" not in files
    teacher, _ = load_tensors(last / "weights-teacher.safetensors")
    first, _ = load_tensors(tmp_path / "teacher" / "model" / "network.safetensors")
    student, _ = load_tensors(last / "weights-network.safetensors")
    kept = all(torch.equal(teacher[key], first[key]) for key in first)
    assert kept == (kind == "consistency"), "a progressive teacher is the student of last stage"
    assert any(not torch.equal(teacher[key], student[key]) for key in first)
    stages = [path for path in files if path == "objective.safetensors"]
    assert bool(stages) == (kind == "progressive")


def test_student_and_teacher_begin_alike(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops, monkeypatch: Any
) -> None:
    recipe = distillation("consistency", tiny_recipe, tmp_path / "teacher")
    seen: list[dict[str, nn.Module]] = []
    loss = ConsistencyDistillation.loss

    def watched(self: Any, player: str, networks: dict[str, nn.Module], *rest: Any) -> Any:
        if not seen:
            seen.append(
                {
                    name: {k: v.clone() for k, v in n.state_dict().items()}
                    for name, n in networks.items()
                }  # type: ignore[misc]
            )
        return loss(self, player, networks, *rest)

    monkeypatch.setattr(ConsistencyDistillation, "loss", watched)
    make_loop(recipe, tmp_path / "run").run()
    first: Any = seen[0]
    assert identity(first["network"]) == recipe.starts["teacher"].weights
    assert identity(first["teacher"]) == recipe.starts["teacher"].weights
