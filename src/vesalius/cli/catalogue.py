"""``vesalius list``, ``vesalius show`` and ``vesalius data``: what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalius.cli.output import record_rows, say, say_json, say_table

if TYPE_CHECKING:
    from vesalius.core.recipe import Recipe
    from vesalius.core.record import Record
    from vesalius.data import Source
    from vesalius.generative.components import ComponentKind

Rows = list[dict[str, Any]]


class Kind(StrEnum):
    """What can be listed."""

    recipes = "recipes"
    systems = "systems"
    tasks = "tasks"
    metrics = "metrics"
    protocols = "protocols"
    datasets = "datasets"
    networks = "networks"
    paths = "paths"
    samplers = "samplers"
    guidance = "guidance"
    objectives = "objectives"
    losses = "losses"
    codecs = "codecs"
    conditionings = "conditionings"


def first_line(documented: object) -> str:
    """First line of a docstring."""
    lines = (documented.__doc__ or "").strip().splitlines()
    return lines[0] if lines else ""


def _recipes() -> Rows:
    from vesalius import recipes

    return [{"recipe": name, "what it is": recipes.describe(name)} for name in recipes.names()]


def _systems() -> Rows:
    from dataclasses import asdict

    from vesalius import recipes

    return [asdict(system) for system in recipes.systems()]


def _tasks() -> Rows:
    from vesalius import tasks

    return [{"task": name, "question": tasks.describe(name)} for name in tasks.names()]


def _metrics() -> Rows:
    from vesalius.metrics import all_metrics

    return [
        {
            "metric": found.name,
            "level": found.level,
            "better": {"up": "higher", "down": "lower", "zero": "nearer zero"}[found.direction],
            "what it is": first_line(found),
            "citation": found.citation,
        }
        for found in all_metrics()
        if "name" in vars(found)  # not those that are named after another metric
    ]


def _protocols() -> Rows:
    from vesalius.evaluation import protocols

    return [
        {
            "protocol": name,
            "what it is": protocols.describe(name),
            "citation": protocols.get(name).citation,
        }
        for name in protocols.names()
    ]


def _datasets() -> Rows:
    from vesalius.anatomy import DigitalPatients
    from vesalius.data import all_sources
    from vesalius.dicom import DicomFolder

    sources: tuple[type[Source], ...] = (
        DigitalPatients,
        *all_sources().values(),
        DicomFolder,
    )
    return [
        {
            "data": source.name,
            "what it is": first_line(source),
            "licence": source.licence,
            "citation": source.citation,
        }
        for source in sources
    ]


def _networks() -> Rows:
    from vesalius import recipes
    from vesalius.networks import all_networks, default_size

    using = recipes.using()
    return [
        {
            "network": found.__name__,
            "what it is": first_line(found),
            "parameters in 2D": default_size(found, 2),
            "in 3D": default_size(found, 3),
            "recipes": ", ".join(using.get(found, ())),
        }
        for found in all_networks()
    ]


def _components(kind: ComponentKind) -> Rows:
    from vesalius import recipes
    from vesalius.generative.components import components

    using = recipes.using()
    return [
        {
            kind: found.__name__,
            "what it is": first_line(found),
            "recipes": ", ".join(using.get(found, ())),
        }
        for found in components(kind)
    ]


_LISTS: Mapping[Kind, Callable[[], Rows]] = {
    Kind.recipes: _recipes,
    Kind.systems: _systems,
    Kind.tasks: _tasks,
    Kind.metrics: _metrics,
    Kind.protocols: _protocols,
    Kind.datasets: _datasets,
    Kind.networks: _networks,
    Kind.paths: partial(_components, "paths"),
    Kind.samplers: partial(_components, "samplers"),
    Kind.guidance: partial(_components, "guidance"),
    Kind.objectives: partial(_components, "objectives"),
    Kind.losses: partial(_components, "losses"),
    Kind.codecs: partial(_components, "codecs"),
    Kind.conditionings: partial(_components, "conditionings"),
}


def list_(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """List recipes, systems, tasks, metrics, protocols, data sets, networks or components."""
    rows = _LISTS[kind]()
    if json:
        say_json(rows)
        return
    hidden = {"mechanism", "identifier"}  # long words, for --json
    if kind is Kind.datasets:
        hidden.add("citation")
    short = [{key: value for key, value in row.items() if key not in hidden} for row in rows]
    say_table(kind.value, short, wide="what it is")


def show(
    recipe: Annotated[str, typer.Argument(help="A recipe; see: vesalius list recipes.")],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Show a recipe: what it is, where it comes from, what deviates, what was measured."""
    from vesalius import recipes

    found = recipes.get(recipe)
    measured = recipes.measured(recipe)
    if json:
        say_json(
            {
                "name": found.name,
                "summary": found.summary,
                "fingerprint": found.fingerprint(),
                "recipe": found.to_json(),
                "measured": [record.to_json() for record in measured],
            }
        )
        return
    _page(found, measured)


