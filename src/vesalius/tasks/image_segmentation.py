"""Segmentation: an image given, its label map wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vesalius.core.batch import Batch, Shape
from vesalius.core.image import Image
from vesalius.data.source import Case
from vesalius.metrics.clinical.protocols import segmentation_measures
from vesalius.metrics.metric import CaseMetric
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.recent import Recent
from vesalius.tasks.supervised import label_batch, rescanned
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Judgement, Task


@dataclass(frozen=True, eq=False)
class ImageSegmentation(Task):
    """The label map of ``label`` from the image of ``image``, in the image's own voxels.

    Images are over their own 99th percentile, in whole crops, and labels ``merged`` into classes,
    as in :class:`~vesalius.tasks.synthesis.MaskSynthesis`. Wanted are probabilities, one channel a
    class with background first. The baseline is an atlas: the share of training cases with each
    class at each voxel of the crop, whatever the image shows.
    """

    image: str = "image"
    label: str = "label"
    classes: tuple[str, ...] = ("anterior", "posterior")
    matrix: tuple[int, ...] = (44, 60, 48)
    flip: bool = True
    shift_voxels: int = 2
    merged: tuple[tuple[int, ...], ...] = ()
    recent: Recent = field(default_factory=Recent)

    @cached_property
    def base(self) -> MaskSynthesis:
        """Prepares images and label maps."""
        return MaskSynthesis(
            name=self.name,
            phase=self.phase,
            question=self.question,
            source=self.source,
            rule=self.rule,
            image=self.image,
            label=self.label,
            classes=self.classes,
            matrix=self.matrix,
            flip=self.flip,
            shift_voxels=self.shift_voxels,
            merged=self.merged,
            recent=self.recent,
        )

    @property
    def shape(self) -> Shape:
        """One image to background and classes."""
        return Shape(1, 1 + len(self.classes), len(self.matrix))

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    def needed(self) -> tuple[str, ...]:
        """Image and label."""
        return (self.image, self.label)

    def given_images(self) -> tuple[str, ...]:
        """The image."""
        return (self.image,)

    def _parts(self, case: Case) -> dict[str, Tensor]:
        return self.recent.get(case.identifier, lambda: self.base.prepared(case))

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The image and its label map; judged where the crop has voxels."""
        parts = self._parts(case)
        if augment:
            fills = {"wanted": -1.0, "given": 0.0, "mask": 0.0}
            parts = augmented(
                parts, fills, rng, flip_axis=self.base.flip_axis, reach=self.shift_voxels
            )
            parts["wanted"] = rescanned(parts["wanted"], rng)
        return label_batch(parts, case.identifier)

    @cached_property
    def atlas(self) -> Tensor:
        """Share of training cases with each class at each voxel, ``(1, 1 + class, *matrix)``."""
        total = torch.zeros(1 + len(self.classes), *self.matrix)
        cases = self.split["train"]
        for case in cases:
            wanted = label_batch(self._parts(case), case.identifier).wanted
            assert wanted is not None
            total += wanted[0]
        return total[None] / len(cases)

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """The atlas."""
        assert batch.given is not None
        return {"atlas": self.atlas.to(batch.given).expand(batch.size, -1, *self.matrix)}

    def judged(self, model: Tensor) -> Tensor:
        """The most likely class, ``(batch, 1, *space)``, background zero."""
        return model.argmax(dim=1, keepdim=True)

    @cached_property
    def judgement(self) -> Judgement:
        """Dice and HD95 of each class and on average; see :meth:`metrics` for voxel sizes."""
        n = float(len(self.classes))
        return Judgement(
            protocol=f"label maps in {'x'.join(map(str, self.matrix))}, inside the crop, "
            "Dice and HD95 of each class and their mean a case",
            unit="label",
            window=(0.0, n),
            range=(0.0, n),
            metrics=segmentation_measures(self.classes, (1.0,) * len(self.matrix)),
            main="dice",
            answer="labels",
            labels=("background", *self.classes),
        )

    def metrics(self, case: Case) -> tuple[CaseMetric, ...]:
        """Distances in the millimetres of the case's own voxels."""
        spacing_mm = self.source.read(case)[self.label].spacing_mm
        return segmentation_measures(self.classes, spacing_mm)

    def learnt(self) -> dict[str, Any]:
        """Nothing: scale and frame are fixed."""
        return {}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """Nothing to take back."""

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The image."""
        assert batch.given is not None
        scale = self.base.scale
        return {f"given {self.image}": (scale.to_physical(batch.given[:, 0]), (0, 1), scale.unit)}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """A new image."""
        image = images[self.image]
        corner = self.base.frame.corner(image, None)
        given = self.base.placed_image(image, case)["wanted"][None]
        return Batch(wanted=None, given=given, cases=(case,), records=({},)), corner

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """The label map on the image's grid, background where the crop does not reach."""
        image = images[self.image]
        labels = self.judged(model[None])[0]
        data = self.base.frame.restore(labels, image, placed, 0)
        modality = self.channels[self.label]
        return Image(data, image.affine, self.judgement.unit, modality, "uint8")
