"""Pictures of two folders: typical, best and worst pairs, copies, or some images of each set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.image import Image
from vesalius.evaluation.protocols import Content
from vesalius.reports import Picture, Strip, spanning_window
from vesalius.reports.content import Colour
from vesalius.runner.folder_records import Copied
from vesalius.runner.image_folder import Item, Pairing, mask_of
from vesalius.runner.measured import Measured
from vesalius.runner.measuring import Plan
from vesalius.runner.orientation import (
    RADIOLOGICAL,
    Turn,
    directions,
    has_geometry,
    slice_of,
    superior_axis,
)
from vesalius.runner.scene import content_of
from vesalius.runner.shown_cases import CHOOSING, ShownCase, shown_cases

SHOWN, COPIES_SHOWN = 6, 4
#: Lowest and highest HU drawn; air, lung and bone lie beyond.
SOFT_TISSUE_HU = (-160.0, 240.0)


@dataclass(frozen=True)
class _View:
    """Which slice of a volume is shown; both None for 2D."""

    axis: int | None = None
    place: int | None = None

    @staticmethod
    def of(content: Content, mask: Tensor | None = None) -> _View:
        """Across the slices that the file has, the one with most of the mask, or the middle one."""
        image = content.image
        if len(image.space) != 3:
            return _View()
        axis = superior_axis(image) if content.slice_axis is None else content.slice_axis
        if mask is None:
            return _View(axis, image.space[axis] // 2)
        others = tuple(other for other in range(3) if other != axis)
        return _View(axis, int(mask[0].sum(dim=others).argmax()))

    def pixels(self, image: Image) -> NDArray[np.float64]:
        """The slice, turned as radiologists look at it where the file says how it lies."""
        if self.axis is not None and self.place is not None:
            image = slice_of(image, self.axis, self.place)
        if has_geometry(image):
            turn = Turn.between(directions(image), RADIOLOGICAL)
            image = turn.forward(image) if turn else image
        return np.asarray(image.data[0].double().numpy())


def _window(unit: str, *shots: NDArray[np.float64]) -> tuple[float, float]:
    """Soft tissue for HU, where air and bone would leave nothing to see; else what there is."""
    return SOFT_TISSUE_HU if unit == "HU" else spanning_window(*shots)


def _read(plan: Plan, item: Item, *, real: bool) -> Content:
    return content_of(item, plan.protocol, real=real)


def strips(
    plan: Plan, paired: Pairing, masks: Mapping[str, Item] | None, measured: Measured
) -> list[Strip]:
    """Typical, best and worst pairs by each measure; without pairs, some of each set."""
    measures = plan.protocol.measures
    directions = {measure.name: measure.direction for measure in measures}
    chosen = shown_cases(directions, {name: measured.by_case(name) for name in directions})
    if not chosen:
        return _some_of_each(plan, paired)
    return [_strip(plan, paired.pairs[one.place], masks, one, measured) for one in chosen]


def _some_of_each(plan: Plan, paired: Pairing) -> list[Strip]:
    shown = []
    real = [item for item, _ in paired.pairs] + list(paired.real_alone)
    generated = [item for _, item in paired.pairs] + list(paired.generated_alone)
    for which, items in (("generated", generated), ("real", real)):
        if not items:
            continue
        chosen = items[:: max(1, len(items) // SHOWN)][:SHOWN]
        contents = [_read(plan, item, real=which == "real") for item in chosen]
        shots = [_View.of(content).pixels(content.image) for content in contents]
        window = _window(plan.scene.unit, *shots)
        pictures = tuple(
            Picture(item.name, shot, window, plan.scene.unit)
            for item, shot in zip(chosen, shots, strict=True)
        )
        shown.append(Strip(f"some {which} images", "Evenly spread by name.", pictures))
    return shown


def _strip(
    plan: Plan,
    pair: tuple[Item, Item],
    masks: Mapping[str, Item] | None,
    shown: ShownCase,
    measured: Measured,
) -> Strip:
    content = _read(plan, pair[0], real=True)
    reference = content.image
    image = _centred(_read(plan, pair[1], real=False).image, reference)
    labels, unit = plan.protocol.labels, plan.scene.unit
    difference = (image.data.double() - reference.data.double()).float()
    if labels:
        difference = (difference != 0).float()
    mask = mask_of(masks, pair[0].name, reference)
    inside = content.judged if mask is None else mask
    if inside is not None:
        difference = difference.masked_fill(~inside, 0.0)
    view = _View.of(content, mask)
    shots = [view.pixels(replace(reference, data=data)) for data in (image.data, reference.data)]
    error = view.pixels(replace(reference, data=difference))
    colour: Colour = "labels" if labels else "grey"
    window = spanning_window(*shots, percentiles=(0, 100)) if labels else _window(unit, *shots)
    told = error if inside is None else error[view.pixels(replace(reference, data=inside)) > 0]
    reach = (0.0, 1.0) if labels else spanning_window(told, symmetric=True)
    scores = {}
    for measure in plan.protocol.measures[:CHOOSING]:
        value = f"{measured.by_case(measure.name)[shown.place]:.4g}"
        scores[measure.name] = value if measure.unit == "1" else f"{value} {measure.unit}"
    pictures = (
        Picture("generated", shots[0], window, unit, colour),
        Picture("real", shots[1], window, unit, colour),
        Picture("error", error, reach, unit, "heat" if labels else "signed"),
    )
    return Strip(pair[0].name, shown.reasons, pictures, scores, shown.kind)


def _centred(image: Image, reference: Image) -> Image:
    """The centre of an image that is larger than the real one; protocols that crop allow it."""
    data = image.data
    for axis, size in enumerate(reference.space, start=1):
        if data.shape[axis] > size:
            data = torch.narrow(data, axis, (data.shape[axis] - size) // 2, size)
    return image if data is image.data else replace(image, data=data)


def copy_strips(
    plan: Plan, found: Sequence[Copied], generated: Mapping[str, Item], train: Mapping[str, Item]
) -> list[Strip]:
    """Generated images beside the training images that they are nearest to."""
    shown = []
    for one in found[:COPIES_SHOWN]:
        contents = [
            _read(plan, generated[one.generated], real=False),
            _read(plan, train[one.train], real=True),
        ]
        shots = [_View.of(content).pixels(content.image) for content in contents]
        window = _window(plan.scene.unit, *shots)
        pictures = tuple(
            Picture(label, shot, window, plan.scene.unit)
            for label, shot in zip(("generated", "training"), shots, strict=True)
        )
        caption = f"A copy of {one.train} by {one.extractor}, at a distance of {one.distance:.3g}."
        shown.append(Strip(one.generated, caption, pictures, kind="copy"))
    return shown
