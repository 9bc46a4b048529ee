"""Accelerated multi-coil MRI: k-space given, the image wanted."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from torch import Tensor

from vesalius.core.batch import Batch, Shape
from vesalius.core.image import Image
from vesalius.data.source import Case
from vesalius.metrics.clinical.tissue_agreement import TissueAgreement
from vesalius.metrics.pixel.protocols import fastmri
from vesalius.physics.complex_image import magnitude
from vesalius.physics.mri.cartesian import CartesianMRI
from vesalius.physics.mri.cg_sense import cg_sense
from vesalius.physics.mri.measured import measured_mri
from vesalius.physics.mri.phase import draw_phase, random_phase_image
from vesalius.physics.mri.total_variation import total_variation
from vesalius.physics.mri.undersampling import UndersampledMRI
from vesalius.physics.mri.zero_filled import zero_filled
from vesalius.tasks.augmentation import augmented, left_right_axis
from vesalius.tasks.frame import Frame
from vesalius.tasks.intensity import Scale
from vesalius.tasks.recent import Recent
from vesalius.tasks.task import Judgement, Task

#: Conjugate-gradient iterations of the least-squares image that networks are given.
GIVEN_ITERATIONS = 6


def _measured(batch: Batch) -> tuple[Tensor, CartesianMRI]:
    assert batch.measurement is not None
    assert isinstance(batch.operator, CartesianMRI)
    return batch.measurement, batch.operator


@dataclass(frozen=True, eq=False)
class Reconstruction(Task):
    """Images of one channel become complex, are measured by coils, and are wanted back.

    The channel is the first of ``channel_names`` that the source has.
    Wanted and given are complex images in two channels, magnitude zero to one over the channel's
    scale. Given is the regularised least-squares (CG-SENSE) image of the measurement.
    """

    channel_names: tuple[str, ...] = ("mr", "t1", "t1w")
    mask: str | None = "mask"
    matrix: tuple[int, ...] = (128, 128)
    degradation: UndersampledMRI = field(default_factory=UndersampledMRI)
    flip: bool = True
    shift_voxels: int = 6
    recent: Recent = field(default_factory=Recent)

    @cached_property
    def channel(self) -> str:
        """The channel that is measured."""
        channels = self.channels
        return next(
            (name for name in self.channel_names if name in channels), self.channel_names[0]
        )

    @property
    def shape(self) -> Shape:
        """Complex to complex."""
        return Shape(2, 2, len(self.matrix))

    @property
    def size(self) -> tuple[int, ...]:
        """The matrix."""
        return self.matrix

    def needed(self) -> tuple[str, ...]:
        """The image, and its mask where features are taken in one."""
        return (self.channel, *([self.mask] if self.mask else []))

    def given_images(self) -> tuple[str, ...]:
        """Measured k-space, (coil, *space) complex."""
        return ("kspace",)

    @cached_property
    def _first(self) -> tuple[Image, ...]:
        cases = self.split["train"]
        stride = max(1, len(cases) // 16)
        return tuple(
            self.source.read(case)[self.channel].require_finite(case.identifier)
            for case in cases[::stride][:16]
        )

    @cached_property
    def flip_axis(self) -> int | None:
        """Left-right, as the images' own affine says."""
        return left_right_axis(self._first[0]) if self.flip else None

    @cached_property
    def frame(self) -> Frame:
        """One frame for all cases."""
        return Frame.fitting(self.matrix, self._first[0].space, self.split["train"][0].identifier)

    @cached_property
    def scale(self) -> Scale:
        """Of the magnitude; starts at zero."""
        found = Scale.of(self._first, self.channel)
        return Scale(0.0, found.high, found.unit)

    def _prepared(self, case: Case) -> dict[str, Tensor]:
        images = self.source.read(case)
        image = images[self.channel].require_finite(case.identifier)
        mask = images[self.mask] if self.mask else None
        if mask is not None:
            mask.require_same_grid(image, case.identifier)
        corner = self.frame.corner(image, mask)
        placed = self.frame.place(image.data, corner, 0.0).clamp_min(0)
        parts = {"magnitude": placed / self.scale.high}
        if mask is not None:
            parts["mask"] = self.frame.place_labels(mask.data, corner) > 0
        return parts

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """Measured, with its least-squares image."""
        parts = self.recent.get(case.identifier, lambda: self._prepared(case))
        if augment:
            fills = {"magnitude": 0.0, "mask": 0.0}
            parts = augmented(parts, fills, rng, flip_axis=self.flip_axis, reach=self.shift_voxels)
        record = {
            "phase": draw_phase(rng, len(self.matrix)),
            **self.degradation.draw(rng, self.matrix),
        }
        image = random_phase_image(parts["magnitude"], record["phase"])
        measurement, operator = self.degradation.apply(image, record)
        batch = Batch(
            wanted=image[None],
            mask=parts["mask"][None] if "mask" in parts else None,
            measurement=measurement[None],
            operator=operator,
            cases=(case.identifier,),
            records=(record,),
        )
        return self._with_given(batch)

    def _with_given(self, batch: Batch) -> Batch:
        measurement, operator = _measured(batch)
        return replace(batch, given=cg_sense(measurement, operator, iterations=GIVEN_ITERATIONS))

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """Total variation, CG-SENSE and zero filling."""
        measurement, operator = _measured(batch)
        return {
            "total variation": total_variation(measurement, operator),
            "CG-SENSE": cg_sense(measurement, operator),
            "zero filling": zero_filled(measurement, operator),
        }

    def judged(self, model: Tensor) -> Tensor:
        """Magnitude in the channel's unit."""
        return magnitude(model) * self.scale.high

    @cached_property
    def judgement(self) -> Judgement:
        """The fastMRI measures, slice by slice, and the agreement of tissue classes."""
        matrix = "x".join(map(str, self.matrix))
        return Judgement(
            protocol=f"fastmri measures a slice at {matrix}, {self.degradation.acceleration}x "
            f"{self.degradation.mask}, {self.degradation.coils} simulated coils",
            unit=self.scale.unit,
            window=(0.0, self.scale.high),
            range=(0.0, self.scale.high),
            metrics=(*fastmri(), TissueAgreement(classes=3)),
            main="psnr",
        )

    def learnt(self) -> dict[str, Any]:
        """The channel, the frame and the scale."""
        scale = dataclasses.asdict(self.scale)
        return {"channel": self.channel, "frame": self.frame.to_json(), "scale": scale}

    def recall(self, learnt: Mapping[str, Any]) -> None:
        """See :meth:`learnt`."""
        frame, scale = Frame.from_json(learnt["frame"]), Scale(**learnt["scale"])
        self.__dict__.update(channel=learnt["channel"], frame=frame, scale=scale)

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The zero-filled image."""
        image = self.judged(zero_filled(*_measured(batch)))[:, 0]
        return {"zero filling": (image, (0.0, self.scale.high), self.scale.unit)}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """Measured k-space whose coil maps are estimated from its own centre."""
        measurement, operator = measured_mri(images["kspace"].data)
        full_scale = float(magnitude(zero_filled(measurement, operator)).amax())
        batch = Batch(
            wanted=None,
            measurement=measurement / full_scale,
            operator=operator,
            cases=(case,),
            records=({},),
        )
        return self._with_given(batch), full_scale

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """Magnitude in the units of the measured k-space."""
        kspace = images["kspace"]
        image = magnitude(model[None])[0] * float(placed)
        return Image(image, kspace.affine, "a.u.", "MR", "float32")
