"""Learn to align one image with another."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses import LocalCrossCorrelation, Loss, Losses, Smoothness
from vesalius.generative.losses.loss import given as given_images
from vesalius.generative.losses.loss import terms
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor
from vesalius.physics.deformation import exponential, warp


class Registration(Objective):
    """Deformable registration without true fields (Balakrishnan et al. 2019, VoxelMorph).

    Given are the moving image's channels and then as many of the fixed image; wanted is the fixed
    image, or whatever the warped moving image is compared with. The network sees both and returns a
    field in voxels. ``losses`` compare images, ``regularisation`` looks at the field. With
    ``squarings`` what the network returns is a velocity, and the field its flow, which does not
    fold (Dalca et al. 2018, arXiv:1805.04605).
    """

    def __init__(
        self,
        losses: tuple[Loss, ...] = (LocalCrossCorrelation(),),
        *,
        regularisation: tuple[Loss, ...] = (Smoothness(1.0, "l2"),),
        squarings: int = 0,
    ) -> None:
        self.losses = losses
        self.regularisation = regularisation
        self.squarings = squarings

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """A moving and a fixed image to a displacement field."""
        if given != 2 * wanted:
            raise InputError(
                f"a moving and a fixed image of {wanted} channels given, {2 * wanted} together",
                came=f"{given}",
                remedy="choose a task of registration",
            )
        return {"network": Interface(given, 1, per_axis=True)}

    def field(self, networks: Networks, batch: Batch) -> Tensor:
        """Displacement ``(batch, axis, *space)``, voxels, that warps moving onto fixed."""
        out: Tensor = networks["network"](given_images(batch))
        return exponential(out, squarings=self.squarings)

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """Named losses of the warped moving image and of the field."""
        field = self.field(networks, batch)
        moved = warp(_moving(batch), field)
        of_images = terms(self.losses, moved, batch)
        return Losses(of_images | terms(self.regularisation, field, batch, beside=of_images))

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The moving image, warped."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            return warp(_moving(batch), self.field(networks, batch))

        return predict


def _moving(batch: Batch) -> Tensor:
    images = given_images(batch)
    return images[:, : images.shape[1] // 2]