def _page(recipe: Recipe, measured: Sequence[Record]) -> None:
    from vesalius.core.call import Call

    source = recipe.provenance
    say(f"{recipe.name}: {recipe.summary}")
    say("")
    if source.system is None and not source.title:
        say("Where it comes from: it is our own.")
    else:
        named = ", ".join(part for part in (source.title or source.system, source.doi) if part)
        say(f"Where it comes from: {named}")
        say(f"What stands here: {_REPRODUCES[source.reproduces]}")
        for deviation in source.deviations:
            say(f"  deviates: {deviation}")
    say("")
    parts: dict[str, Any] = {
        "task": recipe.task,
        **{f"networks.{name}": call for name, call in recipe.networks.items()},
        **{f"starts.{name}": start for name, start in recipe.starts.items()},
        "objective": recipe.objective,
        "path": recipe.path,
        "conditioning": recipe.conditioning,
        "sampler": recipe.sampler,
        **{f"guidance.{k}": call for k, call in enumerate(recipe.guidance)},
        "codec": recipe.codec,
        "optimiser": recipe.optimiser,
        "budget": recipe.budget,
        "draws": recipe.draws,
    }
    say("Parts (each value can be changed with --set part.value=...):")
    for name, part in parts.items():
        if part is None:
            continue
        say(f"  {name}: {part}")
        if isinstance(part, Call):
            own = [key for key in part.parameters() if key not in part.arguments]
            if own:
                say(f"    also: {', '.join(own)}")
    say("")
    say(f"Fingerprint: {recipe.fingerprint()}")
    if measured:
        say_table("What was measured", record_rows(measured))
    else:
        say("What was measured: nothing is recorded for this recipe.")


_REPRODUCES = {
    "none": "nothing of it is claimed",
    "mechanism": "the paper's mechanism",
    "equations": "the paper's mechanism and equations",
    "protocol": "the paper's mechanism, equations and protocol",
}


def data(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file or a folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Say what kind of data lies at a path: cases, patients, channels, sites."""
    from vesalius.data import open_source
    from vesalius.dicom import DicomFolder

    source = open_source(path, more=[DicomFolder])
    cases = source.cases()

    def count(values: list[str]) -> dict[str, int]:
        return {one or "not said": values.count(one) for one in sorted(set(values))}

    covariates = sorted({name for case in cases for name in case.covariates})
    first = source.read(cases[0])
    found = {
        "data": source.name,
        "what it is": first_line(source),
        "licence": source.licence,
        "citation": source.citation,
        "cases": len(cases),
        "patients": len({case.patient for case in cases}),
        "channels": dict(source.channels()),
        "partitions": count([case.partition for case in cases]),
        "sites": count([case.site for case in cases]),
        "covariates": covariates,
        "first case": {
            name: {
                "size": list(image.space),
                "spacing_mm": [round(size, 4) for size in image.spacing_mm],
                "unit": image.unit,
                "stored": image.stored,
            }
            for name, image in first.items()
        },
    }
    if json:
        say_json(found)
        return
    for name, value in found.items():
        said = value
        if isinstance(value, dict):
            said = ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
        elif isinstance(value, list):
            said = ", ".join(value) or "none"
        say(f"{name}: {said}")


def _plain(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    size = " x ".join(map(str, value["size"]))
    spacing = " x ".join(f"{one:g}" for one in value["spacing_mm"])
    return f"({size} voxels of {spacing} mm, {value['unit']}, {value['stored']})"
