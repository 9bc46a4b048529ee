"""Synthesis from what is said of a case: a report or covariates told, an image wanted."""

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
from vesalius.core.rng import derive, numpy_stream
from vesalius.data.source import Case
from vesalius.data.vocabulary import LearntVocabulary
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.frame import Frame
from vesalius.tasks.intensity import Scale
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.principal_components import PrincipalComponents
from vesalius.tasks.recent import Recent
from vesalius.tasks.report import Report
from vesalius.tasks.task import Downstream, Judgement, Task
from vesalius.tasks.unconditional import HELD_OUT


@dataclass(frozen=True)
class Covariate:
    """What is known of a case by ``name``: a number, or one of ``categories``."""

    name: str
    categories: tuple[str, ...] = ()

    def value(self, case: Case) -> float:
        """The number, or that of the category; NaN where the case has none.

        Raises InputError, naming the case, for what is neither.
        """
        found = case.covariates.get(self.name)
        if found is None or found == "":
            return math.nan
        if self.categories and found in self.categories:
            return float(self.categories.index(str(found)))
        if not self.categories and isinstance(found, (int, float)):
            return float(found)
        expected = f"one of {', '.join(self.categories)}" if self.categories else "a number"
        raise InputError(f"{expected} as '{self.name}'", came=repr(found), case=case.identifier)


