"""What the images of two folders share: unit, intensities compared, number of axes, bit depth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.evaluation.protocols import Content, Protocol
from vesalius.evaluation.protocols.protocol import require_labels_or_images
from vesalius.runner.image_folder import Item
from vesalius.runner.run import Watcher

#: Intensities that are compared where the unit says so by itself: SynthRAD's for HU.
RANGES = {"HU": (-1024.0, 3000.0)}
_BYTES = {"uint8": 1, "int8": 1, "uint16": 2, "int16": 2}


@dataclass(frozen=True)
class Scene:
    """What all images share, as the first real one has it.

    ``first`` is that file's name and ``space`` its size; ``given_unit`` is what the user says of
    files that say nothing.
    """

    unit: str
    dims: int
    stored: str
    first: str
    space: tuple[int, ...]
    given_unit: str | None = None
    value_range: tuple[float, float] = (0.0, 1.0)
    warnings: tuple[str, ...] = ()

    def check(self, image: Image, item: Item) -> Image:
        """``image`` in the scene's unit; InputError where it is of another kind."""
        unit = self.unit if self.unit == "label" else unit_of(image, item, self.given_unit)
        if unit != self.unit:
            raise InputError(
                f"one unit in both folders, {self.unit} as in {self.first}", came=unit,
                case=item.shown, remedy="part the folder, or pass --unit where files do not say it",
            )  # fmt: skip
        if len(image.space) != self.dims:
            raise InputError(
                f"{self.dims} axes of space as in {self.first}", came=len(image.space),
                case=item.shown, remedy="part the folder",
            )  # fmt: skip
        ours, theirs = _BYTES.get(self.stored), _BYTES.get(image.stored)
        if self.unit == "a.u." and ours and theirs and ours != theirs:
            raise InputError(
                f"one bit depth in both folders, {self.stored} as in {self.first}",
                came=image.stored, case=item.shown,
                remedy="save all files alike: 8 and 16 bits do not share a scale",
            )  # fmt: skip
        if self.unit == "a.u." and ours and not theirs and _in_unit_range(image):
            raise InputError(
                f"one scale in both folders, {self.stored} as in {self.first}",
                came="values from 0 to 1", case=item.shown,
                remedy=f"multiply by {2 ** (8 * ours) - 1}, or save all files alike",
            )  # fmt: skip
        fractions = self.unit == "a.u." and not ours and self.value_range[1] <= 1
        if fractions and theirs and image.data.max() > 1:
            raise InputError(
                f"one scale in both folders, to {self.value_range[1]:g} as in {self.first}",
                came=f"{image.stored} to {image.data.max():g}", case=item.shown,
                remedy=f"divide by {2 ** (8 * theirs) - 1}, or save all files alike",
            )  # fmt: skip
        return image


def _in_unit_range(image: Image) -> bool:
    """Whether an image has fractions between 0 and 1 and nothing beyond."""
    low, high = image.data.aminmax()
    return bool(low >= 0 and 0 < high <= 1 and (image.data % 1 != 0).any())


def unit_of(image: Image, item: Item, unit: str | None) -> str:
    """The unit of an image: what the file says, or ``unit`` where it says nothing."""
    if unit is None or image.unit == unit:
        return image.unit
    if image.unit != "a.u.":
        raise InputError(f"images in {unit}", came=image.unit, case=item.shown)
    return unit


def content_of(item: Item, protocol: Protocol, *, real: bool) -> Content:
    """What a file holds; InputError for broken files, colour, and labels where none are judged."""
    content = Content(item.read_series()) if item.dicom else protocol.content(item.path, real=real)
    require_labels_or_images(content.image, item.shown, labels=protocol.labels)
    return content


def look(
    items: Sequence[Item],
    protocol: Protocol | None,
    unit: str | None,
    value_range: tuple[float, float] | None,
    reader: Protocol,
    watch: Watcher,
) -> Scene:
    """What the first real image says; all real images only where nothing else tells the range.

    ``reader`` reads files; ``protocol`` is None where the user named none.
    """
    first = items[0]
    image = content_of(first, reader, real=True).image
    found = "label" if reader.labels else unit_of(image, first, unit)
    scene = Scene(found, len(image.space), image.stored, first.shown, image.space, unit)
    if protocol is not None:
        _require_kind(scene, protocol, first)
        value_range = protocol.value_range or value_range
    if value_range is None:
        if reader.labels:
            value_range = (0.0, 1.0)
        elif scene.unit in RANGES:
            value_range = RANGES[scene.unit]
        elif image.stored == "uint8":
            value_range = (0.0, 255.0)
        else:
            return _of_images(items, scene, reader, watch, named=protocol is not None)
    return _with_range(scene, value_range)


def _require_kind(scene: Scene, protocol: Protocol, first: Item) -> None:
    if protocol.unit and scene.unit != protocol.unit:
        raise InputError(
            f"images in {protocol.unit}, which '{protocol.name}' is laid down for",
            came=scene.unit, case=first.shown,
            remedy=f"pass --unit {protocol.unit} if they are and the files do not say it",
        )  # fmt: skip
    if scene.dims not in protocol.dims:
        wanted = " or ".join(f"{dims}D" for dims in protocol.dims)
        raise InputError(
            f"{wanted} images, which '{protocol.name}' is laid down for",
            came=f"{scene.dims}D", case=first.shown,
        )  # fmt: skip


def _of_images(
    items: Sequence[Item], scene: Scene, reader: Protocol, watch: Watcher, *, named: bool
) -> Scene:
    """The range of the real images: from the lowest value to the largest 99.9th percentile."""
    watch.stage("look at real images for the range", len(items))
    low, high = np.inf, -np.inf
    for done, item in enumerate(items, start=1):
        values = scene.check(content_of(item, reader, real=True).image, item).data
        low = min(low, float(values.min()))
        high = max(high, float(np.quantile(values.flatten().double().numpy(), 0.999)))
        watch.advance(done)
    warning = (
        f"The range of intensities, {low:g} to {high:g} {scene.unit}, was taken from the real "
        "images: pass --range to compare with other folders."
    )
    if named:
        warning += " It is of features only: the protocol's own measures do not depend on it."
    return _with_range(scene, (low, high), warning)


def _with_range(scene: Scene, value_range: tuple[float, float], *warnings: str) -> Scene:
    if not value_range[0] < value_range[1]:
        raise InputError("a range with LOW below HIGH", came=value_range, remedy="pass --range")
    return replace(scene, value_range=value_range, warnings=warnings)
