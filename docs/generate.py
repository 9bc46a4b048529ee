"""Pages of the reference that are made from the code whenever the docs are built."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import families_table
import family_tree
import ladder_table
import protocol_runs
import size_figures
import steps_figures

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LITERAL = re.compile(
    r"(``.+?``|:[a-z:]+:`[^`]+`|`[^`]+`_|^\s*(?:>>>|\.\.\.)[^\n]*$)", re.DOTALL | re.MULTILINE
)
MARKUP = re.compile(r"([|*]|(?<=\w)_(?!\w))")
GENERATED = Path(__file__).parent / "reference" / "generated"
FIGURES = Path(__file__).parent / "explanation" / "generated"
#: Lists that `vesalius list` has, with what a page says first.
LISTS = {
    "recipes": "Functions below `vesalius.recipes`; `vesalius show NAME` prints the parts of one.",
    "systems": "The systems of a review (arXiv 2508.09177), each with the recipe that follows it.",
    "tasks": "Clinical questions, with their data, baselines and metrics.",
    "datasets": "What `--data` recognises, and the digital patients that need no data.",
    "networks": "Any of them serves any recipe whose objective asks for such a network.",
    "paths": "From clean images to noise, to a given image, to hidden tokens, to other anatomy.",
    "samplers": "From what a network predicts to images.",
    "guidance": "What is known of a case beyond what the network was told.",
    "objectives": "How networks learn.",
    "losses": "A predicted image against what was wanted. Each has a weight; a recipe sums them.",
    "codecs": "The coordinates in which a system learns and draws.",
    "conditionings": "How what is given reaches a network.",
}
#: Columns of a list that a page leaves out.
HIDDEN = {"systems": {"identifier", "mechanism"}}
#: Names of a module that other pages do not have already.
OWN = {
    "vesalius": {
        "run": "function",
        "Run": "class",
        "Engine": "class",
        "apply": "function",
        "sample": "function",
        "evaluate": "function",
    }
}
#: Public modules, by page.
MODULES = {
    "vesalius": ("vesalius",),
    "core": ("vesalius.core", "vesalius.core.rng"),
    "physics": ("vesalius.physics", "vesalius.physics.mri"),
    "anatomy": ("vesalius.anatomy",),
    "networks": ("vesalius.networks",),
    "generative": (
        "vesalius.generative.objectives",
        "vesalius.generative.losses",
        "vesalius.generative.paths",
        "vesalius.generative.samplers",
        "vesalius.generative.guidance",
        "vesalius.generative.conditioning",
    ),
    "metrics": (
        "vesalius.metrics.metric",
        "vesalius.metrics.pixel",
        "vesalius.metrics.feature",
        "vesalius.metrics.feature.video",
        "vesalius.metrics.clinical",
    ),
    "data": ("vesalius.data", "vesalius.data.sources", "vesalius.dicom"),
    "tasks": (
        "vesalius.tasks.task",
        "vesalius.tasks.translation",
        "vesalius.tasks.reconstruction",
        "vesalius.tasks.synthesis",
        "vesalius.tasks.label_synthesis",
    ),
    "evaluation": (
        "vesalius.evaluation.statistics",
        "vesalius.evaluation.judge",
        "vesalius.evaluation.downstream",
        "vesalius.evaluation.protocols.protocol",
        "vesalius.evaluation.system_comparison",
        "vesalius.evaluation.noninferiority",
        "vesalius.evaluation.subgroups",
        "vesalius.evaluation.own_encoder",
        "vesalius.evaluation.ladder",
    ),
    "reports": ("vesalius.reports",),
    "testing": (
        "vesalius.testing.check_metric",
        "vesalius.testing.check_operator",
        "vesalius.testing.check_network",
        "vesalius.testing.check_sampler",
    ),
}


def cell(value: Any) -> str:
    """A value that neither breaks a table nor is read as markup."""
    text = " ".join(str("" if value is None else value).split())
    return text.replace("<", "&lt;").replace(">", "&gt;").replace("|", "\\|").replace("$", "\\$")


def table(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """Rows as a Markdown table."""
    lines = [columns, ["---"] * len(columns)]
    lines += [[cell(row[name]) for name in columns] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def list_page(kind: str) -> str:
    """What ``vesalius list KIND`` prints."""
    from typer.testing import CliRunner

    from vesalius.cli.program import program

    result = CliRunner().invoke(program, ["list", kind, "--json"])
    if result.exit_code:
        raise RuntimeError(f"vesalius list {kind} failed") from result.exception
    rows = json.loads(result.stdout)
    columns = [name for name in rows[0] if name not in HIDDEN.get(kind, ())]
    return f"# {kind.capitalize()}\n\n{LISTS[kind]}\n\n{table(rows, columns)}"


def unit_of(metric: type[Any]) -> str:
    """The unit of a metric, or what decides it."""
    found = inspect.getattr_static(metric, "unit")
    if isinstance(found, str):
        return found
    # "The unit of the images." of a property
    return (inspect.getdoc(found) or "").splitlines()[0].rstrip(".").lower()


def metric_page() -> str:
    """Every metric by level."""
    from vesalius.metrics import all_metrics

    words = {"up": "higher", "down": "lower", "zero": "nearer zero"}
    levels: dict[str, list[dict[str, Any]]] = {}
    for found in all_metrics():
        if "name" not in vars(found):  # those that are named after another metric
            continue
        levels.setdefault(found.level, []).append(
            {
                "metric": f"`{found.name}`",
                "class": found.__name__,
                "unit": unit_of(found),
                "better": words[found.direction],
                "what it is": first_line(found),
                "citation": found.citation,
            }
        )
    parts = [
        "# Metrics\n",
        "How each is defined, and its parameters, stand in [](api-metrics.md). "
        "`vesalius list metrics` prints the same names.\n",
    ]
    for level, rows in levels.items():
        parts.append(f"## {level.capitalize()}\n\n{table(rows, list(rows[0]))}")
    return "\n".join(parts)


def protocol_page() -> str:
    """Every protocol with its settings, what it measures, and what a reader has to know."""
    from vesalius.evaluation import protocols
    from vesalius.evaluation.protocols import StudyProtocol

    masks = {"none": "not allowed", "allowed": "allowed", "needed": "needed"}
    parts = [
        "# Protocols\n",
        "`vesalius evaluate --protocol NAME`; which files each takes stands in "
        "[](../../how-to/judge-by-protocol.md).\n",
    ]
    for name in protocols.names():
        one = protocols.get(name)
        rows = [("settings", one.settings)]
        if not isinstance(one, StudyProtocol):
            measures = ", ".join(
                f"{measure.name} ({measure.unit})" if measure.unit != "1" else measure.name
                for measure in one.measures
            )
            rows += [
                ("measures", measures),
                ("mean over", one.over),
                ("axes", " or ".join(f"{axes}D" for axes in one.dims)),
                ("unit", "labels" if one.labels else one.unit or "any"),
                ("mask", masks[one.mask]),
            ]
            if one.extractors:
                rows.append(("features", ", ".join(one.extractors)))
        rows += [("to know", "; ".join(one.remarks)), ("citation", one.citation)]
        told = [{"": key, "what it says": text} for key, text in rows if text]
        parts.append(f"## {name}\n\n{protocols.describe(name)}\n\n{table(told, list(told[0]))}")
    return "\n".join(parts)


def first_line(documented: object) -> str:
    """First line of a docstring."""
    return (inspect.getdoc(documented) or "").splitlines()[0]


def command_page() -> str:
    """Every command with its arguments and options."""
    import typer

    from vesalius.cli.failure import EPILOGUE
    from vesalius.cli.program import program

    group = typer.main.get_command(program)
    parts = ["# Commands\n", "`vesalius COMMAND --help` prints the same.\n"]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        usage = [f"vesalius {name}"]
        rows = []
        for item in command.params:
            if item.param_type_name == "argument":
                shown = item.metavar or str(item.name).upper()
                usage.append(shown)
            elif "--help" in item.opts:
                continue
            else:
                shown = ", ".join((*item.opts, *item.secondary_opts))
            default = "" if callable(item.default) else item.default
            plain = (
                default is not None and default is not False and item.param_type_name == "option"
            )
            rows.append(
                {
                    "": f"`{shown}`",
                    "what it is": item.help or "",
                    "default": getattr(default, "value", default) if plain else "",
                }
            )
        parts.append(f"## {name}\n\n{command.help}\n\n```text\n{' '.join(usage)} [OPTIONS]\n```\n")
        parts.append(table(rows, ("", "what it is", "default")))
    return "\n".join([*parts, f"{EPILOGUE}\n"])


def api_page(name: str) -> str:
    """The documentation strings of a page's modules."""
    parts = [f"# {name}\n" if name == "vesalius" else f"# vesalius.{name}\n"]
    if name in OWN:
        parts.append(
            "What a program needs first; much of {mod}`vesalius.core` is named here, too.\n"
        )
    for module in MODULES[name]:
        if len(MODULES[name]) > 1:
            parts.append(f"## {module}\n")
        named = OWN.get(module, {}).items()
        lines = [f".. auto{kind}:: {module}.{item}" for item, kind in named]
        lines = lines or [f".. automodule:: {module}"]
        parts.append("\n".join(["```{eval-rst}", *lines, "```\n"]))
    return "\n".join(parts)


