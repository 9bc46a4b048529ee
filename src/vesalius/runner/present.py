"""A run as the content of a report."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from vesalius.data.source import Case
from vesalius.evaluation.judge import estimate, spread
from vesalius.reports import Curve, Picture, ReportContent, Strip, Table, spanning_window, verdict
from vesalius.reports.content import Scatter
from vesalius.runner.class_figures import class_curves, class_strips, confusion
from vesalius.runner.label_strips import label_strip
from vesalius.runner.ladder_tables import ladder_tables
from vesalius.runner.shown_cases import ShownCase, shown_cases
from vesalius.training.fit import read_log

if TYPE_CHECKING:
    from vesalius.runner.run import Run

#: Cases shown where none is best or worst.
SHOWN = 6
SHOWN_DRAWS = 2
CURVE_POINTS = 200


def present(run: Run) -> ReportContent:
    """Pictures of typical, best and worst cases, records, curves and the facts of a run."""
    records = tuple(run.records())
    cases = json.loads((run.folder / "cases.json").read_text())
    summary, info = run.task.summary(), run.info
    strips: list[Strip] = []
    figures: list[Curve | Scatter] = []
    tables: list[Table] = []
    for partition, found in cases["partitions"].items():
        if run.task.judgement.answer == "class":
            strips += class_strips(run, partition, found)
            figures += class_curves(run, partition, found)
            tables.append(confusion(run, partition, found))
            continue
        chosen = _chosen(run, partition, found)
        if run.task.judgement.answer == "labels":
            strips += [label_strip(run, partition, case, one, found) for case, one in chosen]
            continue
        strips += [_strip(run, partition, case, one, found) for case, one in chosen]
        figures += _uncertainty(run, partition, chosen)
    patients = ", ".join(f"{name} {n}" for name, n in summary["patients"].items())
    machine = info["machine"]
    facts: dict[str, Any] = {
        "recipe": run.recipe.name,
        "what it is": run.recipe.summary,
        "task": f"{summary['task']} ({summary['phase']})",
        "data": f"{summary['dataset']} ({summary['licence']})",
        "citation": summary["citation"],
        "patients": patients,
        "image size": " x ".join(map(str, summary["size"])),
        "protocol": summary["protocol"],
        "split": summary["split"],
        "fingerprint": info["fingerprint"],
        "seed": run.seed,
        "steps": info.get("steps", 0),
        "training time": f"{info.get('seconds', 0):.0f} s",
        "draws a case": run.recipe.draws,
        "machine": f"{machine['device']}, {machine['processor']}, {machine['threads']} threads",
        "software": f"vesalius {info['version']}, torch {machine['torch']}, "
        f"python {machine['python']}",
    }
    return ReportContent(
        title=f"{run.recipe.name}: {summary['task']}",
        question=summary["question"],
        verdict=verdict(records),
        facts=facts,
        provenance=run.recipe.provenance,
        strips=tuple(strips),
        records=records,
        curves=(*_losses(run), *figures),
        tables=tuple(tables),
        reference=ladder_tables() if run.task.judgement.answer == "image" else (),
        recipe_json=run.recipe.to_json(),
        warnings=tuple(cases["warnings"]),
    )


def _chosen(run: Run, partition: str, found: dict[str, Any]) -> list[tuple[Case, ShownCase]]:
    """Typical, best and worst cases by each metric, those of the main metric first."""
    by_name = {case.identifier: case for case in run.task.split[partition]}
    metrics, main = run.task.judgement.metrics, run.task.judgement.main
    ordered = sorted(metrics, key=lambda metric: metric.name != main)
    directions = {metric.name: metric.direction for metric in ordered}
    values = {
        name: np.asarray(found["values"][name][run.recipe.name], dtype=float).tolist()
        for name in directions
    }
    shown = shown_cases(directions, values)
    if not shown:  # no image is the one truth, so none is best or worst
        shown = tuple(ShownCase(place) for place in range(min(len(found["cases"]), SHOWN)))
    return [(by_name[found["cases"][one.place]], one) for one in shown]


def _slice(image: Tensor) -> np.ndarray:
    """The first case and channel of ``(1, channel, *space)``; of a volume, its middle slice."""
    pixels = image[0, 0].double().cpu().numpy()
    return np.asarray(pixels[:, :, pixels.shape[2] // 2] if pixels.ndim == 3 else pixels)


def _strip(run: Run, partition: str, case: Case, one: ShownCase, found: dict[str, Any]) -> Strip:
    task = run.task
    judgement = task.judgement
    batch = task.test_case(case)
    draws = run.draws(partition, case)
    assert batch.wanted is not None
    reference = task.judged(batch.wanted)
    mean = task.judged(estimate(draws))
    baselines = {name: task.judged(image) for name, image in task.baselines(batch).items()}
    pictures = [
        Picture(
            label, _slice(image[:, None]), window, unit, "labels" if unit == "label" else "grey"
        )
        for label, (image, window, unit) in task.shown(batch).items()
    ]

    def grey(label: str, image: Tensor) -> Picture:
        return Picture(label, _slice(image), judgement.window, judgement.unit)

    pictures += [grey(name, image) for name, image in list(baselines.items())[:1]]
    if len(draws) > 1:
        judged = task.judged(draws)
        pictures += [grey(f"draw {k + 1}", judged[k : k + 1]) for k in range(SHOWN_DRAWS)]
        pictures.append(grey(f"mean of {len(draws)} draws", mean))
    else:
        pictures.append(grey("drawn", mean))
    pictures.append(grey("reference" if judgement.metrics else "a real one", reference))
    if not judgement.metrics:
        where = f"{partition} image"
        told = {"told": batch.texts[0]} if batch.texts else {}
        return Strip(case.identifier, where, tuple(pictures), told, one.kind)
    inside = _slice(batch.mask.float()) > 0 if batch.mask is not None else None
    error = _slice(mean) - _slice(reference)
    if inside is not None:
        error = np.where(inside, error, 0.0)
    reach = spanning_window(error, symmetric=True)
    reach = reach if reach[1] > 0 else (-1.0, 1.0)
    pictures.append(Picture("error", error, reach, judgement.unit, "signed"))
    if len(draws) > 1:
        deviation = _slice(spread(task, draws))
        pictures.append(
            Picture("uncertainty (SD of draws)", deviation, (0.0, reach[1]), judgement.unit, "heat")
        )
    for name, image in list(baselines.items())[:1]:
        difference = _slice(mean) - _slice(image)
        pictures.append(
            Picture(f"difference to {name}", difference, reach, judgement.unit, "signed")
        )
    scores = {}
    for metric in judgement.metrics:
        value = found["values"][metric.name][run.recipe.name][one.place]
        unit = "" if metric.unit == "1" else f" {metric.unit}"
        scores[metric.name] = f"{value:.4g}{unit}"
    where = f"{partition} patient" + (f", site {case.site}" if case.site else "")
    caption = f"{where}. {one.reasons}"
    return Strip(case.identifier, caption, tuple(pictures), scores, one.kind)


def _uncertainty(run: Run, partition: str, chosen: list[tuple[Case, ShownCase]]) -> list[Scatter]:
    """Error against uncertainty, over the shown cases, by deciles of uncertainty."""
    deviations, errors = [], []
    for case, _ in chosen:
        draws = run.draws(partition, case)
        if len(draws) < 2 or not run.task.judgement.metrics:
            return []
        batch = run.task.test_case(case)
        assert batch.wanted is not None
        inside = batch.mask if batch.mask is not None else batch.wanted[:, :1] > -np.inf
        difference = run.task.judged(estimate(draws)) - run.task.judged(batch.wanted)
        errors.append(difference.abs()[inside].double().numpy())
        deviations.append(spread(run.task, draws)[inside].double().numpy())
    deviation, error = np.concatenate(deviations), np.concatenate(errors)
    order = np.argsort(deviation)
    bins = np.array_split(order, 20)
    x = [float(deviation[b].mean()) for b in bins]
    y = [float(np.sqrt((error[b] ** 2).mean())) for b in bins]
    unit = run.task.judgement.unit
    return [
        Scatter(
            f"Uncertainty against error ({partition})",
            f"standard deviation of draws, {unit}",
            f"root mean square error, {unit}",
            (("20 bins of voxels", x, y),),
            diagonal=True,
            note="Over the cases shown. On the diagonal the draws differ as much as they err.",
        )
    ]


def _losses(run: Run) -> tuple[Curve, ...]:
    log = list(read_log(run.folder))
    if not log:
        return ()
    names = list(dict.fromkeys(n for line in log for n in line if n not in ("step", "seconds")))
    series = tuple((name, *_curve([line for line in log if name in line], name)) for name in names)
    positive = all(value > 0 for _, _, y in series for value in y)
    return (Curve("Training losses", "step", "loss (mean over steps)", series, log_y=positive),)


def _curve(log: list[dict[str, Any]], name: str) -> tuple[list[float], list[float]]:
    """Means of steps and of the term ``name`` over parts of ``log``."""
    values = np.array([[line["step"], line[name]] for line in log])
    means = [part.mean(axis=0) for part in np.array_split(values, min(CURVE_POINTS, len(log)))]
    return [float(mean[0]) for mean in means], [float(mean[1]) for mean in means]
