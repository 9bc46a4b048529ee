"""Images filled in from what is left of them."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class MaskedAutoencoder(Objective):
    """MAE (He et al. 2022): patches are hidden, and the network is paid for those alone.

    The network sees the image with hidden patches at zero, and as its condition where they are.
    Of every image of a batch as many patches are hidden: a part of all that is drawn between
    ``least`` and ``most``, and where the task's images have holes, those first, so that holes are
    learnt as well as scattered patches. A drawn image is the given one with its holes filled: the
    task gives an image of the wanted's channels and, last, a map that is one where it is missing.

    Parameters
    ----------
    patch:
        Voxels a side of a patch; that of the network, where it has patches.
    least, most:
        Parts of the patches that are hidden; the paper's is 0.75 always.
    """

    def __init__(self, *, patch: int = 4, least: float = 0.25, most: float = 0.75) -> None:
        if patch < 1 or not 0 < least <= most < 1:
            raise InputError(
                "a patch of one voxel or more and 0 < least <= most < 1",
                came=f"patch {patch}, least {least} and most {most}",
            )
        self.patch = patch
        self.least = least
        self.most = most

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """An image and what is hidden of it, to an image."""
        if given not in (0, wanted + 1):
            raise InputError(
                "a task that gives nothing, or an image and a map of what is missing",
                came=f"{given} channels given for {wanted} wanted",
                remedy="choose an inpainting task",
            )
        return {"network": Interface(wanted, wanted, condition_channels=1)}

    def hidden(self, missing: Tensor, rng: torch.Generator) -> Tensor:
        """Voxels to hide, (batch, 1, *space), bool: missing patches, then others by lot."""
        patches = self._patches(missing).flatten(1)
        n = patches.shape[1]
        part = torch.rand((), generator=rng, device=rng.device)
        count = round(n * (self.least + (self.most - self.least) * float(part)))
        count = min(max(count, 1), n - 1)
        lots = torch.rand(patches.shape, generator=rng, device=rng.device)
        first = (lots + patches.to(lots)).topk(count, dim=1).indices
        chosen = torch.zeros_like(patches).scatter(
            1, first, torch.ones_like(first, dtype=torch.bool)
        )
        return self._voxels(chosen.view(-1, 1, *(size // self.patch for size in missing.shape[2:])))

    def _patches(self, missing: Tensor) -> Tensor:
        """Patches (batch, 1, *grid) of which anything is missing, bool."""
        for axis in range(2, missing.ndim):
            if missing.shape[axis] % self.patch:
                raise InputError(
                    f"an image size that patches of {self.patch} divide",
                    came=tuple(missing.shape[2:]),
                    remedy="set objective.patch, and that of the network",
                )
            grid = (missing.shape[axis] // self.patch, self.patch)
            shape = (*missing.shape[:axis], *grid, *missing.shape[axis + 1 :])
            missing = missing.reshape(shape).any(dim=axis + 1)
        return missing

    def _voxels(self, patches: Tensor) -> Tensor:
        for axis in range(2, patches.ndim):
            patches = patches.repeat_interleave(self.patch, axis)
        return patches

    def filled(self, networks: Networks, image: Tensor, hidden: Tensor) -> Tensor:
        """What the network says of an image of which it sees what is not hidden."""
        seen = torch.where(hidden, torch.zeros_like(image), image)
        out: Tensor = networks["network"](seen, condition=hidden.to(image))
        return out

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """Mean squared error of hidden voxels, in model units."""
        image = wanted(batch)
        if batch.given is None:
            missing = torch.zeros_like(image[:, :1], dtype=torch.bool)
        else:
            missing = batch.given[:, -1:] > 0.5
        hidden = self.hidden(missing, rng)
        error = (self.filled(networks, image, hidden) - image).square()
        # as many voxels are hidden in every case
        return Losses({"hidden": (1.0, error[hidden.expand_as(error)].mean())})

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The given image with its holes filled; what is known stays."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            if batch.given is None:
                raise InputError(
                    "images with a map of what is missing", came="a task that gives nothing"
                )
            drawn = []
            for given in batch.given:  # one by one: every case misses another number of patches
                image, missing = given[None, :-1], given[None, -1:] > 0.5
                if not bool(missing.any()):
                    drawn.append(image)
                    continue
                hidden = self._voxels(self._patches(missing))
                drawn.append(torch.where(missing, self.filled(networks, image, hidden), image))
            return torch.cat(drawn)

        return predict
