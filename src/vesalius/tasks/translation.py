"""Paired translation: one modality given, another wanted."""

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
from vesalius.core.image import Image
from vesalius.data.source import Case
from vesalius.metrics.clinical.region_dice import RegionDice
from vesalius.metrics.pixel.protocols import synthrad_like
from vesalius.tasks.augmentation import augmented, left_right_axis
from vesalius.tasks.frame import Frame
from vesalius.tasks.intensity import Scale
from vesalius.tasks.recent import Recent
from vesalius.tasks.task import Judgement, Task

#: Where bone begins, by unit: HU, and the 8-bit scale of the SynthRAD slices.
BONE_THRESHOLD = {"HU": 250.0, "a.u.": 180.0}
SCALE_CASES = 16
LOOKUP_CASES = 64
LOOKUP_BINS = 64


@dataclass(frozen=True, eq=False)
class Translation(Task):
    """One channel to another, judged inside ``mask``.

    Given is the first of ``given_names`` that the source has: data sets name a modality
    differently. The baseline is the best that a map of intensities alone can do: the mean wanted
    intensity for each given intensity, learnt on the training patients. ``flip`` lets training
    mirror left and right.
    """

    given_names: tuple[str, ...] = ("mr", "t1w", "t1")
    wanted: str = "ct"
    mask: str | None = "mask"
    matrix: tuple[int, ...] = (128, 128)
    flip: bool = True
    shift_voxels: int = 6
    recent: Recent = field(default_factory=Recent)

    @cached_property
    def given(self) -> str:
        """The channel that is given."""
        return next(
            (name for name in self.given_names if name in self.channels), self.given_names[0]
        )

    @property
    def shape(self) -> Shape:
        """One to one."""
        return Shape(1, 1, len(self.matrix))

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    def needed(self) -> tuple[str, ...]:
        """The pair and its mask."""
        return (self.given, self.wanted, *([self.mask] if self.mask else []))

    def given_images(self) -> tuple[str, ...]:
        """The given channel."""
        return (self.given,)

    @cached_property
    def _first(self) -> tuple[dict[str, Image], ...]:
        """Training cases spread over the split, from which scales and the frame are taken."""
        cases = self.split["train"]
        stride = max(1, len(cases) // SCALE_CASES)
        found = []
        for case in cases[::stride][:SCALE_CASES]:
            images = dict(self.source.read(case))
            for name in (self.given, self.wanted):
                images[name].require_finite(case.identifier)
            found.append(images)
        return tuple(found)

    @cached_property
    def flip_axis(self) -> int | None:
        """Left-right, as the images' own affine says."""
        return left_right_axis(self._first[0][self.wanted]) if self.flip else None

    @cached_property
    def frame(self) -> Frame:
        """One frame for all cases."""
        first = self._first[0][self.wanted]
        return Frame.fitting(self.matrix, first.space, self.split["train"][0].identifier)

    @cached_property
    def scales(self) -> dict[str, Scale]:
        """Scale of the given and of the wanted channel."""
        return {
            name: Scale.of((images[name] for images in self._first), name)
            for name in (self.given, self.wanted)
        }

    def _place(self, images: Mapping[str, Image], name: str) -> tuple[Tensor, tuple[int, ...]]:
        image, scale = images[name], self.scales[name]
        mask = images.get(self.mask) if self.mask else None
        corner = self.frame.corner(image, mask)
        return scale.to_model(self.frame.place(image.data, corner, scale.low)), corner

    def _recent(self, case: Case) -> dict[str, Tensor]:
        """Parts of a case, prepared now or before."""
        return self.recent.get(case.identifier, lambda: self._prepared(case))

    def _prepared(self, case: Case) -> dict[str, Tensor]:
        images = self.source.read(case)
        reference = images[self.wanted].require_finite(case.identifier)
        images[self.given].require_finite(case.identifier).require_same_grid(
            reference, case.identifier
        )
        if self.mask:
            images[self.mask].require_same_grid(reference, case.identifier)
        wanted, corner = self._place(images, self.wanted)
        parts = {"given": self._place(images, self.given)[0], "wanted": wanted}
        if self.mask:
            parts["mask"] = self.frame.place_labels(images[self.mask].data, corner) > 0
        return parts

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The pair in model units."""
        parts = self._recent(case)
        if augment:
            fills = {"given": -1.0, "wanted": -1.0, "mask": 0.0}
            parts = augmented(parts, fills, rng, flip_axis=self.flip_axis, reach=self.shift_voxels)
        return Batch(
            wanted=parts["wanted"][None],
            given=parts["given"][None],
            mask=parts["mask"][None] if "mask" in parts else None,
            cases=(case.identifier,),
            records=({},),
        )

    @cached_property
    def _lookup(self) -> tuple[np.ndarray, np.ndarray]:
        """Bin centres of the given and the mean wanted intensity of each, in model units."""
        edges = np.linspace(-1, 1, LOOKUP_BINS + 1)
        total, count = np.zeros(LOOKUP_BINS), np.zeros(LOOKUP_BINS)
        cases = self.split["train"]
        stride = max(1, len(cases) // LOOKUP_CASES)
        for case in cases[::stride]:
            parts = self._recent(case)
            inside = parts["mask"].flatten() if "mask" in parts else slice(None)
            given = parts["given"].flatten()[inside].double().numpy()
            wanted = parts["wanted"].flatten()[inside].double().numpy()
            place = np.clip(np.digitize(given, edges) - 1, 0, LOOKUP_BINS - 1)
            total += np.bincount(place, weights=wanted, minlength=LOOKUP_BINS)
            count += np.bincount(place, minlength=LOOKUP_BINS)
        known = count > 0
        return ((edges[:-1] + edges[1:]) / 2)[known], total[known] / count[known]

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """The intensity lookup inside the mask, the lowest intensity outside."""
        assert batch.given is not None
        centres, means = self._lookup
        found = np.interp(batch.given.double().cpu().numpy(), centres, means)
        image = torch.from_numpy(found).to(batch.given)
        if batch.mask is not None:
            image = torch.where(batch.mask, image, torch.full_like(image, -1.0))
        return {"intensity lookup": image}

    def judged(self, model: Tensor) -> Tensor:
        """Physical units, clipped to the scale's interval as SynthRAD does."""
        scale = self.scales[self.wanted]
        return scale.to_physical(model).clamp(scale.low, scale.high)

    @cached_property
    def judgement(self) -> Judgement:
        """The SynthRAD 2023 measures over the scale's interval; bone where the wanted is CT."""
        scale = self.scales[self.wanted]
        metrics = synthrad_like(scale.low, scale.high, scale.unit)
        if self.wanted == "ct" and scale.unit in BONE_THRESHOLD:
            metrics = (
                *metrics,
                RegionDice(BONE_THRESHOLD[scale.unit], "bone", data_unit=scale.unit),
            )
        matrix = "x".join(map(str, self.matrix))
        return Judgement(
            protocol=f"synthrad2023 measures at {matrix}, range {scale.high - scale.low:g} "
            f"{scale.unit}, inside the mask",
            unit=scale.unit,
            window=(scale.low, scale.high) if scale.unit != "HU" else (-160.0, 240.0),
            range=(scale.low, scale.high),
            metrics=metrics,
            main="mae",
        )

    def learnt(self) -> dict[str, Any]:
        """The given channel, the frame and both scales."""
        scales = {name: dataclasses.asdict(scale) for name, scale in self.scales.items()}
        return {"given": self.given, "frame": self.frame.to_json(), "scales": scales}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """See :meth:`learnt`."""
        scales = {name: Scale(**values) for name, values in learnt["scales"].items()}
        frame = Frame.from_json(learnt["frame"])
        self.__dict__.update(given=learnt["given"], frame=frame, scales=scales)

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The given channel."""
        assert batch.given is not None
        scale = self.scales[self.given]
        image = scale.to_physical(batch.given[:, 0])
        return {f"given {self.given}": (image, (scale.low, scale.high), scale.unit)}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """A new given image."""
        images[self.given].require_finite(case)
        given, corner = self._place(images, self.given)
        return Batch(wanted=None, given=given[None], cases=(case,)), corner

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """The wanted modality on the given image's grid."""
        scale, image = self.scales[self.wanted], images[self.given]
        physical = scale.to_physical(model)
        data = self.frame.restore(physical, image, placed, scale.low)
        modality = self.channels[self.wanted]
        return image.with_data(data, unit=scale.unit, modality=modality)
