"""Curves of cost against size, and their exponents, from ``benchmarks/results``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results" / "cost_against_size.json"
GREY = "#8a8a8a"
COLOURS = ("#3b7dd8", "#e07b39", "#4c9f70", "#b0413e", "#8e6bbf", "#c9a227")


def measured() -> dict[str, Any]:
    """What ``benchmarks/cost_against_size.py`` wrote."""
    content: dict[str, Any] = json.loads(RESULTS.read_text())
    return content


def draw(folder: Path) -> None:
    """One figure: blocks forward, blocks forward and backward, images, volumes."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "vesalius"
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    content = measured()
    figure, grid = pyplot.subplots(2, 2, figsize=(8.8, 7.2))
    panels: tuple[tuple[str, str, str, list[dict[str, Any]]], ...] = (
        ("blocks, forward", "tokens", "block", _of(content["blocks"], backward=False)),
        ("blocks, forward and backward", "tokens", "block", _of(content["blocks"], backward=True)),
        ("networks, image", "voxels a side", "network", _of(content["networks"], dims=2)),
        ("networks, volume", "voxels a side", "network", _of(content["networks"], dims=3)),
    )
    for axes, (title, axis, what, rows) in zip(grid.flatten(), panels, strict=True):
        size = "tokens" if what == "block" else "size"
        names = list(dict.fromkeys(row[what] for row in rows))
        for name, colour in zip(names, COLOURS, strict=False):
            own = [row for row in rows if row[what] == name]
            axes.loglog(
                [row[size] for row in own],
                [row["seconds"] for row in own],
                "o-",
                color=colour,
                label=name,
                markersize=4,
                base=2,
            )
        axes.set_yscale("log", base=10)
        axes.set_title(title, fontsize=9, color=GREY)
        axes.set_xlabel(axis, color=GREY, fontsize=8)
        axes.set_ylabel("seconds", color=GREY, fontsize=8)
        axes.tick_params(colors=GREY, labelsize=7)
        for side in axes.spines.values():
            side.set_color(GREY)
        axes.legend(fontsize=7, frameon=False, labelcolor=GREY)
    figure.tight_layout()
    figure.savefig(folder / "cost_against_size.svg", transparent=True, metadata={"Date": None})
    pyplot.close(figure)


def _of(rows: list[dict[str, Any]], **values: object) -> list[dict[str, Any]]:
    return [row for row in rows if all(row[name] == value for name, value in values.items())]


def table() -> str:
    """Markdown: the figure, and the fitted exponents with the longest time of each line."""
    content = measured()
    lines = [
        "![Seconds against size](../explanation/generated/cost_against_size.svg)\n",
        "Exponents of seconds in tokens, or in voxels, over the last four sizes: one is linear, "
        "two quadratic.\n",
        "| line | exponent | largest size | seconds there | MB kept for the gradient |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, value in content["exponents"].items():
        last = _rows_of(content, name)[-1]
        size = f"{last['tokens']} tokens" if "tokens" in last else _extent(last)
        kept = f"{last['saved_bytes'] / 1e6:.3g}" if "saved_bytes" in last else ""
        lines.append(f"| {name} | {value:.2f} | {size} | {last['seconds']:.3g} | {kept} |")
    return "\n".join(lines) + "\n"


def _rows_of(content: dict[str, Any], name: str) -> list[dict[str, Any]]:
    line, _, rest = name.partition(", ")
    if rest in ("2D", "3D"):
        return _of(content["networks"], network=line, dims=int(rest[0]))
    return _of(content["blocks"], block=line, backward=bool(rest))


def _extent(row: dict[str, Any]) -> str:
    return "x".join([str(row["size"])] * row["dims"])
