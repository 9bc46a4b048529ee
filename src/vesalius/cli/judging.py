"""``vesalius evaluate``, ``vesalius train-encoder`` and ``vesalius report``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from vesalius.cli.output import record_rows, say, say_json, say_table
from vesalius.cli.progress import shown


def evaluate(
    real: Annotated[Path, typer.Argument(metavar="REAL", help="A folder of real images.")],
    generated: Annotated[
        Path, typer.Argument(metavar="GENERATED", help="A folder of images that anything drew.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the report goes.")],
    protocol: Annotated[
        str | None,
        typer.Option(help="Judge by a published protocol; see: vesalius list protocols."),
    ] = None,
    mask: Annotated[
        Path | None, typer.Option(help="A folder of masks, named as the real images.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="Judge as this task does; see: vesalius list tasks.")
    ] = None,
    unit: Annotated[
        str | None, typer.Option(help="Unit of both folders where the files do not say it.")
    ] = None,
    value_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--range", metavar="LOW HIGH", help="Intensities that are compared."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="1=NAME,...", help="The files are label maps with these labels."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(metavar="MM", help="Of surface Dice, with --labels.")
    ] = 2.0,
    lesions: Annotated[
        bool, typer.Option("--lesions", help="Parts of the labels are lesions: count those found.")
    ] = False,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|all",
            help="Another pixel metric of pairs, by its name in vesalius list metrics; repeatable.",
        ),
    ] = None,
    extractor: Annotated[
        list[str] | None,
        typer.Option(
            metavar="WORD|FILE",
            help="What sets are compared by: radiomics (default), efficientnet_lite0, or a network "
            "of your own. May be given several times.",
        ),
    ] = None,
    train: Annotated[
        Path | None,
        typer.Option(help="The images that the generator learnt from: are there copies?"),
    ] = None,
    subgroups: Annotated[
        Path | None, typer.Option(help="A CSV table of covariates by case or patient.")
    ] = None,
    processes: Annotated[int, typer.Option(help="Processes that share the files.")] = 1,
    ray: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Share the files among the machines of a Ray cluster (auto, HOST:PORT, or local).",
        ),
    ] = None,
    pairs: Annotated[
        Literal["every", "common", "none"],
        typer.Option(help="Which files of one name are pairs, and must have a partner."),
    ] = "every",
    seed: Annotated[int, typer.Option(help="Of the resampling behind intervals.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Judge images that other software drew: by pair where names match, and as a set."""
    from vesalius.core.record import read_records
    from vesalius.runner.folders import evaluate_folders
    from vesalius.runner.workers import Workers

    with shown() as watch:
        report = evaluate_folders(
            real,
            generated,
            protocol=protocol,
            mask=mask,
            task=task,
            unit=unit,
            value_range=value_range,
            labels=labels,
            tolerance_mm=tolerance,
            lesions=lesions,
            metrics=metric or (),
            extractors=extractor or (),
            train=train,
            subgroups=subgroups,
            workers=Workers(processes, ray),
            pairs=pairs,
            out=output,
            seed=seed,
            watch=watch,
        )
    records = read_records(output / "metrics.json")
    if json:
        say_json({"report": str(report), "records": [one.to_json() for one in records]})
        return
    say_table("What was measured", record_rows(records))
    say("")
    say(f"report: {report}")


def train_encoder(
    folder: Annotated[
        Path, typer.Argument(metavar="TRAIN", help="Real images, none of which are judged later.")
    ],
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="NAME.safetensors", help="The encoder.")
    ],
    unit: Annotated[str | None, typer.Option(help="Unit where the files do not say it.")] = None,
    value_range: Annotated[
        tuple[float, float] | None,
        typer.Option("--range", metavar="LOW HIGH", help="Intensities that it sees."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Of training.")] = 600,
    seed: Annotated[int, typer.Option(help="Of weights, views and order.")] = 0,
    json: Annotated[
        bool, typer.Option("--json", help="Print what is known of it as JSON.")
    ] = False,
) -> None:
    """Train an encoder on real images, without labels, for evaluate's --extractor."""
    from vesalius.evaluation.own_encoder import EncoderTraining
    from vesalius.runner.folder_encoder import train_folder_encoder

    with shown() as watch:
        card = train_folder_encoder(
            folder,
            output,
            unit=unit,
            value_range=value_range,
            training=EncoderTraining(steps=steps),
            seed=seed,
            watch=watch,
        )
    low, high = card.window
    if json:
        say_json({"encoder": str(output), "images": card.images, "range": [low, high],
                  "partners_found": card.partners_found, "among": card.among})  # fmt: skip
        return
    say(
        f"In the end a view was nearest to the other view of its image in "
        f"{100 * card.partners_found:.0f} % of {card.among} images "
        f"(by chance {100 / card.among:.0f} %)."
    )
    say(f"encoder: {output}")
    say(f"use it: vesalius evaluate REAL GENERATED --extractor {output} --range {low:g} {high:g}")


def report(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of a judged run.")],
    json: Annotated[bool, typer.Option("--json", help="Print the path as JSON.")] = False,
) -> None:
    """Write a run's report again from what its folder holds."""
    from vesalius.core.errors import InputError
    from vesalius.runner.run import Run

    run = Run.open(folder)
    if run.status not in ("judged", "reported"):
        raise InputError(
            "a judged run", came=f"one that is '{run.status}'", case=folder,
            remedy=f"finish it with: vesalius resume {folder}",
        )  # fmt: skip
    path = run.report()
    if json:
        say_json({"report": str(path)})
    else:
        say(f"report: {path}")
