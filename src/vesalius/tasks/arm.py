"""Supervised learning from real, drawn or both kinds of training images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.files import read_arrays
from vesalius.core.image import Image
from vesalius.core.rng import derive
from vesalius.data.source import Case
from vesalius.data.split import Split
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.recent import Recent
from vesalius.tasks.supervised import rescanned
from vesalius.tasks.task import Task

Arm = Literal["real", "balanced", "synthetic", "both"]


@dataclass(frozen=True, eq=False)
class ArmTask(Task):
    """A task learnt from the training images of the arm ``arm``.

    The synthesis task behind it owns data and split. ``fraction`` of its training patients, the
    same for every arm and seed, give real images. ``drawn`` holds one ``<case>.npz`` for each of
    the first ``cases`` training cases, whose array ``draws`` is (draw, channel, *space) in model
    units. In the arm "both" a real image has the chance ``real_share``, whatever the fraction; in
    "balanced" every class of real images has the same. Without ``augment`` training images are
    never moved. Test and validation images are always real.
    """

    arm: Arm = "real"
    fraction: float = 1.0
    drawn: str | None = None
    augment: bool = True
    real_share: float = 0.5

    @property
    @abstractmethod
    def synthesis(self) -> Task:
        """The synthesis task whose drawings are tried; raises InputError where it is missing."""

    @property
    @abstractmethod
    def memory(self) -> Recent:
        """Where prepared cases are kept."""

    @abstractmethod
    def prepared(self, case: Case) -> dict[str, Tensor]:
        """Parts of a real case; ``wanted`` is its image in model units."""

    def drawn_parts(self, drawn: Tensor) -> dict[str, Tensor]:
        """What a drawn ``(channel, *space)`` replaces of its case's parts; by default the image."""
        return {"wanted": drawn}

    @abstractmethod
    def supervised(self, parts: Mapping[str, Tensor], case: str) -> Batch:
        """Image given, target wanted."""

    @abstractmethod
    def augmentation(self) -> tuple[dict[str, float], int | None, int]:
        """Fill of each part, left-right axis and reach of shifts in voxels."""

    @cached_property
    def real(self) -> tuple[Case, ...]:
        """Training cases whose real images may be seen."""
        cases = self.synthesis.split["train"]
        patients = sorted(
            {case.patient for case in cases},
            key=lambda patient: derive(self.rule.seed, "fraction", patient),
        )
        kept = set(patients[: max(1, round(self.fraction * len(patients)))])
        return tuple(case for case in cases if case.patient in kept)

    def class_of(self, case: Case) -> int:
        """The class of a real case, by which it is oversampled."""
        raise InputError("a task with classes", came=self.name, case=f"the arm '{self.arm}'")

    @cached_property
    def by_class(self) -> tuple[tuple[Case, ...], ...]:
        """The real cases of every class that there is."""
        found: dict[int, list[Case]] = {}
        for case in self.real:
            found.setdefault(self.class_of(case), []).append(case)
        return tuple(tuple(found[number]) for number in sorted(found))

    @cached_property
    def split(self) -> Split:
        """The synthesis task's, with the training cases that the arm may see."""
        of_real = self.arm in ("real", "balanced")
        if not of_real and self.drawn is None:
            raise InputError("a folder of drawn images", came="none", case=f"the arm '{self.arm}'")
        parts = dict(self.synthesis.split.partitions)
        study = self.synthesis.judgement.downstream
        assert study is not None, "only tasks with a downstream study have arms"
        parts["train"] = self.real if of_real else parts["train"][: study.cases]
        return Split(parts)

    @cached_property
    def _training(self) -> frozenset[str]:
        return frozenset(case.identifier for case in self.synthesis.split["train"])

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """A case of the arm; in "both", a drawn case gives way to a real one by chance."""
        training = case.identifier in self._training
        drawn = training and self.arm in ("synthetic", "both")
        if drawn and self.arm == "both" and rng.random() < self.real_share:
            case, drawn = self.real[int(rng.integers(len(self.real)))], False
        if training and self.arm == "balanced":
            alike = self.by_class[int(rng.integers(len(self.by_class)))]
            case = alike[int(rng.integers(len(alike)))]
        parts = dict(self.memory.get(case.identifier, lambda: self.prepared(case)))
        if drawn:
            parts |= self.drawn_parts(self._drawn_image(case, rng))
        if augment and self.augment:
            fills, flip_axis, reach = self.augmentation()
            parts = augmented(parts, fills, rng, flip_axis=flip_axis, reach=reach)
            parts["wanted"] = rescanned(parts["wanted"], rng)  # alike for all arms
        return self.supervised(parts, case.identifier)

    def _drawn_image(self, case: Case, rng: np.random.Generator) -> Tensor:
        folder = Path(str(self.drawn))

        def read() -> dict[str, Tensor]:
            arrays = read_arrays(folder / f"{case.identifier}.npz")
            return {"draws": torch.from_numpy(arrays["draws"].astype(np.float32))}

        draws = self.memory.get(f"{folder}/{case.identifier}", read)["draws"]
        return draws[int(rng.integers(len(draws)))]

    @property
    def size(self) -> tuple[int, ...]:
        """The synthesis task's."""
        return self.synthesis.size

    def needed(self) -> tuple[str, ...]:
        """The synthesis task's."""
        return self.synthesis.needed()

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """None: arms are compared with each other."""
        return {}

    def learnt(self) -> dict[str, Any]:
        """Nothing of its own."""
        return {}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """Nothing to take back."""

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """Not offered: these networks judge drawn images and are not for use."""
        raise InputError("a task whose runs are for use", came="a downstream study", case=case)

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """Not offered."""
        raise InputError("a task whose runs are for use", came="a downstream study")
