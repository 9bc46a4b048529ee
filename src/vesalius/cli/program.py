"""The commands of ``vesalius`` and what they share."""

from __future__ import annotations

from typing import Annotated

import typer

from vesalius import __version__
from vesalius.cli import catalogue, comparing, judging, running, using
from vesalius.cli.failure import EPILOGUE, plain_warnings

program = typer.Typer(
    name="vesalius",
    help="Draw medical images with generative models and check them against the truth.",
    epilog=EPILOGUE,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"vesalius {__version__}")
        raise typer.Exit


@program.callback()
def shared(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show where an error came from (anywhere in the line).")
    ] = False,
) -> None:
    """Draw medical images with generative models and check them against the truth."""
    from vesalius.core.allocator import keep_freed_memory

    del version, debug
    plain_warnings()
    keep_freed_memory()


program.command("run")(running.run)
program.command("resume")(running.resume)
program.command("redraw")(running.redraw)
program.command("apply")(using.apply)
program.command("sample")(using.sample)
program.command("evaluate")(judging.evaluate)
program.command("train-encoder")(judging.train_encoder)
program.command("compare")(comparing.compare)
program.command("report")(judging.report)
program.command("list")(catalogue.list_)
program.command("show")(catalogue.show)
program.command("data")(catalogue.data)
