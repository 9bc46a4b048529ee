"""Parts of an image that are missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.degradation import Degradation, DrawnRecord
from vesalius.physics.masking import Masking


@final
@dataclass(frozen=True)
class Hole(Degradation):
    """``y = known x``: boxes whose voxels are zero, in the image's unit.

    ``count`` boxes that may overlap. Each has sides of ``least`` to ``most`` of the image's, drawn
    uniformly axis by axis, and lies anywhere inside.
    """

    least: float = 0.25
    most: float = 0.5
    count: int = 1

    def draw(self, rng: np.random.Generator, space: tuple[int, ...]) -> DrawnRecord:
        """``boxes``: first voxel and voxel after the last, an axis each."""
        if not 0 < self.least <= self.most <= 1 or self.count < 1:
            raise InputError(
                "one hole or more with 0 < least <= most <= 1",
                came=f"{self.count} from {self.least} to {self.most}",
            )
        boxes = []
        for _ in range(self.count):
            box = []
            for n in space:
                side = max(1, round(n * float(rng.uniform(self.least, self.most))))
                first = int(rng.integers(n - side + 1))
                box.append([first, first + side])
            boxes.append(box)
        return {"boxes": boxes, "space": list(space)}

    def apply(self, x: Tensor, record: DrawnRecord) -> tuple[Tensor, Masking]:
        """The image with its holes, and the operator that makes them."""
        if list(x.shape[1:]) != record["space"]:
            raise InputError(f"the size {record['space']} of the record", came=tuple(x.shape[1:]))
        known = torch.ones(1, 1, *x.shape[1:], dtype=torch.bool, device=x.device)
        for box in record["boxes"]:
            inside = known
            for axis, (first, last) in enumerate(box, start=2):
                inside = inside.narrow(axis, first, last - first)
            inside.fill_(False)
        operator = Masking(known, int(x.shape[0]))
        return operator.forward(x[None])[0], operator
