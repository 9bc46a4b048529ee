"""Learn a path back from noise: diffusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import l1_loss, mse_loss

from vesalius.core.batch import Batch
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.paths.path import GaussianPath, expand
from vesalius.generative.predictor import Predictor


class Denoising(Objective):
    """Denoising score matching on a Gaussian path.

    The network sees the state at unit variance and its level, and predicts ``prediction``: the
    path's velocity (Salimans & Ho 2022), the noise (Ho et al. 2020) or the clean image.
    ``distance`` is taken there, without further weights.
    """

    def __init__(
        self,
        path: GaussianPath,
        *,
        prediction: Literal["velocity", "noise", "denoised"] = "velocity",
        distance: Literal["l1", "l2"] = "l2",
        conditioning: Conditioning | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.path = path
        self.codec = codec
        self.prediction = prediction
        self.distance = l1_loss if distance == "l1" else mse_loss
        self.conditioning = conditioning or Concatenation()

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One."""
        return {"network": ("network",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """State and given to a prediction of the wanted."""
        added, condition = self.conditioning.channels(given)
        return {"network": Interface(wanted + added, wanted, condition, takes_level=True)}

    def _output(
        self,
        networks: Networks,
        x: Tensor,
        time: Tensor,
        batch: Batch,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        inside, condition = self.conditioning.arrange(self.path.normalised(x, time), batch, rng=rng)
        out: Tensor = networks["network"](inside, level=self.path.level(time), condition=condition)
        return out

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """One noised state a case."""
        clean, path = wanted(batch), self.path
        if self.codec is not None:
            clean = self.codec.encode(clean, batch)
        time = path.draw_times(clean.shape[0], rng)
        noise = torch.randn(clean.shape, generator=rng, device=rng.device)
        out = self._output(networks, path.perturb(clean, time, noise), time, batch, rng)
        if self.prediction == "velocity":
            target = path.velocity(clean, noise, time)
        else:
            target = noise if self.prediction == "noise" else clean
        return Losses({self.prediction: (1.0, self.distance(out, target))})

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The clean image behind the network's prediction, in the codec's coordinates."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a path's sampler passes states"
            assert time is not None, "and their times"
            out = self._output(networks, x, time, batch)
            if self.prediction == "velocity":
                return self.path.denoised(out, x, time)
            if self.prediction == "noise":
                signal = expand(self.path.signal(time), x)
                return (x - expand(self.path.noise(time), x) * out) / signal
            return out

        return predict
