"""Classification learnt from real, drawn or both kinds of images: downstream value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from vesalius.core.batch import Batch, Shape
from vesalius.core.errors import InputError
from vesalius.data.source import Case
from vesalius.tasks.arm import ArmTask
from vesalius.tasks.described_synthesis import DescribedSynthesis
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.recent import Recent
from vesalius.tasks.supervised import class_batch
from vesalius.tasks.task import Judgement


@dataclass(frozen=True, eq=False)
class ClassificationFrom(ArmTask):
    """Image to class; see :class:`~vesalius.tasks.arm.ArmTask`.

    Wanted is one-hot, (batch, class).
    """

    base: LabelSynthesis | DescribedSynthesis | None = None

    @property
    def synthesis(self) -> LabelSynthesis | DescribedSynthesis:
        """The base."""
        if self.base is None:
            raise InputError("a synthesis task as the base", came="none", case=self.name)
        return self.base

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes from zero on."""
        return self.synthesis.classes

    @property
    def memory(self) -> Recent:
        """The base's."""
        return self.synthesis.recent

    def prepared(self, case: Case) -> dict[str, Tensor]:
        """The base's."""
        return self.synthesis.prepared(case)

    def class_of(self, case: Case) -> int:
        """Where its one-hot class is one."""
        batch = self.supervised(self.prepared(case), case.identifier)
        assert batch.wanted is not None
        return int(batch.wanted.argmax())

    def augmentation(self) -> tuple[dict[str, float], int | None, int]:
        """Shifts of the base; classes may have a side, so there are no flips."""
        return {"wanted": -1.0, "given": 0.0}, None, self.synthesis.shift_voxels

    def supervised(self, parts: Mapping[str, Tensor], case: str) -> Batch:
        """The image, and its class."""
        return class_batch(parts, case)

    @property
    def shape(self) -> Shape:
        """One image to a number a class."""
        return Shape(1, len(self.classes), len(self.synthesis.matrix))

    def given_images(self) -> tuple[str, ...]:
        """The image."""
        return (self.synthesis.image,)

    def judged(self, model: Tensor) -> Tensor:
        """Class probabilities, (batch, class)."""
        return model

    @cached_property
    def judgement(self) -> Judgement:
        """Scored by the downstream study."""
        return Judgement(
            "downstream",
            "1",
            (0, 1),
            (0, 1),
            (),
            "downstream auc",
            answer="class",
            labels=self.classes,
        )

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The image."""
        assert batch.given is not None
        base = self.synthesis
        image = base.scale.to_physical(batch.given[:, 0])
        return {"given image": (image, base.judgement.window, base.scale.unit)}
