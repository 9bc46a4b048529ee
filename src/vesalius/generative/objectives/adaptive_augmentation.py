"""Augmentation of all that a critic sees, as much as keeps it from learning images by heart."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.objectives.adversarial import AdversarialKind


class AdaptiveAugmentation:
    """ADA (Karras et al. 2020, arXiv:2006.06676): for GANs on few images.

    Each change below befalls each image with the same probability, real and drawn alike, and lets
    gradients through. While the critic is sure of more real images than ``target`` says (the mean
    sign of its logits, section 3.1), the probability rises, else it falls: by one over
    ``pace_images`` for every image seen. It is kept in :meth:`state`.

    Parameters
    ----------
    target:
        Mean sign of the logits of real images, from -1 to 1; 0.6 in the paper.
    pace_images:
        Images after which the probability could have gone from 0 to 1; 500 000 in the paper.
    limit:
        The largest probability: with always changed images the generator draws changed ones.
    flip_axes:
        Axes of space that may be mirrored, counted from 0; each half of the time it is chosen. None
        by default: sides mean something in a body.
    translation:
        The largest shift, as a part of the size; by whole voxels, borders mirrored.
    brightness:
        Standard deviation of what is added, in model units.
    contrast:
        Standard deviation of the binary logarithm of the factor of the distance from zero.
    cutout:
        Side of the box that is set to zero, as a part of the size.
    """

    def __init__(
        self,
        *,
        target: float = 0.6,
        pace_images: int = 500_000,
        limit: float = 0.8,
        flip_axes: tuple[int, ...] = (),
        translation: float = 0.125,
        brightness: float = 0.2,
        contrast: float = 0.5,
        cutout: float = 0.5,
    ) -> None:
        if not -1 < target < 1 or not 0 < limit <= 1 or pace_images < 1:
            raise InputError(
                "a target within -1 and 1, a limit above 0 and up to 1, and a pace of 1 or more",
                came=f"{target}, {limit} and {pace_images}",
            )
        self.target = target
        self.pace_images = pace_images
        self.limit = limit
        self.flip_axes = flip_axes
        self.translation = translation
        self.brightness = brightness
        self.contrast = contrast
        self.cutout = cutout
        self.probability = 0.0

    def heed(self, kind: AdversarialKind, real: Tensor) -> None:
        """Move the probability by what the critic's logits of real images show."""
        undecided = 0.5 if kind == "least-squares" else 0.0
        sure = float(
            (real.detach().reshape(real.shape[0], -1).mean(dim=1) - undecided).sign().mean()
        )
        step = real.shape[0] / self.pace_images
        moved = self.probability + (step if sure > self.target else -step)
        self.probability = min(max(moved, 0.0), self.limit)

    def __call__(
        self, images: Tensor, rng: torch.Generator, beside: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Changed ``images`` (batch, channel, *space) in model units, and what lies beside them.

        ``beside`` (batch, channel, *space) is moved as the images are, and keeps its values.
        """
        if self.probability == 0:
            return images, beside
        channels = images.shape[1]
        together = images if beside is None else torch.cat([images, beside], dim=1)
        for axis in range(images.ndim - 2):
            together = self._moved(together, axis, rng)
        images, beside = together[:, :channels], None if beside is None else together[:, channels:]
        factor = torch.exp2(self.contrast * self._normal(images, rng))
        images = images * torch.where(self._chosen(images, rng), factor, 1.0)
        shift = self.brightness * self._normal(images, rng)
        images = images + torch.where(self._chosen(images, rng), shift, 0.0)
        return torch.where(self._box(images, rng), 0.0, images), beside

    def _uniform(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """One number a case, that broadcasts."""
        shape = (images.shape[0], *[1] * (images.ndim - 1))
        return torch.rand(shape, generator=rng, device=images.device, dtype=images.dtype)

    def _normal(self, images: Tensor, rng: torch.Generator) -> Tensor:
        shape = (images.shape[0], *[1] * (images.ndim - 1))
        return torch.randn(shape, generator=rng, device=images.device, dtype=images.dtype)

    def _chosen(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return self._uniform(images, rng) < self.probability

    def _moved(self, images: Tensor, axis: int, rng: torch.Generator) -> Tensor:
        """Mirrored and shifted along one axis of space."""
        size = images.shape[axis + 2]
        line = [1] * images.ndim
        line[axis + 2] = size
        place = torch.arange(size, device=images.device).view(line)
        if axis in self.flip_axes:
            mirrored = self._chosen(images, rng) & (self._uniform(images, rng) < 0.5)
            place = torch.where(mirrored, size - 1 - place, place)
        reach = int(self.translation * size)
        if reach > 0:
            steps = (self._uniform(images, rng) * (2 * reach + 1)).floor().clamp(max=2 * reach)
            steps = torch.where(self._chosen(images, rng), steps - reach, 0.0).long()
            place = (place + steps).abs()
            place = torch.where(place >= size, 2 * (size - 1) - place, place)
        return images.gather(axis + 2, place.expand(images.shape))

    def _box(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """True inside one box a chosen case, whose middle lies anywhere."""
        inside = self._chosen(images, rng)
        for axis in range(2, images.ndim):
            line = [1] * images.ndim
            line[axis] = images.shape[axis]
            middles = torch.arange(images.shape[axis], device=images.device).view(line) + 0.5
            centre = self._uniform(images, rng) * images.shape[axis]
            inside = inside & ((middles - centre).abs() < self.cutout * images.shape[axis] / 2)
        return inside

    def state(self) -> dict[str, Tensor]:
        """The probability."""
        return {"augmentation_probability": torch.tensor(self.probability, dtype=torch.float64)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        self.probability = float(state["augmentation_probability"])
