"""``vesalius compare``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from vesalius.cli.output import say, say_json, say_table
from vesalius.cli.progress import shown


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Folders of judged runs, or of vesalius evaluate."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the report goes.")],
    margin: Annotated[
        list[str] | None,
        typer.Option(metavar="METRIC=VALUE", help="Test non-inferiority by this; repeatable."),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Not to fall behind this one; else what is used today."),
    ] = None,
    subgroups: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV: 'case' or 'patient', then site, sex, age, ..."),
    ] = None,
    bands: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=EDGE,EDGE", help="Bands of a column's numbers; repeatable."),
    ] = None,
    common: Annotated[
        bool, typer.Option("--common", help="Compare over the cases that all have.")
    ] = False,
    baseline: Annotated[
        bool, typer.Option("--baseline/--no-baseline", help="With what is used today.")
    ] = True,
    sets: Annotated[
        bool, typer.Option("--sets/--no-sets", help="Test sets of images too; takes minutes.")
    ] = True,
    seed: Annotated[int, typer.Option(help="Of resampling and permutations.")] = 0,
    json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> None:
    """Compare finished runs on the same cases: paired tests, ranks, margins, subgroups."""
    import json as json_

    from vesalius.runner.compare import Terms
    from vesalius.runner.compare import compare as compare_folders

    terms = Terms(
        reference=reference,
        margins={name: _number(text, "--margin") for name, text in _pairs(margin, "--margin")},
        subgroups=subgroups,
        bands={
            name: tuple(_number(edge, "--bands") for edge in text.split(","))
            for name, text in _pairs(bands, "--bands")
        },
        common=common,
        baseline=baseline,
        sets=sets,
    )
    with shown() as watch:
        report = compare_folders(runs, output, terms=terms, seed=seed, watch=watch)
    found = json_.loads((output / "comparison.json").read_text())
    if json:
        say_json({"report": str(report), **found})
        return
    rows = [
        {
            "level": one["level"],
            "metric": one["metric"],
            "cases": one["group"],
            "best and told apart": one["best"] or "nobody",
            "from the best": ", ".join(
                sorted(one["ranks"]["ranks"], key=one["ranks"]["ranks"].get)
            ),
        }
        for one in found["measures"]
    ]
    say_table("Who is best", rows, wide="from the best")
    say("")
    for paragraph in found["verdict"]:
        say(paragraph)
        say("")
    say(f"report: {report}")


def _pairs(texts: list[str] | None, option: str) -> list[tuple[str, str]]:
    """``NAME=VALUE`` texts in two; InputError for others."""
    from vesalius.core.errors import InputError

    found = []
    for text in texts or ():
        name, sign, value = text.rpartition("=")
        if not sign or not name or not value:
            raise InputError("NAME=VALUE", came=f"'{text}'", case=option)
        found.append((name.strip(), value.strip()))
    return found


def _number(text: str, option: str) -> float:
    from vesalius.core.errors import InputError

    try:
        return float(text)
    except ValueError:
        raise InputError("a number", came=f"'{text}'", case=option) from None
