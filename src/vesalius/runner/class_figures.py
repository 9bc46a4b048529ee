"""Classified cases in a report: images with their probabilities, ROC, calibration, confusion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from vesalius.evaluation.judge import CHANCE, TRUE_CHANCE
from vesalius.metrics.clinical.auc import operating_points
from vesalius.metrics.clinical.calibration_error import CalibrationError
from vesalius.reports import Curve, Picture, Strip, Table
from vesalius.reports.content import Cell, Kind, Series

if TYPE_CHECKING:
    from vesalius.runner.run import Run

Found = dict[str, Any]
SHOWN = 5
CALIBRATION_BINS = 10
DIAGONAL = ((0.0, 1.0), (0.0, 1.0))


def class_strips(run: Run, partition: str, found: Found) -> Iterator[Strip]:
    """Typical and worst cases, by the probability that their true class was given."""
    chances = np.asarray(found["values"][TRUE_CHANCE][run.recipe.name])
    order = np.argsort(chances, kind="stable")
    middle = max(0, (len(order) - SHOWN) // 2)
    worst = order[:SHOWN]
    typical = [k for k in order[middle:][:SHOWN] if k not in worst]
    if typical:
        words = "Around the median of the probability that the true class was given."
        yield _strip(run, partition, found, typical, "typical", words)
    words = "The true class was given the least probability."
    yield _strip(run, partition, found, list(worst), "worst", words)


def _strip(
    run: Run, partition: str, found: Found, places: Sequence[int], kind: Kind, words: str
) -> Strip:
    by_name = {case.identifier: case for case in run.task.split[partition]}
    labels = run.task.judgement.labels
    pictures = []
    for place in places:
        case = by_name[found["cases"][place]]
        batch = run.task.test_case(case)
        assert batch.wanted is not None
        ((image, window, unit),) = run.task.shown(batch).values()
        pixels = image[0].double().cpu().numpy()
        if pixels.ndim == 3:
            pixels = pixels[..., pixels.shape[-1] // 2]
        row = [found["values"][f"{CHANCE} {label}"][run.recipe.name][place] for label in labels]
        said = int(np.argmax(row))
        truth = labels[int(batch.wanted[0].argmax())]
        text = f"{case.identifier}: {truth}, called {labels[said]} at {row[said]:.2f}"
        pictures.append(Picture(text, pixels, window, unit))
    title = f"{len(pictures)} of the {partition} images"
    return Strip(title, words, tuple(pictures), {}, kind, len(pictures))


def _tables(run: Run, found: Found) -> tuple[dict[str, NDArray[Any]], NDArray[np.int64]]:
    """Probabilities (case, class) of the recipe and the first baseline, and the true classes."""
    labels, values = run.task.judgement.labels, found["values"]
    methods = list(values[TRUE_CHANCE])[:2]
    tables = {
        method: np.stack([values[f"{CHANCE} {label}"][method] for label in labels], axis=1)
        for method in methods
    }
    truths = values["true class"]["reference"]
    return tables, np.asarray(truths, dtype=np.int64)


def class_curves(run: Run, partition: str, found: Found) -> tuple[Curve, ...]:
    """ROC and calibration."""
    tables, truth = _tables(run, found)
    labels = run.task.judgement.labels
    two = len(labels) == 2
    roc: list[Series] = []
    calibrated: list[Series] = []
    for method, table in tables.items():
        for k in (1,) if two else range(len(labels)):
            positive = torch.from_numpy(truth == k)
            if bool(positive.all()) or not bool(positive.any()):
                continue
            false, true = operating_points(torch.from_numpy(table[:, k].copy()), positive)
            name = method if two else f"{method}: {labels[k]}"
            roc.append((name, false.numpy(), true.numpy()))
        scores = table[:, 1] if two else table
        said, frequency, _ = CalibrationError(bins=CALIBRATION_BINS).reliability(
            torch.from_numpy(scores.copy()), torch.from_numpy(truth)
        )
        calibrated.append((method, said.numpy(), frequency.numpy()))
    what = labels[1] if two else "the class that was called"
    figures = []
    if roc:
        figures.append(
            Curve(
                f"Receiver operating characteristic ({partition})",
                "false positive rate (1 - specificity)",
                "true positive rate (sensitivity)",
                (*roc, ("chance", *DIAGONAL)),
            )
        )
    figures.append(
        Curve(
            f"Calibration ({partition})",
            f"probability of {what}, mean of a bin",
            "how often it was so",
            (*calibrated, ("as said", *DIAGONAL)),
            note=f"At most {CALIBRATION_BINS} bins of equal width. Above the diagonal it is so "
            "more often than was said, below it less often.",
        )
    )
    return tuple(figures)


def confusion(run: Run, partition: str, found: Found) -> Table:
    """How many cases of each class were called what."""
    tables, truth = _tables(run, found)
    called = tables[run.recipe.name].argmax(axis=1)
    labels = run.task.judgement.labels
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (label, *(int(((truth == k) & (called == j)).sum()) for j in range(len(labels))))
        for k, label in enumerate(labels)
    )
    columns = ("true class", *(f"called {label}" for label in labels))
    note = "Called: the class of the highest probability."
    return Table(f"Who was called what ({partition})", columns, rows, note)
