"""Restoration: a degraded image given, the image itself wanted."""

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
from vesalius.core.rng import numpy_stream
from vesalius.data.source import Case
from vesalius.data.sources.axial_slices import AxialSlices
from vesalius.metrics.pixel.nmse import NMSE
from vesalius.metrics.pixel.protocols import synthrad_like
from vesalius.metrics.pixel.rmse import RMSE
from vesalius.physics.degradation import Degradation
from vesalius.physics.downsampling import Downsampled
from vesalius.physics.gaussian_noise import GaussianNoise
from vesalius.physics.hole import Hole
from vesalius.physics.masking import Masking
from vesalius.physics.operator import Identity, LinearOperator
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.classical_restoration import methods
from vesalius.tasks.image_task import ImageTask
from vesalius.tasks.task import Judgement

#: Training cases on which today's methods are tuned and ranked.
TUNING_CASES = 16
MISSING = "missing"


@dataclass(frozen=True, eq=False)
class Restoration(ImageTask):
    """The image before ``degradation``, which is drawn, recorded and applied in physical units.

    Channel 0 of given is the degraded image on the wanted's grid and scale, so that a path may
    start there; then come ``neighbours`` slices below and above, degraded by themselves, and for
    holes a map of what is missing. The operator and the measurement are those of the degradation,
    in model units, noise apart. Images are judged inside the mask, or inside the holes. Today's
    methods are tuned, and the best one put first, on training cases.
    """

    degradation: Degradation = field(default_factory=GaussianNoise)

    @property
    def shape(self) -> Shape:
        """The degraded image, what goes with it, and the image."""
        missing = isinstance(self.degradation, Hole)
        return Shape(1 + 2 * self.neighbours + int(missing), 1, len(self.matrix))

    @cached_property
    def beside(self) -> tuple[str, ...]:
        """Channels of the neighbouring slices."""
        if not isinstance(self.source, AxialSlices):
            return ()
        return self.source.neighbour_names(self.channel)

    def given_images(self) -> tuple[str, ...]:
        """The channel, its neighbours, and for holes a mask of what is missing."""
        missing = (MISSING,) if isinstance(self.degradation, Hole) else ()
        return (self.channel, *self.beside, *missing)

    def prepared(self, images: Mapping[str, Image], case: str) -> dict[str, Tensor]:
        """Also ``beside``, the neighbours, and ``pixel_mm``."""
        parts = super().prepared(images, case)
        if self.beside:
            _, corner = self._corner(images, case)
            placed = [
                self._placed(images[name].require_finite(case), corner) for name in self.beside
            ]
            parts["beside"] = torch.cat(placed)
        spacing = images[self.channel].spacing_mm
        parts["pixel_mm"] = torch.tensor(spacing[0] * self.frame.factors[0], dtype=torch.float64)
        return parts

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """The image and what ``rng`` makes of it."""
        parts = dict(self._recent(case))
        pixel_mm = float(parts.pop("pixel_mm"))
        if augment:
            fills = {"wanted": -1.0, "beside": -1.0, "mask": 0.0}
            parts = augmented(parts, fills, rng, flip_axis=self.flip_axis, reach=self.shift_voxels)
        given, operator, record = self._degraded(parts["wanted"], rng, pixel_mm)
        channels = [given]
        if "beside" in parts:
            others = [self._degraded(image[None], rng, pixel_mm) for image in parts["beside"]]
            channels += [image for image, _, _ in others]
            record["beside"] = [other for _, _, other in others]
        mask = parts["mask"][None] if "mask" in parts else None
        if isinstance(operator, Masking):
            mask = ~operator.known
        return self._batch(
            channels,
            operator,
            wanted=parts["wanted"][None],
            mask=mask,
            cases=(case.identifier,),
            records=(record,),
        )

    def _degraded(
        self, image: Tensor, rng: np.random.Generator, pixel_mm: float
    ) -> tuple[Tensor, LinearOperator, dict[str, Any]]:
        """A degraded ``(1, *space)`` in model units, its operator and its record."""
        record = self.degradation.draw(rng, self.matrix)
        if "pixel_mm" in record:
            record["pixel_mm"] = pixel_mm
        physical, operator = self.degradation.apply(self.scale.to_physical(image), record)
        return self.scale.to_model(physical), operator, record

    def _batch(self, channels: list[Tensor], operator: LinearOperator, **parts: Any) -> Batch:
        """A batch of one; operators are projections, so what is given is its own measurement."""
        if isinstance(self.degradation, Hole):
            ones = torch.ones_like(channels[0])
            channels = [*channels, 1 - operator.forward(ones[None])[0]]
        return Batch(
            given=torch.cat(channels)[None],
            measurement=operator.forward(channels[0][None]),
            operator=operator,
            **parts,
        )

    def _classical(self, name: str, strength: float, batch: Batch) -> Tensor:
        """One of today's methods on every case of a batch."""
        assert batch.given is not None
        method = methods(self.degradation)[name][0]
        found = []
        for given in batch.given.cpu().double().numpy():
            missing = given[-1] > 0.5 if isinstance(self.degradation, Hole) else None
            found.append(torch.from_numpy(method(given[0], missing, strength)))
        return torch.stack(found)[:, None].to(batch.given)

    @cached_property
    def _ranked(self) -> dict[str, float]:
        """Today's methods with their best strength, the one of least squared error first."""
        cases = self.split["train"]
        stride = max(1, len(cases) // TUNING_CASES)
        batches = [
            self.load(case, numpy_stream(self.rule.seed, "tuning", case.identifier))
            for case in cases[::stride][:TUNING_CASES]
        ]
        errors = {
            (name, strength): float(np.mean([self._error(name, strength, b) for b in batches]))
            for name, (_, strengths) in methods(self.degradation).items()
            for strength in strengths
        }
        best: dict[str, float] = {}
        for name, strength in sorted(errors, key=lambda key: errors[key]):
            best.setdefault(name, strength)
        return best

    def _error(self, name: str, strength: float, batch: Batch) -> float:
        assert batch.wanted is not None
        image = self.judged(self._classical(name, strength, batch))
        squared = (image - self.judged(batch.wanted)).square()
        return float(squared.mean() if batch.mask is None else squared[batch.mask].mean())

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """Today's methods, the best on training cases first, and the degraded image itself."""
        assert batch.given is not None
        found = {
            name: self._classical(name, strength, batch) for name, strength in self._ranked.items()
        }
        if not isinstance(self.degradation, Downsampled):  # has it among its methods
            found["degraded"] = batch.given[:, :1]
        return found

    @cached_property
    def judgement(self) -> Judgement:
        """MAE, PSNR, SSIM and RMSE in the window and the mask; NMSE where zero is no signal."""
        (low, high), unit = self.window, self.scale.unit
        where = ", inside the mask" if self.mask else ""
        where = ", inside the holes" if isinstance(self.degradation, Hole) else where
        measures = synthrad_like(low, high, unit)
        return Judgement(
            protocol=f"restoration from {self.degradation} at {'x'.join(map(str, self.matrix))}, "
            f"clipped to {low:g} to {high:g} {unit}{where}",
            unit=unit,
            window=self.window,
            range=self.window,
            metrics=(*measures, RMSE(unit)) if unit == "HU" else (*measures, RMSE(unit), NMSE()),
            main="psnr",
        )

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """The degraded image."""
        assert batch.given is not None
        return {"given": (self.judged(batch.given[:, 0]), self.window, self.scale.unit)}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """A new image that is degraded as it comes."""
        _, corner = self._corner(images, case)
        channels = [
            self._placed(images[name].require_finite(case), corner)
            for name in (self.channel, *self.beside)
        ]
        operator: LinearOperator = Identity(tuple(channels[0].shape))
        if isinstance(self.degradation, Hole):
            missing = self.frame.place_labels(images[MISSING].data, corner) > 0
            operator = Masking(~missing[None])
            # a hole is zero in physical units, whatever the file has there
            nothing = self.scale.to_model(torch.zeros_like(channels[0]))
            channels[0] = torch.where(missing, nothing, channels[0])
        elif isinstance(self.degradation, Downsampled):
            record = {"factor": self.degradation.factor}
            channels[0], operator = self.degradation.apply(channels[0], record)
        return self._batch(channels, operator, wanted=None, cases=(case,), records=({},)), corner

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """The restored image on the given one's grid; outside of the frame the given one stays."""
        image = images[self.channel]
        physical = self.scale.to_physical(model)
        data = self.frame.restore(physical, image, placed, float("nan"))
        data = torch.where(data.isnan(), image.data.to(data), data)
        return image.with_data(data, unit=self.scale.unit)
