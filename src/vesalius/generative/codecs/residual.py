"""What the given image lacks."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.codecs.codec import Codec


@dataclass(frozen=True)
class Residual(Codec):
    """(wanted - given) / ``scale``: a path over the residual starts from a good estimate.

    Where given already resembles wanted (a least-squares image, an interpolation), the network need
    not learn to copy it (Whang et al. 2022, stochastic refinement; here the estimate is classical).
    ``scale`` is about the residual's standard deviation over ``data_std`` of the path.
    """

    scale: float = 0.1

    def _given(self, image: Tensor, batch: Batch) -> Tensor:
        if batch.given is None or batch.given.shape != image.shape:
            came = "none" if batch.given is None else f"shape {tuple(batch.given.shape)}"
            raise InputError(f"a given image like the wanted, {tuple(image.shape)}", came=came)
        return batch.given

    def encode(self, wanted: Tensor, batch: Batch) -> Tensor:
        """Image to scaled residual."""
        return (wanted - self._given(wanted, batch)) / self.scale

    def decode(self, code: Tensor, batch: Batch) -> Tensor:
        """Scaled residual to image."""
        return self._given(code, batch) + self.scale * code
