"""``vesalius run``, ``vesalius resume`` and ``vesalius redraw``."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from vesalius.cli.failure import INTERRUPTED
from vesalius.cli.interruption import Interruption
from vesalius.cli.output import record_rows, say, say_json, say_table
from vesalius.cli.progress import shown

if TYPE_CHECKING:
    from vesalius.runner.run import Run


class Device(StrEnum):
    """Where it runs."""

    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Precision(StrEnum):
    """Number format of training; Lightning Fabric's words."""

    full = "32-true"
    bfloat16 = "bf16-mixed"
    float16 = "16-mixed"


def settings_from(pairs: list[str]) -> dict[str, str]:
    """``["a.b=1", ...]`` as a mapping; raises InputError for one without '='."""
    from vesalius.core.errors import InputError

    found: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key:
            raise InputError("--set key=value", came=f"'{pair}'", remedy="see: vesalius show")
        if key in found:
            raise InputError(f"one value for '{key}'", came="two")
        found[key] = value
    return found


def run(
    recipe: Annotated[str, typer.Argument(help="A recipe; see: vesalius list recipes.")],
    data: Annotated[
        Path | None, typer.Option(help="Your data; without, digital patients are drawn.")
    ] = None,
    task: Annotated[str | None, typer.Option(help="See: vesalius list tasks.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The run folder, by default runs/<recipe>-<time>.")
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Training steps.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0, help="Training time instead of steps.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to train and draw.")] = Device.auto,
    devices: Annotated[int, typer.Option(min=1, help="Processes or GPUs.")] = 1,
    strategy: Annotated[str, typer.Option(help="Lightning Fabric's word: ddp, fsdp, ...")] = "auto",
    precision: Annotated[Precision, typer.Option(help="Number format.")] = Precision.full,
    seed: Annotated[int, typer.Option(help="Weights, order and draws follow from it.")] = 0,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change one value, again and again."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Train a recipe, draw with it, judge what it drew, and write a report."""
    from vesalius import recipes
    from vesalius.runner.run import Run, prepared
    from vesalius.training.fit import Engine

    ready = prepared(
        recipes.get(recipe),
        data=data.resolve() if data is not None else None,
        task=task,
        steps=steps,
        minutes=minutes,
        settings=settings_from(set_ or []),
    )
    engine = Engine(device.value, devices, strategy, precision.value)
    folder = out or Path("runs") / f"{recipe}-{time.strftime('%Y%m%d-%H%M%S')}"
    _go(Run.create(ready, folder, seed=seed, engine=engine), json=json)


def resume(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A run folder.")],
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Go on with a run that was stopped, from where it was."""
    from vesalius.runner.run import Run

    _go(Run.open(folder), json=json)


def redraw(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A trained run folder.")],
    out: Annotated[Path, typer.Option(help="The new run folder.")],
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Of sampler, guidance or draws."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Draw and judge again with another sampler, without training again."""
    from vesalius.runner.redraw import redrawn
    from vesalius.runner.run import Run

    run = Run.open(folder)
    recipe = run.recipe
    for key, text in settings_from(set_ or []).items():
        recipe = recipe.set(key, text)
    _go(redrawn(run, recipe, out), json=json)


def _go(run: Run, *, json: bool) -> None:
    with Interruption() as stop:
        try:
            with shown() as watch:
                run.go(watch=watch, stop=stop)
        except KeyboardInterrupt:
            _stopped(run)
    if stop.asked and run.status != "reported":
        _stopped(run)
    if json:
        say_json(summary(run))
        return
    if not run.draws_images:
        say(f"fitted: {run.folder}")
        say("It draws nothing; other recipes start from it (starts.<network>.run).")
        return
    say_table("What was measured", record_rows(run.records()))
    say("")
    say(f"report: {run.folder / 'report.html'}")


def _stopped(run: Run) -> None:
    """Say how to go on, and exit."""
    typer.echo(f"stopped; go on with: vesalius resume {run.folder}", err=True)
    raise typer.Exit(INTERRUPTED)


def summary(run: Run) -> dict[str, Any]:
    """A finished run for scripts."""
    return {
        "run": str(run.folder),
        "status": run.status,
        "report": str(run.folder / "report.html") if run.draws_images else None,
        "recipe": run.recipe.name,
        "fingerprint": run.recipe.fingerprint(),
        "seed": run.seed,
        "records": [record.to_json() for record in run.records()] if run.draws_images else [],
    }
