"""Classification: an image given, its class wanted."""

from __future__ import annotations

import math
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
from vesalius.core.rng import derive
from vesalius.data.source import Case
from vesalius.metrics.clinical.protocols import classification_measures
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.logistic_regression import LogisticRegression
from vesalius.tasks.recent import Recent
from vesalius.tasks.supervised import class_batch, rescanned
from vesalius.tasks.task import Judgement, Task
from vesalius.tasks.unconditional import HELD_OUT

#: The part of a new image that a class may at least be told from.
LEAST_SEEN = 0.5


@dataclass(frozen=True, eq=False)
class ImageClassification(Task):
    """The class that ``label``, a covariate of each case, numbers from zero, from its image.

    Images are prepared as in :class:`~vesalius.tasks.label_synthesis.LabelSynthesis`. Wanted are
    probabilities, (batch, class); of two classes the last is the one that is looked for. The
    baseline is logistic regression on the pixels, its penalty chosen by likelihood on training
    patients that were left out.
    """

    image: str = "image"
    label: str = "label"
    classes: tuple[str, ...] = ("normal", "pneumonia")
    matrix: tuple[int, ...] = (28, 28)
    shift_voxels: int = 1
    recent: Recent = field(default_factory=Recent)

    @cached_property
    def base(self) -> LabelSynthesis:
        """Prepares images and classes."""
        return LabelSynthesis(
            name=self.name,
            phase=self.phase,
            question=self.question,
            source=self.source,
            rule=self.rule,
            image=self.image,
            label=self.label,
            classes=self.classes,
            matrix=self.matrix,
            recent=self.recent,
        )

    @property
    def shape(self) -> Shape:
        """One image to a number a class."""
        return Shape(1, len(self.classes), len(self.matrix))

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    def needed(self) -> tuple[str, ...]:
        """The image."""
        return (self.image,)

    def given_images(self) -> tuple[str, ...]:
        """The image."""
        return (self.image,)

    def _parts(self, case: Case) -> dict[str, Tensor]:
        return self.recent.get(case.identifier, lambda: self.base.prepared(case))

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The image and its class."""
        parts = self._parts(case)
        if augment:
            image = {"wanted": parts["wanted"]}
            moved = augmented(image, {"wanted": -1.0}, rng, flip_axis=None, reach=self.shift_voxels)
            parts = {**parts, "wanted": rescanned(moved["wanted"], rng)}
        return class_batch(parts, case.identifier)

    @cached_property
    def regression(self) -> LogisticRegression:
        """Logistic regression on the pixels of all training images."""
        cases = self.split["train"]
        rows = np.stack([self._parts(case)["wanted"].flatten().double().numpy() for case in cases])
        labels = np.asarray([self.base.class_of(case) for case in cases])
        patients = [derive(self.rule.seed, "regression", case.patient) for case in cases]
        held_out = np.asarray(patients) % HELD_OUT == 0
        return LogisticRegression.fit_chosen(rows, labels, len(self.classes), held_out)

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """Logistic regression."""
        assert batch.given is not None
        rows = batch.given.flatten(1).double().cpu().numpy()
        chances = torch.from_numpy(self.regression.chances(rows))
        return {"logistic regression": chances.to(batch.given)}

    def judged(self, model: Tensor) -> Tensor:
        """Class probabilities, (batch, class)."""
        return model

    @cached_property
    def judgement(self) -> Judgement:
        """Discrimination and calibration over the whole test set."""
        return Judgement(
            protocol=f"classes of images at {'x'.join(map(str, self.matrix))}, "
            "called at a probability of 0.5",
            unit="1",
            window=(0.0, 1.0),
            range=(0.0, 1.0),
            metrics=(),
            main="auc",
            answer="class",
            labels=self.classes,
            tables=classification_measures(len(self.classes)),
        )

    def learnt(self) -> dict[str, Any]:
        """The frame and the scale."""
        return self.base.learnt()

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """See :meth:`learnt`."""
        self.base.recall(learnt)

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The image."""
        assert batch.given is not None
        scale = self.base.scale
        image = scale.to_physical(batch.given[:, 0])
        return {f"given {self.image}": (image, (scale.low, scale.high), scale.unit)}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """A new image; InputError where most of it would not be seen."""
        field, space = self.base.frame.field, images[self.image].space
        seen = math.prod(min(a, b) / b for a, b in zip(field, space, strict=True))
        if seen < LEAST_SEEN:
            raise InputError(
                f"an image of about {' x '.join(map(str, field))} voxels, as those trained on",
                came=f"{' x '.join(map(str, space))}, of which {100 * seen:.0f} % would be seen",
                case=case,
                remedy="resample it first",
            )
        given = self.base.placed(images[self.image], case)[None]
        return Batch(wanted=None, given=given, cases=(case,), records=({},)), None

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """Not offered: a class is no image."""
        raise InputError(
            "a task that answers with an image",
            came=f"'{self.name}', which answers with a class",
            remedy="use: vesalius apply, which writes probabilities",
        )
