"""Segmentation learnt from real, drawn or both kinds of images: downstream value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vesalius.core.batch import Batch, Shape
from vesalius.core.errors import InputError
from vesalius.core.files import read_arrays
from vesalius.core.image import Image
from vesalius.core.rng import derive
from vesalius.data.source import Case
from vesalius.data.split import Split
from vesalius.metrics.pixel.mae import MAE
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Judgement, Task

Arm = Literal["real", "synthetic", "both"]


@dataclass(frozen=True, eq=False)
class SegmentationFrom(Task):
    """Image to label map, with training images of the arm ``arm``.

    ``base`` owns data and split. ``fraction`` of its training patients, the same for every arm and
    seed, give real images. ``drawn`` holds one ``<case>.npz`` for each training case, whose array
    ``draws`` is (draw, channel, *space) in model units. The arm "both" takes either kind with the
    same chance. Test and validation images are always real.
    """

    base: MaskSynthesis | None = None
    arm: Arm = "real"
    fraction: float = 1.0
    drawn: str | None = None

    @property
    def _base(self) -> MaskSynthesis:
        if self.base is None or (self.arm != "real" and self.drawn is None):
            raise InputError("a synthesis task, and drawn images for arms that use them")
        return self.base

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the labels from one on."""
        return self._base.classes

    @cached_property
    def real(self) -> frozenset[str]:
        """Training cases whose real images may be seen."""
        patients = sorted(
            {case.patient for case in self._base.split["train"]},
            key=lambda patient: derive(self.rule.seed, "fraction", patient),
        )
        kept = set(patients[: max(1, round(self.fraction * len(patients)))])
        return frozenset(c.identifier for c in self._base.split["train"] if c.patient in kept)

    @cached_property
    def split(self) -> Split:  # type: ignore[override]
        """The base's, with the training cases that the arm may see."""
        parts = dict(self._base.split.partitions)
        if self.arm == "real":
            parts["train"] = tuple(c for c in parts["train"] if c.identifier in self.real)
        return Split(parts)

    @property
    def shape(self) -> Shape:
        """One image to background and classes."""
        return Shape(1, len(self._base.classes) + 1, len(self._base.matrix))

    @property
    def size(self) -> tuple[int, ...]:
        """The base's."""
        return self._base.size

    def needed(self) -> tuple[str, ...]:
        """The base's."""
        return self._base.needed()

    def given_images(self) -> tuple[str, ...]:
        """The image."""
        return (self._base.image,)

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The image of the arm and its one-hot label map."""
        base = self._base
        parts = dict(base.recent.get(case.identifier, lambda: base._prepared(case)))
        training = case.identifier in {c.identifier for c in self.split["train"]}
        if training and self.arm != "real":
            real = self.arm == "both" and case.identifier in self.real and rng.random() < 0.5
            if not real:
                parts["wanted"] = self._drawn_image(case, rng)
        if augment:
            fills = {"wanted": -1.0, "given": 0.0, "mask": 0.0}
            parts = augmented(
                parts, fills, rng, flip_axis=base.flip_axis, reach=base.shift_voxels
            )
            # scanners scale MR arbitrarily: gain, offset and noise are drawn for all arms alike
            gain, offset = 1 + 0.15 * rng.standard_normal(), 0.1 * rng.standard_normal()
            noise = torch.from_numpy(rng.standard_normal(parts["wanted"].shape)).float()
            parts["wanted"] = parts["wanted"] * gain + offset + 0.05 * rng.random() * noise
        background = 1 - parts["given"].amax(dim=0, keepdim=True)
        return Batch(
            wanted=torch.cat([background, parts["given"]])[None],
            given=parts["wanted"][None],
            mask=parts["mask"][None],
            cases=(case.identifier,),
            records=({},),
        )

    def _drawn_image(self, case: Case, rng: np.random.Generator) -> Tensor:
        assert self.drawn is not None

        def read() -> dict[str, Tensor]:
            arrays = read_arrays(Path(str(self.drawn)) / f"{case.identifier}.npz")
            return {"draws": torch.from_numpy(arrays["draws"].astype(np.float32))}

        draws = self._base.recent.get(f"{self.drawn}/{case.identifier}", read)["draws"]
        return draws[int(rng.integers(len(draws)))]

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """None: arms are compared with each other."""
        return {}

    def judged(self, model: Tensor) -> Tensor:
        """The most likely class, (batch, 1, *space)."""
        return model.argmax(dim=1, keepdim=True)

    @cached_property
    def judgement(self) -> Judgement:
        """Scored by the downstream study; alone, by the error of class numbers."""
        n = float(len(self._base.classes))
        return Judgement("downstream", "label", (0, n), (0, n), (MAE("label"),), "mae")

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The image."""
        assert batch.given is not None
        scale = self._base.scale
        image = scale.to_physical(batch.given[:, 0])
        return {"given image": (image, self._base.judgement.window, scale.unit)}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """Not offered: the segmenters judge drawn images and are not for use."""
        raise InputError("a task whose runs are for use", came="a downstream study", case=case)

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """Not offered."""
        raise InputError("a task whose runs are for use", came="a downstream study")
