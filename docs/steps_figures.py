"""Curves of quality against network calls, and their table, from ``benchmarks/results``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"
GREY = "#8a8a8a"
COLUMNS = 3
SAMPLER_COLOURS = {
    "DDIM": "#3b7dd8",
    "DPM-Solver++(2M)": "#e07b39",
    "Heun": "#4c9f70",
    "ancestral": "#b0413e",
    "Euler": "#8e6bbf",
    "churn": "#c9a227",
    "predictor-corrector": "#5aa7a7",
}
DISTILLED_COLOUR = "#d0418f"


def measured() -> list[dict[str, Any]]:
    """What ``benchmarks/steps_against_quality.py`` wrote, one a task."""
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob("steps_*.json"))]


def draw(folder: Path) -> None:
    """One figure a task: a panel a path, and one for distilled networks."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "vesalius"
    from matplotlib import pyplot

    folder.mkdir(parents=True, exist_ok=True)
    for content in measured():
        rows = [row for row in content["rows"] if row["calls"] < 1000]
        slowest = next(row for row in content["rows"] if row["calls"] == 1000)
        paths = sorted({row["path"] for row in rows if row["path"]})
        titles = [*paths, "distilled"] if any(not row["path"] for row in rows) else paths
        n_rows = math.ceil(len(titles) / COLUMNS)
        figure, grid = pyplot.subplots(
            n_rows, COLUMNS, figsize=(2.9 * COLUMNS, 2.9 * n_rows), sharey=True, squeeze=False
        )
        panels = list(grid.flatten())
        for axes in panels[len(titles) :]:
            axes.set_axis_off()
        for axes, title in zip(panels, titles, strict=False):
            own = [row for row in rows if (row["path"] or "distilled") == title]
            for name in sorted({row["sampler"] for row in own}):
                line = sorted(
                    (row for row in own if row["sampler"] == name), key=lambda row: row["calls"]
                )
                calls = [row["calls"] for row in line]
                values = [row["frechet"] for row in line]
                spread = [
                    [max(0, row["frechet"] - row["low"]) for row in line],
                    [max(0, row["high"] - row["frechet"]) for row in line],
                ]
                axes.errorbar(
                    calls,
                    values,
                    yerr=spread,
                    label=name,
                    color=SAMPLER_COLOURS.get(name),
                    marker="o" if title != "distilled" else "D",
                    markersize=3,
                    linewidth=1,
                    elinewidth=0.5,
                )
            axes.axhline(1.02 * slowest["frechet"], color=GREY, linewidth=0.7, linestyle=":")
            axes.set(xscale="log", yscale="log", xlabel="network calls")
            axes.set_xticks([1, 2, 4, 8, 16, 32], labels=["1", "2", "4", "8", "16", "32"])
            axes.minorticks_off()
            axes.set_title(title, fontsize=9, color=GREY)
            axes.tick_params(colors=GREY, labelsize=7)
            axes.xaxis.label.set_color(GREY)
            for side in axes.spines.values():
                side.set_color(GREY)
            axes.legend(fontsize=6, frameon=False, labelcolor=GREY)
        for row in grid:
            row[0].set_ylabel("Fréchet distance of radiomics", color=GREY, fontsize=8)
        figure.tight_layout()
        name = content["task"].replace("-", "_")
        figure.savefig(folder / f"steps_{name}.svg", transparent=True, metadata={"Date": None})
        pyplot.close(figure)


def table() -> str:
    """The least calls that stay within 2 % of 1000 ancestral steps, a line a path and sampler."""
    found = measured()
    tasks = [content["task"] for content in found]
    lines = sorted({line for content in found for line in content[KEY]})
    rows = [["path and sampler", *tasks], ["---"] * (len(tasks) + 1)]
    for line in lines:
        cells = []
        for content in found:
            smallest = content[KEY].get(line, "")
            cells.append("not reached" if smallest is None else str(smallest))
        rows.append([line, *cells])
    speed = [f"{content['task']} {content[SPEED]:g} times" for content in found]
    about = [
        f"{content['task']}: {content['images']} drawn, {content['real images']} real images, "
        f"seed {content['seed']}, {content['machine']}, split {content['split']}"
        for content in found
    ]
    text = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return (
        f"{text}\nSpeed-up of at most 4 calls over 1000 ancestral steps of the same network, in "
        f"the same run: {', '.join(speed)}.\n\n{'. '.join(about)}.\n"
    )


KEY = "calls within 2 % of 1000 ancestral steps"
SPEED = "speed-up of at most 4 calls over 1000"