def plain(app: Sphinx, kind: str, name: str, thing: object, options: Any, lines: list[str]) -> None:
    """Let docstrings write |x| and *space: only literals, roles and doctests are markup to us."""
    del app, kind, name, thing, options
    parts = LITERAL.split("\n".join(lines))
    parts[::2] = [MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    lines[:] = "".join(parts).split("\n")


def write(app: Sphinx) -> None:
    """Write all pages; a file that stays the same is left alone."""
    del app
    pages = {kind: list_page(kind) for kind in LISTS}
    pages |= {f"api-{name}": api_page(name) for name in MODULES}
    pages["commands"] = command_page()
    pages["metrics"] = metric_page()
    pages["protocols"] = protocol_page()
    family_tree.draw(FIGURES)
    steps_figures.draw(FIGURES)
    (FIGURES / "steps.md").write_text(steps_figures.table(), encoding="utf-8")
    size_figures.draw(FIGURES)
    (FIGURES / "cost_against_size.md").write_text(size_figures.table(), encoding="utf-8")
    families_table.write(FIGURES)
    ladder_table.write(FIGURES)
    protocol_runs.write(FIGURES)
    GENERATED.mkdir(exist_ok=True)
    for old in GENERATED.glob("*.md"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = GENERATED / f"{name}.md"
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, bool]:
    """Run before the sources are read."""
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", plain, priority=100)  # before sections are parsed
    return {"parallel_read_safe": True}
