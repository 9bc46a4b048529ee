"""A run's report: one HTML file with everything in it."""

from __future__ import annotations

from pathlib import Path

from vesalius.reports.content import ReportContent
from vesalius.reports.decision import decision
from vesalius.reports.downloads import links, number_files
from vesalius.reports.rendering import fact_rows, records_table, write_page
from vesalius.reports.rows import LEVELS
from vesalius.reports.tiles import plate

REPRODUCES = {
    "none": "nothing: this recipe is our own",
    "mechanism": "the mechanism of the paper",
    "equations": "the mechanism and the equations of the paper",
    "protocol": "the mechanism, the equations and the protocol of the paper",
}


def write_report(path: Path, content: ReportContent) -> None:
    """Write ``content`` to ``path`` as one HTML file.

    What to decide comes first, then pictures, the verdict, the tables of each level, the worst
    cases, curves, the recipe and where it comes from. The page fetches nothing and runs no script;
    it suits light and dark screens, phones and paper.
    """
    order = {"typical": 0, "best": 1}
    shown = sorted(
        (strip for strip in content.strips if strip.kind in order),
        key=lambda strip: order[strip.kind],
    )
    copies = [strip for strip in content.strips if strip.kind == "copy"]
    worst = [strip for strip in content.strips if strip.kind == "worst"]
    tables = [(level, records_table(content.records, level)) for level in LEVELS]
    write_page(
        path,
        "report.html.j2",
        content=content,
        decision=decision(content.records),
        downloads=links({**number_files(content.records), **content.downloads}),
        plates=[plate(strip) for strip in shown],
        copies=[plate(strip) for strip in copies],
        worst=[plate(strip) for strip in worst],
        n_worst=sum(strip.cases for strip in worst),
        levels=[(level, table) for level, table in tables if table],
        facts=fact_rows(content.facts),
        paragraphs=[part for part in content.verdict.split("\n\n") if part.strip()],
        reproduces=REPRODUCES[content.provenance.reproduces],
    )