@dataclass(frozen=True, eq=False)
class DescribedSynthesis(Task):
    """An image of a case that is described: by a ``report``, by ``covariates``, or by both.

    Nothing is given as an image. A report is written with the case's own random stream; a batch has
    it as text and as tokens of a vocabulary that is learnt from the training reports. Covariates
    are told as numbers, standardised over the training cases, and numbers of categories; each is
    left out of a case with the chance ``missing``. No image is the one truth, so sets are compared,
    a classifier learns ``label`` from what was drawn, and one that learnt from real images says
    whether drawn ones show it. The baseline, which no words can mislead, draws from probabilistic
    principal components of the training images of the case's class.

    Parameters
    ----------
    image, label, classes, matrix, shift_voxels, study:
        See :class:`~vesalius.tasks.label_synthesis.LabelSynthesis`.
    report:
        What writes the reports; none tells no text.
    vocabulary_size, text_length:
        Pieces of words at most, about, and tokens of a report at most.
    covariates, missing:
        What else is told, and the chance of each to be left out.
    """

    image: str = "image"
    label: str = "label"
    classes: tuple[str, ...] = ("normal", "pneumonia")
    matrix: tuple[int, ...] = (28, 28)
    shift_voxels: int = 1
    study: Downstream = field(
        default_factory=lambda: Downstream("image", "label", ("normal", "pneumonia"), (0.01, 0.1))
    )
    report: Report | None = None
    vocabulary_size: int = 512
    text_length: int = 64
    covariates: tuple[Covariate, ...] = ()
    missing: float = 0.0
    recent: Recent = field(default_factory=Recent)

    def __post_init__(self) -> None:
        if self.report is None and not self.covariates:
            raise InputError("a report or covariates", came="neither", case=self.name)
        if not 0 <= self.missing < 1:
            raise InputError("a chance from 0 to below 1 to be missing", came=self.missing)

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
            shift_voxels=self.shift_voxels,
            study=self.study,
            recent=self.recent,
        )

    @property
    def shape(self) -> Shape:
        """What is told to one image."""
        categories = tuple(len(covariate.categories) for covariate in self.covariates)
        kinds = self.vocabulary.kinds if self.report is not None else 0
        return Shape(0, 1, len(self.matrix), kinds, categories)

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    @property
    def scale(self) -> Scale:
        """Of the image."""
        return self.base.scale

    def needed(self) -> tuple[str, ...]:
        """The image."""
        return (self.image,)

    def given_images(self) -> tuple[str, ...]:
        """None."""
        return ()

    def text(self, case: Case) -> str:
        """The report of a case, always the same; "" where none is told."""
        if self.report is None:
            return ""
        return self.report.write(case, numpy_stream(self.rule.seed, "report", case.identifier))

    @cached_property
    def vocabulary(self) -> LearntVocabulary:
        """Pieces of the words of training reports."""
        texts = (self.text(case) for case in self.split["train"])
        return LearntVocabulary.learn(texts, size=self.vocabulary_size, length=self.text_length)

    def check(self) -> None:
        """Raise InputError unless the image is there, and every case's text can be read."""
        super().check()
        if self.report is None:
            return
        for cases in self.split.partitions.values():
            self.vocabulary.read([self.text(c) for c in cases], [c.identifier for c in cases])

    @cached_property
    def standard(self) -> tuple[tuple[float, float], ...]:
        """Mean and standard deviation of every number over the training cases.

        0 and 1 of categories, and of what is not known of anybody.
        """
        found = []
        for covariate in self.covariates:
            values = np.array([covariate.value(case) for case in self.split["train"]])
            values = values[~np.isnan(values)]
            if covariate.categories or not len(values):
                found.append((0.0, 1.0))
            else:
                found.append((float(values.mean()), float(values.std()) or 1.0))
        return tuple(found)

    def prepared(self, case: Case) -> dict[str, Tensor]:
        """``wanted`` in model units, and the class maps ``given``, which no method sees."""
        return self.base.prepared(case)

    def _parts(self, case: Case) -> dict[str, Tensor]:
        return self.recent.get(case.identifier, lambda: self.prepared(case))

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """What is said, and an image of it."""
        parts = {"wanted": self._parts(case)["wanted"]}
        if augment:
            parts = augmented(parts, {"wanted": -1.0}, rng, flip_axis=None, reach=self.shift_voxels)
        told = self.told((self.text(case),) if self.report is not None else (), case.identifier)
        extras = dict(told.extras)
        if self.covariates:
            extras["covariates"] = self._covariates(case, rng)[None]
        return Batch(
            wanted=parts["wanted"][None],
            extras=extras,
            texts=told.texts,
            cases=(case.identifier,),
            records=({},),
        )

    def told(self, texts: tuple[str, ...], *cases: str) -> Batch:
        """A batch of which nothing is known but its texts: what one may want to see drawn.

        Raises InputError for a text that is too long, naming its case.
        """
        extras: dict[str, Tensor] = {}
        if self.covariates:
            extras["covariates"] = torch.full((len(cases), len(self.covariates)), math.nan)
        if texts:
            extras["tokens"] = self.vocabulary.read(texts, cases)
        return Batch(wanted=None, extras=extras, texts=texts, cases=cases)

    def _covariates(self, case: Case, rng: np.random.Generator) -> Tensor:
        values = []
        for covariate, (mean, deviation) in zip(self.covariates, self.standard, strict=True):
            left_out = rng.random() < self.missing
            value = (covariate.value(case) - mean) / deviation
            values.append(math.nan if left_out else value)
        return torch.tensor(values, dtype=torch.float32)

    @cached_property
    def _components(self) -> tuple[PrincipalComponents, ...]:
        """Of the training images of each class."""
        rows: list[list[Any]] = [[] for _ in self.classes]
        numbers: list[list[int]] = [[] for _ in self.classes]
        for case in self.split["train"]:
            found = self.base.class_of(case)
            rows[found].append(self._parts(case)["wanted"].flatten().double().numpy())
            numbers[found].append(derive(self.rule.seed, "components", case.patient))
        for name, of_class in zip(self.classes, rows, strict=True):
            if len(of_class) < 2:
                raise InputError(
                    f"two training images or more of '{name}'", came=len(of_class), case=self.name
                )
        return tuple(
            PrincipalComponents.fit_chosen(np.stack(of_class), np.asarray(number) % HELD_OUT == 0)
            for of_class, number in zip(rows, numbers, strict=True)
        )

    @cached_property
    def _by_name(self) -> dict[str, Case]:
        return {case.identifier: case for part in self.split.partitions.values() for case in part}

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """Draws of principal components of the class."""
        drawn = []
        for name in batch.cases:
            components = self._components[self.base.class_of(self._by_name[name])]
            drawn.append(components.draw(numpy_stream(self.rule.seed, "baseline", name)))
        images = torch.from_numpy(np.stack(drawn)).float().reshape(-1, 1, *self.matrix)
        return {"principal components of the class": images}

    def judged(self, model: Tensor) -> Tensor:
        """Physical units, clipped to the scale."""
        return self.base.judged(model)

    @cached_property
    def judgement(self) -> Judgement:
        """Sets, a classifier that learns from drawn images, and one that reads them."""
        scale = self.scale
        return Judgement(
            protocol=f"sets of images at {'x'.join(map(str, self.matrix))}, one draw a test case",
            unit=scale.unit,
            window=(scale.low, scale.high),
            range=(scale.low, scale.high),
            metrics=(),
            main="energy[robust radiomics]",
            downstream=self.study,
            agreement=True,
        )

    def learnt(self) -> dict[str, Any]:
        """Frame and scale, the vocabulary and how covariates are standardised."""
        vocabulary = self.vocabulary.to_json() if self.report is not None else None
        standard = [list(pair) for pair in self.standard]
        return {**self.base.learnt(), "vocabulary": vocabulary, "standard": standard}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """See :meth:`learnt`."""
        self.base.recall(learnt)
        if learnt["vocabulary"] is not None:
            self.__dict__["vocabulary"] = LearntVocabulary.from_json(learnt["vocabulary"])
        pairs = learnt["standard"]
        self.__dict__["standard"] = tuple((float(mean), float(width)) for mean, width in pairs)

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """No image was given."""
        return {}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """Not offered: what is told is no image."""
        raise InputError(
            "a task that is given images",
            came=f"'{self.name}', which is told of a case in words or numbers",
            remedy="use: vesalius sample",
        )

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """Not offered; see :meth:`prepare`."""
        raise InputError("a task that is given images", came=f"'{self.name}'")

    @property
    def frame(self) -> Frame:
        """One frame for all cases."""
        return self.base.frame
