"""Runs that a run needs first: those whose weights its networks start from."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from vesalius.core.errors import InputError, UnknownName
from vesalius.core.recipe import Recipe, Start
from vesalius.training.first_weights import drawing_weights, identity


def settled(recipe: Recipe) -> Recipe:
    """``recipe`` with the weights of the runs that it starts from identified.

    Raises InputError where such a run is not trained, or where a recipe to be run first does not
    exist, does not have the network or leads back to itself. An objective's class may have
    ``check_start(arguments, network, first)``, which raises InputError where the recipe ``first``
    makes weights that the objective cannot use.
    """
    starts = {
        name: _identified(recipe, name, start) if start.run else start
        for name, start in recipe.starts.items()
    }
    _require_end(recipe, ())
    return dataclasses.replace(recipe, starts=starts)


def _identified(recipe: Recipe, name: str, start: Start) -> Start:
    from vesalius.runner.run import Run

    folder = Path(start.run).resolve()
    _check_start(recipe, name, Run.open(folder).recipe)
    weights, _ = drawing_weights(folder, start.network)
    return dataclasses.replace(start, run=str(folder), weights=identity(weights))


def _check_start(recipe: Recipe, name: str, first: Recipe) -> None:
    check = getattr(recipe.objective.target, "check_start", None)
    if check is not None:
        check(recipe.objective.arguments, name, first)


def _require_end(recipe: Recipe, above: tuple[str, ...]) -> None:
    above = (*above, recipe.name)
    for name in first_recipes(recipe):
        if name in above:
            raise InputError(
                "a recipe that can be run first",
                came=f"'{name}', which would start from itself",
                remedy="set starts.<network>.run to a run folder",
            )
        first = stage_recipe(recipe, name)
        for network, start in recipe.starts.items():
            if start.first == name:
                _check_start(recipe, network, first)
        _require_end(first, above)


def first_recipes(recipe: Recipe) -> tuple[str, ...]:
    """Names of the recipes that are run before ``recipe``, each once."""
    return tuple(dict.fromkeys(start.first for start in recipe.starts.values() if start.first))


def stage_recipe(recipe: Recipe, first: str) -> Recipe:
    """The recipe ``first`` as it is run before ``recipe``, whose networks start from it.

    It has this recipe's task, the architectures of those networks, and where both have one this
    recipe's path, conditioning and codec, so that what is learnt there can be used here. Its
    budget is this recipe's, times the largest effort of the starts, and with their largest batches.
    """
    from vesalius import recipes

    base = recipes.get(first)
    networks = dict(base.networks)
    starts = {name: start for name, start in recipe.starts.items() if start.first == first}
    for name, start in starts.items():
        if start.network not in networks:
            raise UnknownName(f"network of {first}", start.network, networks)
        networks[start.network] = recipe.networks[name]
    effort = max(start.effort for start in starts.values())
    budget = recipe.budget
    return dataclasses.replace(
        base,
        task=recipe.task,
        networks=networks,
        path=base.path and (recipe.path or base.path),
        conditioning=base.conditioning and (recipe.conditioning or base.conditioning),
        codec=base.codec and (recipe.codec or base.codec),
        budget=dataclasses.replace(
            budget,
            steps=max(1, round(budget.steps * effort)),
            minutes=None if budget.minutes is None else budget.minutes * effort,
            batch_size=max(start.batch_size for start in starts.values()) or budget.batch_size,
        ),
    )
