"""How likely an image is under what a decoder says of it, in nats."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from vesalius.core.errors import InputError

#: Standard deviation or scale, in model units, below which no learnt one falls.
LEAST_SCALE = 0.01


@dataclass(frozen=True)
class Likelihood:
    """Voxels that are independent given what the decoder returns.

    Parameters
    ----------
    kind:
        ``"gaussian"`` or ``"laplace"`` about the decoded image, or ``"bernoulli"``: the decoder
        returns logits, and grey values from -1 to 1 count as chances of white from 0 to 1. That is
        a probability of binary images only; of others it is minus their cross-entropy.
    scale:
        Standard deviation of ``"gaussian"``, mean absolute deviation of ``"laplace"``, in model
        units. None: learnt for every voxel, from a second set of channels that hold its logarithm;
        it does not fall below 0.01.
    """

    kind: Literal["gaussian", "laplace", "bernoulli"] = "gaussian"
    scale: float | None = 0.1

    def __post_init__(self) -> None:
        if self.scale is not None and not self.scale > 0:
            raise InputError("a scale above zero, or none to learn it", came=self.scale)

    def channels(self, wanted: int) -> int:
        """Channels that the decoder returns for images of ``wanted`` channels."""
        learnt = self.kind != "bernoulli" and self.scale is None
        return 2 * wanted if learnt else wanted

    def image(self, decoded: Tensor, wanted: int) -> Tensor:
        """The expected image (batch, wanted, *space), in model units."""
        first = decoded[:, :wanted]
        return (first / 2).tanh() if self.kind == "bernoulli" else first

    def log_density(self, images: Tensor, decoded: Tensor) -> Tensor:
        """Of each image, summed over its channels and voxels: (batch,), nats."""
        if self.kind == "bernoulli":
            chances = ((images + 1) / 2).clamp(0, 1)
            each = -binary_cross_entropy_with_logits(decoded, chances, reduction="none")
            return each.flatten(1).sum(dim=1)
        apart = images - decoded[:, : images.shape[1]]
        if self.scale is None:
            log_scale = decoded[:, images.shape[1] :].clamp_min(math.log(LEAST_SCALE))
        else:
            log_scale = apart.new_tensor(math.log(self.scale))
        apart = apart * (-log_scale).exp()
        if self.kind == "gaussian":
            each = -apart.square() / 2 - log_scale - math.log(2 * math.pi) / 2
        else:
            each = -apart.abs() - log_scale - math.log(2)
        return each.flatten(1).sum(dim=1)
