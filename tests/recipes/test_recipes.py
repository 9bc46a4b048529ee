from __future__ import annotations

import json
from pathlib import Path

import pytest

from vesalius import recipes, tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call, Recipe
from vesalius.core.errors import UnknownName
from vesalius.core.record import Record, write_records
from vesalius.generative import losses
from vesalius.generative.objectives import MaskedToken
from vesalius.generative.objectives.objective import Objective, require_networks
from vesalius.generative.system import System
from vesalius.recipes.tiny import EXTENT, tiny
from vesalius.tasks.task import Task


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_goes_to_json_and_back(name: str) -> None:
    recipe = recipes.get(name)
    assert recipe.name == name
    assert recipe.summary.endswith(".")
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again.fingerprint() == recipe.fingerprint()
    assert again.to_json() == recipe.to_json()
    assert recipes.describe(name).endswith(".")


def test_no_two_recipes_compute_the_same() -> None:
    prints = {recipes.get(name).fingerprint() for name in recipes.names()}
    assert len(prints) == len(recipes.names())


@pytest.mark.parametrize("name", recipes.names())
def test_a_recipe_needs_no_download_and_its_parts_fit(name: str) -> None:
    recipe = recipes.get(name)
    task: Task = recipe.task.build()
    assert recipe.task.arguments["source"].target is DigitalPatients
    task.check()
    late = {} if recipe.path is None else {"path": recipe.path.build()}
    if recipe.conditioning is not None:
        late["conditioning"] = recipe.conditioning.build()
    objective: Objective = recipe.objective.build(**late)
    require_networks(objective, recipe.networks)
    assert recipe.provenance.title
    if recipe.provenance.reproduces != "none":
        assert recipe.provenance.deviations, "a recipe says where it leaves its source"
    if recipe.provenance.system:
        known = {system.identifier for system in recipes.systems()}
        assert recipe.provenance.system in known


@pytest.mark.parametrize("name", recipes.names())
def test_the_tiny_form_keeps_the_method(name: str) -> None:
    recipe, small = recipes.get(name), tiny(recipes.get(name))
    for part in ("objective", "sampler", "path", "conditioning", "codec"):
        old, new = getattr(recipe, part), getattr(small, part)
        assert (old is None) == (new is None)
        assert old is None or old.target is new.target
    assert [call.target for call in recipe.guidance] == [call.target for call in small.guidance]
    assert {k: v.target for k, v in recipe.networks.items()} == {
        k: v.target for k, v in small.networks.items()
    }
    task: Task = small.task.build()
    assert set(task.size) == {EXTENT[task.shape.dims]}
    parameters = sum(
        p.numel()
        for network in System.build(small, task.shape, 0).networks.values()
        for p in network.parameters()
    )
    assert parameters < 300_000
    assert Recipe.from_json(small.to_json()).fingerprint() == small.fingerprint()
    assert tiny(small).fingerprint() == small.fingerprint()


def test_using_counts_what_is_inside_of_parts_and_their_defaults() -> None:
    using = recipes.using()
    assert "sc-cyclegan" in using[losses.StructureConsistency], "named in a tuple"
    assert "vqgan-tatrans" in using[MaskedToken], "a part of a part"
    assert "drdm" in using[losses.DistanceError], "a default of the objective"
    assert "pix2pix" not in using[losses.DistanceError]


def test_volumes_have_a_tiny_form() -> None:
    recipe = recipes.get("segguideddiff")
    source = Call(DigitalPatients, n=20, size=(48, 64, 64))
    task = tasks.get("hippocampus-from-mask", source).replace(
        image="t1", label="tissues", classes=("grey", "white")
    )
    volumes = Recipe.from_json({**recipe.to_json(), "task": task.to_json()})
    assert tiny(volumes).task.build().size == (16, 16, 16)


def test_unknown_names_suggest_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"did you mean .*pix2pix"):
        recipes.get("pix2pixx")
    with pytest.raises(UnknownName, match=r"did you mean .*mr-to-ct"):
        tasks.get("mr-to-tc", Call(DigitalPatients))
    with pytest.raises(UnknownName):
        recipes.measured("nothing")


def test_the_catalogue_of_systems_is_whole() -> None:
    systems = recipes.systems()
    assert len({system.identifier for system in systems}) == len(systems) > 100
    assert all(system.name and 1990 < system.year < 2030 for system in systems)
    assert {s.recipe for s in systems if s.recipe} <= set(recipes.names())


def test_measured_reads_the_records_of_one_recipe(tmp_path: Path) -> None:
    def record(recipe: str) -> Record:
        return Record(recipe, "t", "d", "p", "mae", "pixel", "HU", "down", 1.0)

    write_records(tmp_path / "experiment-a.json", [record("pix2pix"), record("baseline")])
    write_records(tmp_path / "other.json", [record("pix2pix")])
    assert recipes.measured("pix2pix", tmp_path) == (record("pix2pix"),)
