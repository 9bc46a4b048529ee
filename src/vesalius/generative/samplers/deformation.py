"""Variants of an image: deformed at random, then led back to plausible anatomy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.paths.deformation import DeformationPath
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler
from vesalius.physics.deformation import compose, warp


@dataclass(frozen=True)
class DeformAndRecover(Sampler):
    """Deform the given image to ``begin_level``, then recover level by level (Zheng et al. 2024).

    Predicted fields are composed into one, and always the given image itself is warped by it, so
    that nothing blurs. Channels from ``image_channels`` on are disjoint masks of classes, one where
    a voxel is of the class and zero or less elsewhere: each voxel takes the class, or background,
    of which most was warped to it. Fewer ``steps`` than levels pass over levels evenly; none is a
    plain random deformation.
    """

    path: DeformationPath
    begin_level: int = 48
    steps: int = 48
    image_channels: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.begin_level <= self.path.levels:
            raise InputError(f"a level from 1 to {self.path.levels}", came=self.begin_level)
        if self.steps < 0:
            raise InputError("no steps or more", came=self.steps)

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError unless the recipe's path is one of deformations."""
        require_path(recipe, DeformationPath, "DeformAndRecover")

    @property
    def calls(self) -> int:
        """One a step."""
        return self.steps

    def field(self, predict: Predictor, image: Tensor, rng: torch.Generator) -> Tensor:
        """Draw the displacement ``(batch, axis, *space)``, voxels, of a variant of ``image``."""
        shape = (image.shape[0], *image.shape[2:])
        level = torch.full(shape[:1], float(self.begin_level), device=rng.device)
        field, _ = self.path.displacement(level, shape, rng)
        for k in torch.linspace(self.begin_level, 1, self.steps).round().tolist():
            field = compose(field, predict(warp(image, field), torch.full_like(level, k)))
        return field

    def sample(
        self,
        predict: Predictor,
        shape: tuple[int, ...],
        rng: torch.Generator,
        given: Tensor | None = None,
    ) -> Tensor:
        """A variant of every given image."""
        if given is None:
            raise InputError(
                "a task that gives an image like the wanted one, to deform",
                came="none",
                remedy="choose such a task",
            )
        field = self.field(predict, given[:, : self.image_channels], rng)
        image, classes = given[:, : self.image_channels], given[:, self.image_channels :]
        parts = [warp(image, field)]
        if classes.shape[1]:
            parts.append(warped_classes(classes, field))
        return torch.cat(parts, dim=1)


def warped_classes(classes: Tensor, field: Tensor) -> Tensor:
    """Disjoint masks ``(batch, class, *space)``, warped and again zero or one."""
    inside = (classes > 0).to(field.dtype)
    shares = warp(torch.cat([1 - inside.amax(dim=1, keepdim=True), inside], dim=1), field)
    most = shares.argmax(dim=1, keepdim=True)
    number = torch.arange(1, classes.shape[1] + 1, device=classes.device)
    return (most == number.view(1, -1, *[1] * (classes.ndim - 2))).to(classes.dtype)
