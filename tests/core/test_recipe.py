from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from vesalius import recipes
from vesalius.core import Budget, Call, InputError, Optimiser, Provenance, Recipe
from vesalius.core.errors import UnknownName


@pytest.fixture
def recipe() -> Recipe:
    return recipes.get("wang-2019")


def test_round_trip(recipe: Recipe) -> None:
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again.to_json() == recipe.to_json()
    assert again.fingerprint() == recipe.fingerprint()
    assert again.optimiser == recipe.optimiser
    assert again.provenance == recipe.provenance


def test_words_are_not_in_the_fingerprint(recipe: Recipe) -> None:
    words = dataclasses.replace(
        recipe,
        name="x",
        summary="y",
        provenance=Provenance(title="z"),
        budget=dataclasses.replace(recipe.budget, save_every_s=1.0),
    )
    assert words.fingerprint() == recipe.fingerprint()


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("draws", "7"),
        ("budget.steps", "9"),
        ("budget.minutes", "2.5"),
        ("optimiser.rate", "1"),
        ("optimiser.betas.0", "0.25"),
        ("optimiser.schedule", "constant"),
        ("optimiser.clip_norm", "null"),
        ("networks.generator.width", "8"),
        ("guidance.0.strength_max", "3"),
        ("guidance", "[]"),
        ("task.source.n", "20"),
        ("task.source.size", "[32, 32]"),
        ("objective.losses.1.weight", "2.5"),
    ],
)
def test_set_changes_one_value_and_what_is_computed(recipe: Recipe, key: str, text: str) -> None:
    before = recipe.to_json()
    changed = recipe.set(key, text)
    assert recipe.to_json() == before
    assert changed.fingerprint() != recipe.fingerprint()
    found: Any = changed
    for part in key.split("."):
        if isinstance(found, Call):
            found = found.arguments[part]
        elif isinstance(found, tuple):
            found = found[int(part)]
        else:
            found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == (text if text == "constant" else _tuples(json.loads(text)))


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("step", "1"),
        ("", "1"),
        ("budget", "1"),
        ("budget.step", "1"),
        ("budget.steps", "many"),
        ("budget.steps", "1.5"),
        ("budget.steps.x", "1"),
        ("optimiser.schedule", "linear"),
        ("optimiser.betas.0", "x"),
        ("optimiser.betas.2", "0.5"),
        ("optimiser.betas.-1", "0.5"),
        ("networks", "{}"),
        ("networks.generator", "3"),
        ("networks.painter.width", "3"),
        ("networks.generator.widht", "3"),
        ("networks.generator.width", "wide"),
        ("guidance.0", "5"),
        ("guidance.1.strength", "5"),
        ("guidance.x.strength", "5"),
        ("guidance", "[1]"),
        ("draws", "null"),
        ("task.source.n", '"ten"'),
        ("task.source.n.deeper", "1"),
        ("objective", '{"call": "os:system", "with": {}}'),
    ],
)
def test_a_wrong_key_or_type_is_one_clear_sentence(recipe: Recipe, key: str, text: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe.set(key, text)
    sentence = str(caught.value)
    assert sentence.startswith("expected ")
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    assert "object at 0x" not in sentence


def test_set_suggests_the_nearest_key(recipe: Recipe) -> None:
    with pytest.raises(UnknownName, match=r"did you mean steps"):
        recipe.set("budget.stpes", "3")


def _damaged(recipe: Recipe, **changes: Any) -> dict[str, Any]:
    return {**recipe.to_json(), **changes}


def test_json_that_is_no_recipe_is_an_input_error(recipe: Recipe) -> None:
    whole = recipe.to_json()
    for name in whole:
        parts = {key: value for key, value in whole.items() if key != name}
        if name in ("task", "networks", "objective", "sampler", "budget", "optimiser", "name"):
            with pytest.raises(InputError):
                Recipe.from_json(parts)
    for damaged in (
        _damaged(recipe, surprise=1),
        _damaged(recipe, budget={"steps": "many"}),
        _damaged(recipe, optimiser={"speed": 1}),
        _damaged(recipe, draws="four"),
        _damaged(recipe, budget=None),
        [whole],
        "recipe",
    ):
        with pytest.raises(InputError):
            Recipe.from_json(damaged)  # type: ignore[arg-type]


def test_defaults_are_those_of_the_documentation() -> None:
    assert Budget().minutes is None
    assert Optimiser().ema_decay == 0
