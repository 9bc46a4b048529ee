"""Segmentation learnt from real, drawn or both kinds of images: downstream value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from vesalius.core.batch import Batch, Shape
from vesalius.core.errors import InputError
from vesalius.data.source import Case
from vesalius.metrics.pixel.mae import MAE
from vesalius.tasks.arm import ArmTask
from vesalius.tasks.recent import Recent
from vesalius.tasks.supervised import label_batch
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Judgement
from vesalius.tasks.variants import Variants


@dataclass(frozen=True, eq=False)
class SegmentationFrom(ArmTask):
    """Image to label map; see :class:`~vesalius.tasks.arm.ArmTask`."""

    base: MaskSynthesis | Variants | None = None

    @property
    def synthesis(self) -> MaskSynthesis | Variants:
        """The base."""
        if self.base is None:
            raise InputError("a synthesis task as the base", came="none", case=self.name)
        return self.base

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels from one on."""
        return self.synthesis.classes

    @property
    def memory(self) -> Recent:
        """The base's."""
        return self.synthesis.recent

    def prepared(self, case: Case) -> dict[str, Tensor]:
        """The base's."""
        return self.synthesis.prepared(case)

    def augmentation(self) -> tuple[dict[str, float], int | None, int]:
        """The base's."""
        base = self.synthesis
        return {"wanted": -1.0, "given": 0.0, "mask": 0.0}, base.flip_axis, base.shift_voxels

    def drawn_parts(self, drawn: Tensor) -> dict[str, Tensor]:
        """The image, and the label map where that was drawn with it."""
        if drawn.shape[0] == 1:
            return {"wanted": drawn}
        image, classes = drawn[:1], drawn[1:]
        return {"wanted": image, "given": classes, "mask": torch.ones_like(image).bool()}

    def supervised(self, parts: Mapping[str, Tensor], case: str) -> Batch:
        """The image, and one channel a class with background first."""
        return label_batch(parts, case)

    @property
    def shape(self) -> Shape:
        """One image to background and classes."""
        return Shape(1, len(self.classes) + 1, len(self.synthesis.matrix))

    def given_images(self) -> tuple[str, ...]:
        """The image."""
        return (self.synthesis.image,)

    def judged(self, model: Tensor) -> Tensor:
        """The most likely class, (batch, 1, *space)."""
        return model.argmax(dim=1, keepdim=True)

    @cached_property
    def judgement(self) -> Judgement:
        """Scored by the downstream study; alone, by the error of class numbers."""
        n = float(len(self.classes))
        names = ("background", *self.classes)
        return Judgement(
            "downstream",
            "label",
            (0, n),
            (0, n),
            (MAE("label"),),
            "mae",
            answer="labels",
            labels=names,
        )

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The image."""
        assert batch.given is not None
        base = self.synthesis
        image = base.scale.to_physical(batch.given[:, 0])
        return {"given image": (image, base.judgement.window, base.scale.unit)}
