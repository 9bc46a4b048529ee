"""Class-conditioned synthesis: a class given, an image wanted."""

from __future__ import annotations

import dataclasses
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
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.frame import Frame
from vesalius.tasks.intensity import Scale
from vesalius.tasks.recent import Recent
from vesalius.tasks.task import Downstream, Judgement, Task

SCALE_CASES = 16


@dataclass(frozen=True, eq=False)
class LabelSynthesis(Task):
    """An image of the class that ``label``, a covariate of each case, numbers from zero.

    Given is one channel a class, one everywhere for the case's class. No image is the one truth
    here, so nothing is judged pixel by pixel: sets are compared, and a classifier learns from what
    was drawn. The baseline is the mean training image of the class. A new case brings no image, so
    ``given_images`` is empty.
    """

    image: str = "image"
    label: str = "label"
    classes: tuple[str, ...] = ("normal", "pneumonia")
    matrix: tuple[int, ...] = (28, 28)
    shift_voxels: int = 1
    study: Downstream = field(
        default_factory=lambda: Downstream("image", "label", ("normal", "pneumonia"), (0.01, 0.1))
    )
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
        """The image."""
        return (self.image,)

    def given_images(self) -> tuple[str, ...]:
        """None: a class is no image."""
        return ()

    @cached_property
    def _first(self) -> tuple[Image, ...]:
        cases = self.split["train"]
        stride = max(1, len(cases) // SCALE_CASES)
        return tuple(self.source.read(case)[self.image] for case in cases[::stride][:SCALE_CASES])

    @cached_property
    def scale(self) -> Scale:
        """Of the image."""
        return Scale.of(self._first, self.image)

    @cached_property
    def frame(self) -> Frame:
        """One frame for all cases."""
        return Frame.fitting(self.matrix, self._first[0].space, self.split["train"][0].identifier)

    def class_of(self, case: Case) -> int:
        """The number of the case's class; raises InputError naming a case without a known one."""
        found = case.covariates.get(self.label)
        if not isinstance(found, (int, float)) or not 0 <= found < len(self.classes):
            raise InputError(
                f"a covariate '{self.label}' from 0 to {len(self.classes) - 1}",
                came=repr(found),
                case=case.identifier,
            )
        return int(found)

    def _recent(self, case: Case) -> dict[str, Tensor]:
        """Parts of a case, prepared now or before."""
        return self.recent.get(case.identifier, lambda: self.prepared(case))

    def prepared(self, case: Case) -> dict[str, Tensor]:
        """``wanted`` in model units and the class maps ``given``."""
        given = torch.zeros(len(self.classes), *self.matrix)
        given[self.class_of(case)] = 1
        image = self.source.read(case)[self.image]
        return {"wanted": self.placed(image, case.identifier), "given": given}

    def placed(self, image: Image, case: str) -> Tensor:
        """An image in model units, ``(1, *matrix)``."""
        corner = self.frame.corner(image.require_finite(case), None)
        return self.scale.to_model(self.frame.place(image.data, corner, self.scale.low))

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The class and an image of it."""
        parts = self._recent(case)
        if augment:
            # a class map is the same everywhere, so only the image is shifted
            image = {"wanted": parts["wanted"]}
            moved = augmented(image, {"wanted": -1.0}, rng, flip_axis=None, reach=self.shift_voxels)
            parts = {**parts, **moved}
        return Batch(
            wanted=parts["wanted"][None],
            given=parts["given"][None],
            cases=(case.identifier,),
            records=({},),
        )

    @cached_property
    def _means(self) -> Tensor:
        total = torch.zeros(len(self.classes), *self.matrix)
        count = torch.zeros(len(self.classes))
        for case in self.split["train"]:
            number = self.class_of(case)
            total[number] += self._recent(case)["wanted"][0]
            count[number] += 1
        return total / count.clamp_min(1).view(-1, *[1] * len(self.matrix))

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """The class mean."""
        assert batch.given is not None
        mean = (batch.given * self._means.to(batch.given)).sum(dim=1, keepdim=True)
        return {"class mean": mean}

    def judged(self, model: Tensor) -> Tensor:
        """Physical units, clipped to the scale."""
        return self.scale.to_physical(model).clamp(self.scale.low, self.scale.high)

    @cached_property
    def judgement(self) -> Judgement:
        """Sets, and a classifier."""
        scale = self.scale
        return Judgement(
            protocol=f"medmnist-augmentation at {'x'.join(map(str, self.matrix))}",
            unit=scale.unit,
            window=(scale.low, scale.high),
            range=(scale.low, scale.high),
            metrics=(),
            main="downstream auc",
            downstream=self.study,
        )

    def learnt(self) -> dict[str, Any]:
        """The frame and the scale."""
        scale = dataclasses.asdict(self.scale)
        return {"frame": self.frame.to_json(), "scale": scale}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """See :meth:`learnt`."""
        frame, scale = Frame.from_json(learnt["frame"]), Scale(**learnt["scale"])
        self.__dict__.update(frame=frame, scale=scale)

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The class, as a map."""
        assert batch.given is not None
        number = batch.given.argmax(dim=1).to(batch.given)
        return {"given class": (number, (0.0, float(len(self.classes) - 1)), "label")}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """Not offered: a class is no image."""
        raise InputError(
            "a task that is given images",
            came=f"'{self.name}', which is given a class",
            remedy="use: vesalius sample",
        )

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """Not offered; see :meth:`prepare`."""
        raise InputError("a task that is given images", came=f"'{self.name}'")
