from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch

from vesalius import recipes
from vesalius.core import InputError, Recipe, Start
from vesalius.core.errors import UnknownName
from vesalius.recipes.tiny import tiny
from vesalius.runner.run import Run, Silent, prepared
from vesalius.runner.stages import first_recipes, stage_recipe
from vesalius.training.checkpoint import load_tensors
from vesalius.training.first_weights import identity
from vesalius.training.fit import Engine

CPU = Engine("cpu")


def regression(**start: object) -> Recipe:
    """Tiny regression whose network starts from somewhere."""
    small = tiny(recipes.get("unet-regression"))
    started = {"network": Start(**start)}  # type: ignore[arg-type]
    return dataclasses.replace(small, name="tuned", starts=started)


def still(recipe: Recipe) -> Recipe:
    """``recipe`` with steps of no length in single precision."""
    return recipe.set("optimiser.rate", "1e-60").set("optimiser.weight_decay", "0")


class Watching(Silent):
    """Remembers stages, and how far training was."""

    def __init__(self) -> None:
        self.stages: list[str] = []
        self.advanced = 0

    def stage(self, name: str, total: int) -> None:
        self.stages.append(name)

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        self.advanced += 1


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A trained run."""
    folder = tmp_path_factory.mktemp("runs") / "first"
    run = Run.create(tiny(recipes.get("unet-regression")), folder, engine=CPU)
    return run.go(stop=lambda: run.status == "fitted")


def model(folder: Path) -> dict[str, torch.Tensor]:
    return load_tensors(folder / "model" / "network.safetensors")[0]


def test_a_run_starts_from_a_run_that_is_named(
    first: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(first.folder.parent)
    recipe = regression(recipe="unet-regression")
    ready = prepared(still(recipe), settings={"starts.network.run": "first"})
    start = ready.starts["network"]
    assert start.run == str(first.folder)
    assert start.weights == identity(model(first.folder))
    run = Run.create(ready, tmp_path / "run", engine=CPU)
    run.go(stop=lambda: run.status == "fitted")
    assert not (run.folder / "stages").exists()
    assert identity(model(run.folder)) == start.weights, "begun exactly there"
    opened = Run.open(run.folder)
    assert opened.recipe.starts == ready.starts
    assert opened.recipe.fingerprint() == ready.fingerprint()


def test_the_fingerprint_is_that_of_the_weights_not_of_their_place(
    first: Run, tmp_path: Path
) -> None:
    here = prepared(regression(run=str(first.folder)))
    shutil.copytree(first.folder, tmp_path / "moved")
    there = prepared(regression(run=str(tmp_path / "moved")))
    assert here.starts != there.starts
    assert here.fingerprint() == there.fingerprint()
    assert here.fingerprint() != regression(recipe="unet-regression").fingerprint()
    none = dataclasses.replace(here, starts={})
    assert here.fingerprint() != none.fingerprint()
    again = Recipe.from_json(json.loads(json.dumps(here.to_json())))
    assert again.starts == here.starts


def test_a_recipe_that_is_needed_first_is_fitted_first(tmp_path: Path) -> None:
    recipe = still(regression(recipe="unet-regression", effort=2.0))
    watch = Watching()
    run = Run.create(recipe, tmp_path / "run", seed=4, engine=CPU)
    run.go(watch=watch, stop=lambda: run.status == "fitted")
    assert watch.stages[:2] == ["fit unet-regression", "fit"]
    stage = Run.open(run.folder / "stages" / "unet-regression")
    assert (stage.status, stage.seed) == ("fitted", 4)
    assert stage.info["steps"] == 2 * recipe.budget.steps
    assert stage.recipe.task == recipe.task
    assert identity(model(stage.folder)) == identity(model(run.folder))
    assert run.recipe.fingerprint() == recipe.fingerprint()
    shutil.rmtree(run.folder / "stages")
    shutil.rmtree(run.folder / "checkpoints")
    done = Run.open(run.folder).go()
    assert done.status == "reported", "a trained run needs its start no more"


def test_a_stop_in_any_stage_changes_nothing(tmp_path: Path) -> None:
    recipe = regression(recipe="unet-regression")
    whole = Run.create(recipe, tmp_path / "whole", engine=CPU)
    whole.go(stop=lambda: whole.status == "fitted")
    Run.create(recipe, tmp_path / "parts", engine=CPU)
    statuses = []
    for _ in range(12):
        run, watch = Run.open(tmp_path / "parts"), Watching()
        run.go(watch=watch, stop=lambda w=watch, r=run: w.advanced >= 1 or r.status == "fitted")
        statuses.append(run.status)
        if run.status == "fitted":
            break
    assert statuses.count("fitting") >= 4, "stopped in both stages"
    assert identity(model(whole.folder)) == identity(model(tmp_path / "parts"))


def test_networks_that_start_from_one_recipe_share_its_run() -> None:
    base = tiny(recipes.get("cyclegan"))
    recipe = dataclasses.replace(
        base,
        name="again",
        starts={
            "generator": Start(recipe="cyclegan", network="generator", effort=0.5),
            "critic": Start(recipe="cyclegan", network="critic", effort=2.0),
            "generator_back": Start(like="generator"),
        },
    )
    assert first_recipes(recipe) == ("cyclegan",)
    stage = stage_recipe(recipe, "cyclegan")
    assert stage.networks["generator"] == recipe.networks["generator"]
    assert stage.networks["critic"] == recipe.networks["critic"]
    assert stage.networks["critic_back"] == recipes.get("cyclegan").networks["critic_back"]
    assert stage.budget.steps == 2 * recipe.budget.steps
    assert stage.budget.batch_size == recipe.budget.batch_size


def test_a_first_recipe_learns_on_the_path_that_it_is_used_on() -> None:
    base = recipes.get("conditional-diffusion").set("path.data_std", "0.31")
    recipe = dataclasses.replace(base, name="more", starts={"network": Start(recipe="demo")})
    stage = stage_recipe(recipe, "demo")
    assert stage.path == recipe.path
    assert stage.task == recipe.task
    plain = dataclasses.replace(
        recipes.get("unet-regression"), name="more", starts={"network": Start(recipe="demo")}
    )
    assert stage_recipe(plain, "demo").path == recipes.get("demo").path


def test_starts_that_cannot_be_are_refused(first: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a run folder, a recipe or a network to start from"):
        Start()
    with pytest.raises(InputError, match="an effort above zero"):
        Start(recipe="demo", effort=0.0)
    small = tiny(recipes.get("unet-regression"))
    with pytest.raises(UnknownName, match="did you mean network"):
        dataclasses.replace(small, starts={"netwerk": Start(recipe="demo")})
    with pytest.raises(InputError, match=r"starts\.network\.like: .* got 'network'"):
        dataclasses.replace(small, starts={"network": Start(like="network")})
    with pytest.raises(UnknownName, match=r"known recipe.*did you mean"):
        prepared(regression(recipe="unet-regresion"))
    with pytest.raises(UnknownName, match="network of unet-regression"):
        prepared(regression(recipe="unet-regression", network="generator"))
    itself = dataclasses.replace(regression(recipe="unet-regression"), name="unet-regression")
    with pytest.raises(InputError, match="which would start from itself"):
        prepared(itself)
    with pytest.raises(InputError, match=r"a run folder with run\.json"):
        prepared(regression(run=str(tmp_path)))
    untrained = Run.create(tiny(recipes.get("unet-regression")), tmp_path / "new", engine=CPU)
    with pytest.raises(InputError, match="a trained run to take weights from"):
        prepared(regression(run=str(untrained.folder)))
    with pytest.raises(InputError, match="that the run draws with: network"):
        prepared(regression(run=str(first.folder), network="critic"))
    data = regression(recipe="demo").to_json()
    with pytest.raises(InputError, match="'starts' of a recipe by network"):
        Recipe.from_json({**data, "starts": {"network": "demo"}})
    with pytest.raises(InputError, match=r"str for 'starts\.network\.run'"):
        regression(recipe="demo").set("starts.network.run", "3")


def test_weights_that_changed_before_they_were_used_are_noticed(first: Run, tmp_path: Path) -> None:
    place = tmp_path / "first"
    shutil.copytree(first.folder, place)
    run = Run.create(regression(run=str(place)), tmp_path / "run", engine=CPU)
    from vesalius.training.checkpoint import save_tensors

    changed = {key: tensor + 1 for key, tensor in model(place).items()}
    save_tensors(place / "model" / "network.safetensors", changed, {})
    with pytest.raises(InputError, match="put that run back as it was"):
        run.go()


def test_a_stage_may_have_batches_of_its_own() -> None:
    plain = regression(recipe="conditional-diffusion")
    larger = regression(recipe="conditional-diffusion", batch_size=7)
    assert stage_recipe(plain, "conditional-diffusion").budget.batch_size == 2
    assert stage_recipe(larger, "conditional-diffusion").budget.batch_size == 7
    assert larger.budget.batch_size == 2
    assert larger.fingerprint() != plain.fingerprint()
    assert Recipe.from_json(larger.to_json()).starts == larger.starts
    assert "batch_size" not in plain.starts["network"].identity(), "older runs keep their name"
    with pytest.raises(InputError, match="batch_size of 1 or more"):
        Start(recipe="conditional-diffusion", batch_size=-1)
