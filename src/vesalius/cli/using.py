"""``vesalius apply`` and ``vesalius sample``: a trained run put to use."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vesalius.cli.output import say, say_json
from vesalius.cli.progress import shown
from vesalius.cli.running import Device

if TYPE_CHECKING:
    from vesalius.runner.run import Run


def _opened(folder: Path, device: Device) -> Run:
    """The run, to be used on ``device`` whatever it was trained on."""
    from dataclasses import replace

    import torch

    from vesalius.core.errors import InputError
    from vesalius.runner.run import Run

    if device is Device.cuda and not torch.cuda.is_available():
        raise InputError("a CUDA device", came="none", remedy="use --device cpu or auto")
    run = Run.open(folder)
    run.engine = replace(run.engine, accelerator=device.value)
    return run


def apply(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained run.")],
    input_: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT", help="A file or a folder: NIfTI, DICOM, PNG, npz, npy, h5 (k-space)."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the images go.")],
    draws: Annotated[int, typer.Option(min=1, help="Images a case.")] = 8,
    seed: Annotated[int, typer.Option(help="Draws follow from it.")] = 0,
    device: Annotated[Device, typer.Option(help="Where to draw.")] = Device.auto,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Draw cases again that are already there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Draw the images of new cases: mean, draws, uncertainty, and how they were made."""
    from vesalius.runner.apply import apply as draw

    with shown() as watch:
        files = draw(
            _opened(run, device),
            input_,
            output,
            draws=draws,
            seed=seed,
            overwrite=overwrite,
            watch=watch,
        )
    _told(output, files, json=json)


def sample(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a trained run.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the images go.")],
    n: Annotated[int, typer.Option("-n", min=1, help="Number of images.")] = 16,
    seed: Annotated[int, typer.Option(help="Draws follow from it.")] = 0,
    text: Annotated[
        str | None, typer.Option(help="A report to draw for, with a run that draws from reports.")
    ] = None,
    device: Annotated[Device, typer.Option(help="Where to draw.")] = Device.auto,
    json: Annotated[bool, typer.Option("--json", help="Print the files as JSON.")] = False,
) -> None:
    """Draw images for the conditions of the run's own test cases, or for a text."""
    from vesalius.runner.sample import sample as draw
    from vesalius.runner.sample import unread_words

    opened = _opened(run, device)
    with shown() as watch:
        files = draw(opened, n, output, seed=seed, text=text, watch=watch)
    unread = unread_words(opened.task, text) if text is not None else ()
    if unread:
        typer.echo(
            f"not read, since no training report has such letters: {', '.join(unread)}", err=True
        )
    _told(output, files, json=json)


def _told(output: Path, files: list[Path], *, json: bool) -> None:
    if json:
        say_json({"output": str(output), "files": [str(file) for file in files]})
    else:
        say(f"{len(files)} files in {output}")
