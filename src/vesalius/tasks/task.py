"""A task is a clinical question with its data, its baseline and its metrics; it knows no method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vesalius.core.answer import Answer
from vesalius.core.batch import Batch, Shape
from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.core.rng import numpy_stream
from vesalius.data.source import Case, Source
from vesalius.data.split import Split, SplitRule
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.metrics.metric import CaseMetric

Phase = Literal["acquisition", "diagnosis", "treatment", "prognosis"]


@dataclass(frozen=True)
class Downstream:
    """A clinical use of drawn images that is trained: segmentation of ``label`` from ``image``.

    ``fractions`` of the training patients are given real images; ``seeds`` repeats each arm,
    trained for ``steps``. Of ``controls``, "plain" adds arms of real images without classical
    augmentation, "balanced" arms in which rare classes are oversampled, and "double" arms with two
    drawn images for each real one.
    """

    image: str
    label: str
    classes: tuple[str, ...]
    fractions: tuple[float, ...] = (0.1, 1.0)
    seeds: int = 3
    steps: int = 150
    cases: int = 1000
    controls: tuple[Literal["plain", "balanced", "double"], ...] = ()


@dataclass(frozen=True)
class Judgement:
    """How drawn images of a task are judged.

    ``unit`` and ``window`` are those of the judged images; ``range`` bounds the intensities that
    features are binned over. ``main`` names the metric that decides whether a recipe beats the
    baseline. ``metrics`` have a value a case, ``tables`` one for the whole test set. ``labels``
    names labels or classes from zero on, where those are the answer. With ``agreement``,
    classifiers of real images say whether drawn ones show the class that was told.
    """

    protocol: str
    unit: str
    window: tuple[float, float]
    range: tuple[float, float]
    metrics: tuple[CaseMetric, ...]
    main: str
    downstream: Downstream | None = None
    answer: Answer = "image"
    labels: tuple[str, ...] = ()
    tables: tuple[TableMetric, ...] = ()
    agreement: bool = False


@dataclass(frozen=True, eq=False)
class Task(ABC):
    """Base of all tasks. Instances are frozen; what is read from files is cached."""

    name: str
    phase: Phase
    question: str
    source: Source
    rule: SplitRule = field(default_factory=SplitRule)

    @cached_property
    def channels(self) -> Mapping[str, str]:
        """The source's channels: name to modality."""
        return dict(self.source.channels())

    @cached_property
    def split(self) -> Split:
        """Who trains and who tests."""
        return self.rule.split(self.source.cases())

    @property
    @abstractmethod
    def shape(self) -> Shape:
        """Channels given and wanted, and axes of space."""

    @property
    @abstractmethod
    def size(self) -> tuple[int, ...]:
        """Voxels along each axis of a batch."""

    @property
    @abstractmethod
    def judgement(self) -> Judgement:
        """How drawn images are judged."""

    @abstractmethod
    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """One case as a batch of one; degradations and augmentations are drawn from ``rng``."""

    @abstractmethod
    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """What today's methods make of a batch, in model units; tests are against the first."""

    @abstractmethod
    def judged(self, model: Tensor) -> Tensor:
        """Model units ``(batch, channel, *space)`` to the images that are judged, in their unit."""

    @abstractmethod
    def shown(self, batch: Batch) -> Mapping[str, tuple[Tensor, tuple[float, float], str]]:
        """What was given, for a report: name to image (batch, *space), window and unit."""

    @abstractmethod
    def given_images(self) -> tuple[str, ...]:
        """Channels that a new case must bring."""

    @abstractmethod
    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """New images, by channel, as a batch of one without truth; what :meth:`restore` needs."""

    @abstractmethod
    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """A drawn image ``(channel, *size)`` in model units on the grid and unit of a new case."""

    @abstractmethod
    def learnt(self) -> dict[str, Any]:
        """What was read off the training images (scales, frame), as plain data."""

    @abstractmethod
    def recall(self, learnt: Mapping[str, Any]) -> None:
        """Take back what :meth:`learnt` gave, so that new cases need no training data."""

    def test_case(self, case: Case) -> Batch:
        """A case as it is judged: the same degradation whenever it is asked for."""
        return self.load(case, numpy_stream(self.rule.seed, "judge", case.identifier))

    def metrics(self, case: Case) -> tuple[CaseMetric, ...]:
        """How a case is judged; the names, units and order of all cases are the judgement's."""
        del case
        return self.judgement.metrics

    def check(self) -> None:
        """Raise InputError unless the source has what the task needs."""
        channels = self.channels
        for name in self.needed():
            if name not in channels:
                raise InputError(
                    f"a channel '{name}' for the task {self.name}",
                    came=", ".join(channels) or "none",
                    case=self.source.name,
                    remedy="choose a task of this data, or set the task's channels with --set",
                )

    @abstractmethod
    def needed(self) -> tuple[str, ...]:
        """Channels that training and judging need."""

    def summary(self) -> dict[str, Any]:
        """Plain data for the run's records: source, split, sizes."""
        return {
            "task": self.name,
            "question": self.question,
            "phase": self.phase,
            "dataset": self.source.name,
            "licence": self.source.licence,
            "citation": self.source.citation,
            "split": self.split.hash,
            "patients": {
                name: len({case.patient for case in cases})
                for name, cases in self.split.partitions.items()
            },
            "size": list(self.size),
            "protocol": self.judgement.protocol,
        }


def collate(batches: Sequence[Batch]) -> Batch:
    """Several batches as one; all must carry the same parts."""
    if len(batches) == 1:
        return batches[0]

    def joined(parts: list[Tensor | None]) -> Tensor | None:
        present = [part for part in parts if part is not None]
        return torch.cat(present) if present else None

    first = batches[0]
    operator = None
    if first.operator is not None:
        operator = type(first.operator).collate([b.operator for b in batches])  # type: ignore[attr-defined]
    return Batch(
        wanted=joined([b.wanted for b in batches]),
        given=joined([b.given for b in batches]),
        mask=joined([b.mask for b in batches]),
        measurement=joined([b.measurement for b in batches]),
        operator=operator,
        extras={name: torch.cat([b.extras[name] for b in batches]) for name in first.extras},
        texts=tuple(text for b in batches for text in b.texts),
        cases=tuple(case for b in batches for case in b.cases),
        records=tuple(record for b in batches for record in b.records),
    )
