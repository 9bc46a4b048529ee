"""What a run was trained on, as far as a new image has to be like it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vesalius.core.image import Image
from vesalius.runner.new_cases import KSPACE
from vesalius.runner.orientation import (
    RADIOLOGICAL,
    Directions,
    Turn,
    directions,
    has_geometry,
)
from vesalius.tasks.task import Task

#: Voxel sizes that differ by more than this part from those trained on are remarked on.
SPACING_TOLERANCE = 0.2


@dataclass(frozen=True)
class Trained:
    """What a new image is compared with: orientation and voxel size of a training image."""

    directions: Directions | None
    spacing_mm: tuple[float, ...] | None

    @staticmethod
    def on(task: Task) -> Trained:
        """From the first training case; nothing is known of k-space and unconditional tasks."""
        given = task.given_images()
        if not given or given == (KSPACE,):
            return Trained(None, None)
        image = task.source.read(task.split["train"][0])[given[0]]
        if has_geometry(image):
            return Trained(directions(image), image.spacing_mm)
        # pictures without geometry are shown as radiologists look at them
        return Trained(RADIOLOGICAL if task.shape.dims == 2 else None, None)

    def to_json(self) -> dict[str, Any]:
        """Plain data, kept with the run so that new images need no training data."""
        return {"directions": self.directions, "spacing_mm": self.spacing_mm}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Trained:
        """What :meth:`to_json` gave."""
        ways, spacing = data["directions"], data["spacing_mm"]
        return Trained(
            None if ways is None else tuple((int(axis), int(sign)) for axis, sign in ways),
            None if spacing is None else tuple(map(float, spacing)),
        )

    def turn(self, image: Image, notes: list[str]) -> Turn:
        """How ``image`` is turned before the networks see it."""
        still = Turn.none(len(image.space))
        if self.directions is None or not has_geometry(image):
            return still
        turn = Turn.between(directions(image), self.directions)
        if turn is None:
            add_note(notes, "the image lies in another plane than the images that were trained on")
        return turn or still

    def compare_spacing(self, image: Image, notes: list[str]) -> None:
        """Remark on voxels of another size than those trained on."""
        if self.spacing_mm is None or not has_geometry(image):
            return
        ratio = math.prod(image.spacing_mm) / math.prod(self.spacing_mm)
        ratio **= 1 / len(self.spacing_mm)
        if abs(ratio - 1) > SPACING_TOLERANCE:
            sizes = [
                " x ".join(f"{s:.3g}" for s in sizes)
                for sizes in (image.spacing_mm, self.spacing_mm)
            ]
            add_note(notes, f"voxels of {sizes[0]} mm, trained on {sizes[1]} mm: resample first")


def add_note(notes: list[str], note: str) -> None:
    """Remark on something, once."""
    if note not in notes:
        notes.append(note)
