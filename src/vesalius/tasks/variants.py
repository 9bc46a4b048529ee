"""Variants of anatomy: a labelled image of a training patient given, another anatomy wanted."""

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
from vesalius.core.rng import derive, numpy_stream
from vesalius.data.source import Case
from vesalius.data.sources.axial_slices import AxialSlices
from vesalius.physics.deformation import warp
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.intensity import RELATIVE_UNIT, Scale
from vesalius.tasks.recent import Recent
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Downstream, Judgement, Task

#: Smoothness in voxels and root mean square, in parts of the image's size, of elastic deformation.
ELASTIC_SMOOTHNESS, ELASTIC_AMPLITUDE = 4.0, 0.03


@dataclass(frozen=True, eq=False)
class Variants(Task):
    """New anatomies, image and label map together, from few labelled patients.

    Channels of given and wanted are the image, scaled as in
    :class:`~vesalius.tasks.synthesis.MaskSynthesis`, and one a class, zero or one. Given is an
    exemplar: one of the part ``exemplars`` of the training patients, those that a downstream arm of
    that fraction sees. No image is the one truth: images of variants are compared as sets with
    those of the test patients, and a segmenter learns from variants with their label maps. The
    baseline deforms exemplars by random smooth fields (Simard et al., ICDAR 2003), untuned.
    Where ``matrix`` has two axes and the source volumes, slices through the labels are taken.
    """

    image: str = "image"
    label: str = "label"
    classes: tuple[str, ...] = ("anterior", "posterior")
    matrix: tuple[int, ...] = (44, 60, 48)
    exemplars: float = 0.1
    slices: int = 1
    flip: bool = True
    shift_voxels: int = 2
    study: Downstream | None = None
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        if len(self.matrix) == 2 and not isinstance(self.source, AxialSlices):
            kept = (self.image, self.label)
            sliced = AxialSlices(self.source, self.slices, kept, (self.label,))
            object.__setattr__(self, "source", sliced)

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
            recent=self.recent,
        )

    @property
    def shape(self) -> Shape:
        """Image and classes to image and classes."""
        channels = 1 + len(self.classes)
        return Shape(channels, channels, len(self.matrix))

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    @property
    def scale(self) -> Scale:
        """Of the image."""
        return self.base.scale

    @property
    def flip_axis(self) -> int | None:
        """Left-right."""
        return self.base.flip_axis

    def needed(self) -> tuple[str, ...]:
        """Image and label."""
        return (self.image, self.label)

    def given_images(self) -> tuple[str, ...]:
        """A labelled image."""
        return (self.image, self.label)

    def prepared(self, case: Case) -> dict[str, Tensor]:
        """``wanted``, the image; ``given``, its classes; ``mask``, where the crop has voxels."""
        return self.base.prepared(case)

    def _parts(self, case: Case) -> dict[str, Tensor]:
        return self.recent.get(case.identifier, lambda: self.prepared(case))

    @cached_property
    def pool(self) -> tuple[Case, ...]:
        """Training cases that variants are made of."""
        cases = self.split["train"]
        patients = sorted(
            {case.patient for case in cases},
            key=lambda patient: derive(self.rule.seed, "fraction", patient),
        )
        kept = set(patients[: max(1, round(self.exemplars * len(patients)))])
        return tuple(case for case in cases if case.patient in kept)

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The case's image and classes, and an exemplar drawn from ``rng``."""
        exemplar = self.pool[int(rng.integers(len(self.pool)))]
        given, wanted = self._parts(exemplar), self._parts(case)
        if augment:
            fills = {"wanted": -1.0, "given": 0.0, "mask": 0.0}
            wanted = augmented(
                wanted, fills, rng, flip_axis=self.flip_axis, reach=self.shift_voxels
            )
        return Batch(
            wanted=torch.cat([wanted["wanted"], wanted["given"]])[None],
            given=torch.cat([given["wanted"], given["given"]])[None],
            cases=(case.identifier,),
            records=({"exemplar": exemplar.identifier},),
        )

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """Exemplars under random smooth deformation, always the same for a case."""
        assert batch.given is not None
        fields = [
            elastic_field(self.matrix, numpy_stream(self.rule.seed, "elastic", case))
            for case in batch.cases
        ]
        displacement = torch.stack(fields).to(batch.given)
        image, classes = batch.given[:, :1], batch.given[:, 1:]
        background = 1 - classes.amax(dim=1, keepdim=True)
        shares = warp(torch.cat([background, classes], dim=1), displacement)
        number = shares.argmax(dim=1)
        moved = [number == k + 1 for k in range(len(self.classes))]
        deformed = [warp(image, displacement), torch.stack(moved, dim=1).to(image)]
        return {"elastic deformation": torch.cat(deformed, dim=1)}

    def judged(self, model: Tensor) -> Tensor:
        """The image alone, over its 99th percentile, clipped to the scale."""
        return self.base.judged(model[:, :1])

    @cached_property
    def judgement(self) -> Judgement:
        """Sets, and a segmenter."""
        scale = self.scale
        study = self.study or Downstream(
            self.image, self.label, self.classes, fractions=(self.exemplars,)
        )
        return Judgement(
            protocol=f"sets of images in {'x'.join(map(str, self.matrix))}, one variant a test "
            f"image, of {len({case.patient for case in self.pool})} labelled patients; "
            "intensities over each image's 99th percentile",
            unit=RELATIVE_UNIT,
            window=(0.0, 1.0),
            range=(scale.low, scale.high),
            metrics=(),
            main="downstream dice",
            downstream=study,
        )

    def learnt(self) -> dict[str, Any]:
        """Nothing: scale and frame are fixed."""
        return {}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """Nothing to take back."""

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The exemplar and its label map."""
        assert batch.given is not None
        labelled = Batch(wanted=None, given=batch.given[:, 1:])
        image = (self.judged(batch.given)[:, 0], self.judgement.window, RELATIVE_UNIT)
        return {"exemplar": image, **self.base.shown(labelled)}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """A new exemplar."""
        parts = self.base.placed(images, case)
        given = torch.cat([parts["wanted"], parts["given"]])[None]
        corner = self.base.frame.corner(images[self.image], None)
        return Batch(wanted=None, given=given, cases=(case,), records=({},)), corner

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """The variant's image on the exemplar's grid; its label map stays in the draws."""
        return self.base.restore(model[:1], images, placed)


def elastic_field(space: tuple[int, ...], rng: np.random.Generator) -> Tensor:
    """Smoothed white noise as a displacement ``(axis, *space)`` in voxels."""
    from scipy.ndimage import gaussian_filter

    field = []
    for n in space:
        smooth = gaussian_filter(rng.standard_normal(space), ELASTIC_SMOOTHNESS, mode="nearest")
        field.append(smooth * (ELASTIC_AMPLITUDE * n / np.sqrt((smooth**2).mean())))
    return torch.from_numpy(np.stack(field)).float()
