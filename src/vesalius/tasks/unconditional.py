"""Synthesis without a condition: nothing given, an image of the population wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
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
from vesalius.tasks.augmentation import augmented
from vesalius.tasks.image_task import ImageTask
from vesalius.tasks.intensity import RELATIVE_UNIT, Scale, relative
from vesalius.tasks.principal_components import PrincipalComponents
from vesalius.tasks.task import Judgement

#: One training patient in so many is held out to choose the number of principal components.
HELD_OUT = 5
#: Values that become -1 and 1 where intensities are relative: of a thousand voxels one is brighter.
RELATIVE_INTERVAL = (0.0, 1.25)


@dataclass(frozen=True, eq=False)
class ImageSynthesis(ImageTask):
    """Images like those of the training patients.

    Nothing is given and no image is the one truth, so sets are compared: the draws, one a test
    case, with the images of the test patients. The baseline draws, too: from probabilistic
    principal components of the training images (Tipping and Bishop 1999), their number chosen by
    likelihood on training patients that were left out. Its draw for a case is always the same.
    ``relative`` divides each image by its own 99th percentile (unit "of P99"), for MR whose stored
    scales are arbitrary; ``interval``, to which they are clipped, is then in that unit, by default
    0 to 1.25.
    """

    relative: bool = False

    @property
    def shape(self) -> Shape:
        """Nothing to one image."""
        return Shape(0, 1, len(self.matrix))

    def given_images(self) -> tuple[str, ...]:
        """None."""
        return ()

    @cached_property
    def scale(self) -> Scale:
        """Of the channel."""
        if self.relative:
            return Scale(*(self.interval or RELATIVE_INTERVAL), RELATIVE_UNIT)
        return super().scale

    def prepared(self, images: Mapping[str, Image], case: str) -> dict[str, Tensor]:
        """See the base; over the image's own percentile where intensities are relative."""
        if self.relative:
            image = relative(images[self.channel], case)
            clipped = image.with_data(image.data.clamp(self.scale.low, self.scale.high))
            images = {**images, self.channel: clipped}
        return super().prepared(images, case)

    def load(self, case: Case, rng: np.random.Generator, *, augment: bool = False) -> Batch:
        """An image; the mask only places it, since drawn images have none."""
        parts = {"wanted": self._recent(case)["wanted"]}
        if augment:
            parts = augmented(
                parts, {"wanted": -1.0}, rng, flip_axis=self.flip_axis, reach=self.shift_voxels
            )
        return Batch(wanted=parts["wanted"][None], cases=(case.identifier,), records=({},))

    @cached_property
    def _components(self) -> PrincipalComponents:
        cases = self.split["train"]
        rows = np.stack([self._recent(case)["wanted"].flatten().double().numpy() for case in cases])
        patients = [derive(self.rule.seed, "components", case.patient) for case in cases]
        return PrincipalComponents.fit_chosen(rows, np.asarray(patients) % HELD_OUT == 0)

    def baselines(self, batch: Batch) -> dict[str, Tensor]:
        """Draws of principal components."""
        drawn = [
            self._components.draw(numpy_stream(self.rule.seed, "baseline", case))
            for case in batch.cases
        ]
        images = torch.from_numpy(np.stack(drawn)).float().reshape(-1, 1, *self.matrix)
        return {
            "principal components": images.to(batch.wanted) if batch.wanted is not None else images
        }

    @cached_property
    def judgement(self) -> Judgement:
        """Sets."""
        low, high = self.window
        return Judgement(
            protocol=f"sets of images at {'x'.join(map(str, self.matrix))}, one draw a test image, "
            f"over {low:g} to {high:g} {self.scale.unit}",
            unit=self.scale.unit,
            window=self.window,
            range=self.window,
            metrics=(),
            main="energy[robust radiomics]",
        )

    def shown(self, batch: Batch) -> dict[str, tuple[Tensor, tuple[float, float], str]]:
        """Nothing was given."""
        return {}

    def prepare(self, images: Mapping[str, Image], case: str) -> tuple[Batch, Any]:
        """Not offered: nothing is given."""
        raise InputError(
            "a task that is given images",
            came=f"'{self.name}', which is given nothing",
            remedy="use: vesalius sample",
        )

    def restore(self, model: Tensor, images: Mapping[str, Image], placed: Any) -> Image:
        """Not offered; see :meth:`prepare`."""
        raise InputError("a task that is given images", came=f"'{self.name}'")
