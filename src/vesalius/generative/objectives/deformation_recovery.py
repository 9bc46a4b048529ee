"""Learn to undo deformations, so that deformed anatomy becomes plausible again."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.losses import AngleError, DistanceError, Folding, Loss, Losses, Smoothness
from vesalius.generative.losses.loss import terms, wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.paths.deformation import DeformationPath
from vesalius.generative.paths.path import expand
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor
from vesalius.physics.deformation import warp


class DeformationRecovery(Objective):
    """Diffusion over displacement fields (Zheng et al. 2024, DRDM, arXiv:2407.07295).

    The network sees a deformed image and its level, never the field, and returns a field
    ``(batch, axis, *space)``, in units of the usual size of the path's step at that level, that
    undoes the step: read where the step leads, it is to be minus the step. ``losses`` compare these
    two in that unit, ``regularisation`` looks at the predicted field in voxels. The published
    weights are 1, 1, and 10 and 20 for derivatives and folding.

    Parameters
    ----------
    image_channels:
        The first channels of wanted images, which the network sees; others (labels) are only
        warped along by the sampler.
    jitter:
        Intensities above -1 are multiplied in training by a random factor, one a case and uniform
        in 1 - ``jitter`` to 1 + ``jitter``.
    """

    def __init__(
        self,
        path: DeformationPath,
        *,
        losses: tuple[Loss, ...] = (DistanceError(), AngleError()),
        regularisation: tuple[Loss, ...] = (Smoothness(10.0, "l1"), Folding(20.0)),
        image_channels: int = 1,
        jitter: float = 0.1,
    ) -> None:
        if image_channels < 1:
            raise InputError("one image channel or more", came=image_channels)
        if not 0 <= jitter < 1:
            raise InputError("a jitter from 0 to below 1", came=jitter)
        self.path = path
        self.losses = losses
        self.regularisation = regularisation
        self.image_channels = image_channels
        self.jitter = jitter

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError unless the recipe's path is one of deformations."""
        require_path(recipe, DeformationPath, "DeformationRecovery")

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """A deformed image to a displacement field."""
        if wanted < self.image_channels:
            raise InputError(
                f"wanted images of {self.image_channels} channels or more",
                came=f"{wanted}",
                remedy="set objective.image_channels",
            )
        return {"network": Interface(self.image_channels, 1, takes_level=True, per_axis=True)}

    def field(self, networks: Networks, image: Tensor, level: Tensor) -> Tensor:
        """The network's field in voxels, ``(batch, axis, *space)``."""
        out: Tensor = networks["network"](image, level=self.path.told(level))
        return out * self.path.step_size(level, tuple(image.shape[2:])).to(out)

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """One level a case."""
        clean = wanted(batch)[:, : self.image_channels]
        level = self.path.draw_levels(clean.shape[0], rng)
        deformed = self.path.perturb(clean, level, rng)
        factor = 2 * torch.rand(clean.shape[0], generator=rng, device=rng.device) - 1
        image = (deformed.image + 1) * (1 + self.jitter * expand(factor, clean)) - 1
        field = self.field(networks, image, level)
        unit = self.path.step_size(level, tuple(clean.shape[2:])).to(field)
        found, truth = warp(field, deformed.step) / unit, Batch(wanted=-deformed.step / unit)
        errors = terms(self.losses, found, truth)
        return Losses(errors | terms(self.regularisation, field, truth, beside=errors))

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The field in voxels that undoes the step of a deformed image; time is the level."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "the sampler passes deformed images"
            assert time is not None, "and levels"
            return self.field(networks, x[:, : self.image_channels], time)

        return predict
