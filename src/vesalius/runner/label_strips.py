"""A segmented case as a row of pictures: label maps laid over the image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from vesalius.data.source import Case
from vesalius.evaluation.judge import estimate, spread
from vesalius.reports import Picture, Strip
from vesalius.runner.shown_cases import ShownCase

if TYPE_CHECKING:
    from vesalius.runner.run import Run

#: How a voxel may be wrong, numbered so that it has none of the first labels' colours.
ERRORS = {6: "missed", 9: "added", 7: "another label"}
#: With more labels than this, the scores of single ones stay in the tables.
LABELS_SCORED = 3


def fullest_slice(labels: Tensor) -> int | None:
    """Where along the last axis ``(1, 1, *space)`` has most labelled voxels; None for 2D."""
    if labels.ndim == 4:
        return None
    return int((labels[0, 0] > 0).sum(dim=(0, 1)).argmax())


def label_strip(
    run: Run, partition: str, case: Case, one: ShownCase, found: dict[str, Any]
) -> Strip:
    """The image, what the baseline and the run make of it, the truth, and where they differ.

    ``found`` holds the values of all cases. Of a volume, the slice with most of the true label is
    shown.
    """
    task, judgement = run.task, run.task.judgement
    batch, draws = task.test_case(case), run.draws(partition, case)
    assert batch.wanted is not None
    reference = task.judged(batch.wanted)
    chosen = fullest_slice(reference)
    names = dict(enumerate(judgement.labels))

    def pixels(image: Tensor) -> NDArray[Any]:
        shown = image[0, 0] if chosen is None else image[0, 0, ..., chosen]
        return np.asarray(shown.cpu().numpy())

    (title, (given, window, unit)), *_ = task.shown(batch).items()
    image = pixels(given[:, None]).astype(np.float64)

    def laid(label: str, labels: NDArray[Any], named: dict[int, str] = names) -> Picture:
        return Picture(label, image, window, unit, label_names=named, overlay=labels)

    mean, truth = pixels(task.judged(estimate(draws))), pixels(reference)
    pictures = [Picture(title, image, window, unit)]
    for name, model in list(task.baselines(batch).items())[:1]:
        pictures.append(laid(name, pixels(task.judged(model))))
    label = "segmented" if len(draws) == 1 else f"mean of {len(draws)} draws"
    pictures += [laid(label, mean), laid("reference", truth)]
    wrong = np.select([mean == truth, mean == 0, truth == 0], [0, 6, 9], default=7)
    if batch.mask is not None:
        wrong = np.where(pixels(batch.mask), wrong, 0)
    pictures.append(laid("error", wrong, ERRORS))
    if len(draws) > 1:
        differing = pixels(spread(task, draws))
        pictures.append(Picture("share of draws that differ", differing, (0.0, 1.0), "1", "heat"))
    single = len(judgement.labels) - 1 <= LABELS_SCORED
    scores, values = {}, found["values"]
    for metric in judgement.metrics if single else judgement.metrics[:2]:
        suffix = "" if metric.unit == "1" else f" {metric.unit}"
        scores[metric.name] = f"{values[metric.name][run.recipe.name][one.place]:.3g}{suffix}"
    where = f"{partition} patient" + (f", site {case.site}" if case.site else "")
    if chosen is not None:
        where += f"; slice {chosen + 1} of {reference.shape[-1]}, the one with most of the labels"
    return Strip(case.identifier, f"{where}. {one.reasons}", tuple(pictures), scores, one.kind)
