"""Pictures of two folders: typical, best and worst pairs, or some images of each set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vesalius.core.image import Image
from vesalius.metrics.metric import CaseMetric
from vesalius.reports import Picture, Strip, spanning_window
from vesalius.runner.image_folder import Item, Pairing, mask_of
from vesalius.runner.orientation import (
    RADIOLOGICAL,
    Turn,
    directions,
    has_geometry,
    slice_of,
    superior_axis,
)

TYPICAL, WORST, SHOWN = 3, 4, 6


def _pixels(image: Image) -> NDArray[np.float64]:
    """The image, or the middle axial slice of a volume, as radiologists look at it."""
    if len(image.space) == 3:
        axis = superior_axis(image)
        image = slice_of(image, axis, image.space[axis] // 2)
    if has_geometry(image):
        turn = Turn.between(directions(image), RADIOLOGICAL)
        image = turn.forward(image) if turn else image
    return np.asarray(image.data[0].double().numpy())


def strips(
    paired: Pairing,
    masks: Mapping[str, Item] | None,
    unit: str,
    metrics: Sequence[CaseMetric],
    values: Mapping[str, Sequence[float]],
) -> list[Strip]:
    """Typical, best and worst pairs; without pairs, some images of each set."""
    if not paired.pairs:
        shown = []
        for which, items in (("generated", paired.generated_alone), ("real", paired.real_alone)):
            chosen = items[:: max(1, len(items) // SHOWN)][:SHOWN]
            shots = [_pixels(item.read()) for item in chosen]
            window = spanning_window(*shots)
            pictures = tuple(
                Picture(item.name, shot, window, unit)
                for item, shot in zip(chosen, shots, strict=True)
            )
            shown.append(Strip(f"some {which} images", "Evenly spread by name.", pictures))
        return shown
    first = metrics[0]
    found = np.asarray(values[first.name], dtype=np.float64)
    badness = np.where(np.isnan(found), np.inf, found if first.direction == "down" else -found)
    order = np.argsort(badness, kind="stable").tolist()
    middle = max(0, len(order) // 2 - TYPICAL // 2)
    kinds = dict.fromkeys(order[middle : middle + TYPICAL], "typical")
    kinds.setdefault(order[0], "best")
    for place in order[::-1][:WORST]:
        kinds.setdefault(place, "worst")
    return [
        _strip(paired.pairs[place], masks, unit, kind, metrics, values, place)
        for place, kind in kinds.items()
    ]


def _strip(
    pair: tuple[Item, Item],
    masks: Mapping[str, Item] | None,
    unit: str,
    kind: str,
    metrics: Sequence[CaseMetric],
    values: Mapping[str, Sequence[float]],
    place: int,
) -> Strip:
    reference, image = pair[0].read(), pair[1].read()
    mask = mask_of(masks, pair[0].name, reference)
    difference = (image.data - reference.data).float()
    if mask is not None:
        difference = difference.masked_fill(~mask, 0.0)
    shots = [_pixels(replace(reference, data=data)) for data in (image.data, reference.data)]
    error = _pixels(replace(reference, data=difference))
    window, reach = spanning_window(*shots), spanning_window(error, symmetric=True)
    scores = {}
    for metric in metrics:
        shown = f"{values[metric.name][place]:.4g}"
        scores[metric.name] = shown if metric.unit == "1" else f"{shown} {metric.unit}"
    pictures = (
        Picture("generated", shots[0], window, unit),
        Picture("real", shots[1], window, unit),
        Picture("error", error, reach, unit, "signed"),
    )
    return Strip(pair[0].name, "", pictures, scores, kind)  # type: ignore[arg-type]
