"""Mask-conditioned synthesis: a label map given, the image wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vesalius.core.batch import Batch, Shape
from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.source import Case
from vesalius.metrics.pixel.protocols import synthrad_like
from vesalius.tasks.augmentation import augmented, left_right_axis
from vesalius.tasks.frame import Frame
from vesalius.tasks.intensity import RELATIVE_UNIT, Scale, relative
from vesalius.tasks.recent import Recent
from vesalius.tasks.task import Downstream, Judgement, Task


@dataclass(frozen=True, eq=False)
class MaskSynthesis(Task):
    """The image of ``image`` from the label map of ``label``.

    Each image is divided by its own 99th percentile (unit "of P99"): the scans' own scaling is
    arbitrary. Given is one channel a class, without background. The baseline paints: the mean
    training image at each voxel, and in each class its mean intensity. ``merged`` says of which
    labels each class is made, the others being background; empty, class k is label k alone.
    ``study`` is how downstream value is measured, by default on ``image``, ``label`` and
    ``classes``.
    """

    image: str = "image"
    label: str = "label"
    classes: tuple[str, ...] = ("anterior", "posterior")
    matrix: tuple[int, ...] = (44, 60, 48)
    flip: bool = True
    shift_voxels: int = 2
    merged: tuple[tuple[int, ...], ...] = ()
    study: Downstream | None = None
    recent: Recent = field(default_factory=Recent)

    @property
    def shape(self) -> Shape:
        """Classes to one image."""
        return Shape(len(self.classes), 1, len(self.matrix))

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    def needed(self) -> tuple[str, ...]:
        """Image and label."""
        return (self.image, self.label)

    def given_images(self) -> tuple[str, ...]:
        """The label map."""
        return (self.label,)

    @property
    def scale(self) -> Scale:
        """0 to 1.25 of the 99th percentile."""
        return Scale(0.0, 1.25, RELATIVE_UNIT)

    @cached_property
    def flip_axis(self) -> int | None:
        """Left-right, as the images' own affine says."""
        first = self.source.read(self.split["train"][0])[self.image]
        return left_right_axis(first) if self.flip else None

    @property
    def frame(self) -> Frame:
        """Whole crops, never averaged."""
        return Frame(self.matrix)

    def _one_hot(self, labels: Tensor, case: str) -> Tensor:
        found = labels.long()
        if self.merged:
            found = self._merged(found)
        if int(found.max()) > len(self.classes) or int(found.min()) < 0:
            raise InputError(
                f"labels 0 to {len(self.classes)}",
                came=f"{int(found.min())} to {int(found.max())}",
                case=case,
            )
        one_hot = torch.stack([found[0] == k + 1 for k in range(len(self.classes))])
        if not bool(one_hot.any()):
            raise InputError("a label map that is not empty", came="background alone", case=case)
        return one_hot.float()

    def _merged(self, labels: Tensor) -> Tensor:
        if len(self.merged) != len(self.classes):
            raise InputError(
                f"labels for each of {len(self.classes)} classes", came=len(self.merged)
            )
        found = torch.zeros_like(labels)
        for k, members in enumerate(self.merged, start=1):
            found[torch.isin(labels, torch.tensor(members))] = k
        return found

    def _recent(self, case: Case) -> dict[str, Tensor]:
        """Parts of a case, prepared now or before."""
        return self.recent.get(case.identifier, lambda: self.prepared(case))

    def prepared(self, case: Case) -> dict[str, Tensor]:
        """``wanted`` in model units, ``given`` by class, and where the crop has voxels."""
        return self.placed(self.source.read(case), case.identifier)

    def placed(self, images: Mapping[str, Image], case: str) -> dict[str, Tensor]:
        """As :meth:`prepared`, from images at hand."""
        image, label = images[self.image], images[self.label]
        parts = self.placed_image(image, case)
        label.require_same_grid(image, case)
        labels = self.frame.place_labels(label.data, self.frame.corner(image, None))
        return {**parts, "given": self._one_hot(labels, case)}

    def placed_image(self, image: Image, case: str) -> dict[str, Tensor]:
        """``wanted`` and ``mask`` of an image without a label map."""
        image = relative(image, case)
        corner = self.frame.corner(image, None)
        inside = self.frame.place(torch.ones_like(image.data), corner, 0.0)
        return {
            "wanted": self.scale.to_model(self.frame.place(image.data, corner, 0.0)),
            "mask": inside > 0.5,
        }

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The label map and its image; judged where the crop has voxels."""
        parts = self._recent(case)
        if augment:
            fills = {"wanted": -1.0, "given": 0.0, "mask": 0.0}
            parts = augmented(parts, fills, rng, flip_axis=self.flip_axis, reach=self.shift_voxels)
        return Batch(
            wanted=parts["wanted"][None],
            given=parts["given"][None],
            mask=parts["mask"][None],
            cases=(case.identifier,),
            records=({},),
        )

    @cached_property
    def _painting(self) -> tuple[Tensor, Tensor]:
        """Mean image outside all classes (1, 1, *size), and mean of each class, in model units."""
        total, count = torch.zeros(1, 1, *self.size), torch.zeros(1, 1, *self.size)
        class_total, class_count = torch.zeros(len(self.classes)), torch.zeros(len(self.classes))
        for case in self.split["train"]:
            parts = self._recent(case)
            image, given = parts["wanted"], parts["given"]
            known = parts["mask"] & ~(given.amax(0, keepdim=True) > 0)
            total += image * known
            count += known
            class_total += (image * given).flatten(1).sum(1)
            class_count += given.flatten(1).sum(1)
        background = torch.where(count > 0, total / count.clamp_min(1), torch.tensor(-1.0))
        return background, class_total / class_count.clamp_min(1)

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """The painted label map."""
        assert batch.given is not None
        background, classes = self._painting
        inside = batch.given.amax(dim=1, keepdim=True) > 0
        weights = classes.to(batch.given).view(1, -1, *[1] * len(self.size))
        painted = (batch.given * weights).sum(dim=1, keepdim=True)
        return {"label painting": torch.where(inside, painted, background.to(batch.given))}

    def judged(self, model: Tensor) -> Tensor:
        """In units of the 99th percentile, clipped to the scale."""
        return self.scale.to_physical(model).clamp(self.scale.low, self.scale.high)

    @cached_property
    def judgement(self) -> Judgement:
        """Pixel measures for the record; what a segmenter learns from the images decides."""
        scale = self.scale
        return Judgement(
            protocol=f"whole crops in {'x'.join(map(str, self.matrix))}, inside the crop, "
            "intensities over each image's 99th percentile",
            unit=scale.unit,
            window=(0.0, 1.0),
            range=(scale.low, scale.high),
            metrics=synthrad_like(scale.low, scale.high, scale.unit),
            main="downstream dice",
            downstream=self.study or Downstream(self.image, self.label, self.classes),
        )

    def learnt(self) -> dict[str, Any]:
        """Nothing: scale and frame are fixed."""
        return {}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """Nothing to take back."""

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The label map."""
        assert batch.given is not None
        number = torch.arange(1, len(self.classes) + 1).view(1, -1, *[1] * len(self.size))
        label = (batch.given * number.to(batch.given)).amax(dim=1)
        return {f"given {self.label}": (label, (0.0, float(len(self.classes))), "label")}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """A new label map."""
        label = images[self.label]
        corner = self.frame.corner(label, None)
        given = self._one_hot(self.frame.place_labels(label.data, corner), case)
        return Batch(wanted=None, given=given[None], cases=(case,)), corner

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """The drawn image on the label map's grid."""
        label = images[self.label]
        data = self.frame.restore(self.judged(model), label, placed, self.scale.low)
        image = label.with_data(data, unit=RELATIVE_UNIT, modality=self.channels[self.image])
        return Image(image.data, image.affine, image.unit, image.modality, "float32")
