"""Learn a path back to clean images: diffusion, flows, bridges and cold diffusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.objectives.weighting import Weighting, level_weights, weighted_mean
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import Path, Prediction
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor


class Denoising(Objective):
    """Denoising score matching and its kin, on any path of continuous states.

    The network sees the normalised state and its level, and predicts ``prediction``: on a Gaussian
    path the rotation's velocity (Salimans & Ho 2022), the noise (Ho et al. 2020), the clean image,
    the score (Song et al. 2021) or the path's own derivative (flow matching, Lipman et al. 2023).
    ``distance`` is taken there; ``weighting`` weighs noise levels, with ``snr_limit`` for
    ``"min-snr"``.
    """

    def __init__(
        self,
        path: Path,
        *,
        prediction: Prediction = "velocity",
        distance: Literal["l1", "l2"] = "l2",
        weighting: Weighting = "uniform",
        snr_limit: float = 5.0,
        conditioning: Conditioning | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.path = path
        self.codec = codec
        self.prediction = prediction
        self.distance = distance
        self.weighting = weighting
        self.snr_limit = snr_limit
        self.conditioning = conditioning or Concatenation()

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where path and prediction do not fit."""
        kind = require_path(recipe, Path, "Denoising")
        prediction = arguments.get("prediction", "velocity")
        if prediction not in kind.kinds:
            raise InputError(
                f"a prediction that {kind.__name__} knows: {', '.join(kind.kinds)}",
                came=repr(prediction),
                remedy="set objective.prediction",
            )
        if arguments.get("weighting", "uniform") != "uniform":
            require_path(recipe, GaussianPath, "min-snr weights")

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """One, who also trains what reads the condition, unless that stands still."""
        still = self.conditioning.frozen()
        readers = (name for name in self.conditioning.readers() if name not in still)
        return {"network": ("network", *readers)}

    def frozen(self) -> tuple[str, ...]:
        """What reads the condition and stands still."""
        return self.conditioning.frozen()

    def drawing(self) -> tuple[str, ...]:
        """All."""
        return ("network", *self.conditioning.readers())

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """State and given to a prediction of the wanted."""
        added, condition = self.conditioning.channels(given)
        network = Interface(wanted + added, wanted, condition, takes_level=True)
        return {"network": network, **self.conditioning.interfaces()}

    def origin(self, batch: Batch, channels: int) -> Tensor | None:
        """Where a path leads that leads to the given image."""
        if not self.path.to_given:
            return None
        given = self.conditioning.origin(batch, channels)
        if given is None:
            raise InputError(
                f"a given image of {channels} channels, like the wanted one, for this path",
                came="none" if batch.given is None else f"{batch.given.shape[1]} channels",
                remedy="choose a task that gives one, or a path that starts in noise",
            )
        return given if self.codec is None else self.codec.encode(given, batch)

    def output(
        self,
        networks: Networks,
        x: Tensor,
        time: Tensor,
        batch: Batch,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """What the network predicts at the state ``x``; ``rng`` in training only."""
        batch = self.conditioning.read(networks, batch)
        inside, condition = self.conditioning.arrange(self.path.normalised(x, time), batch, rng=rng)
        out: Tensor = networks["network"](inside, level=self.path.level(time), condition=condition)
        return out

    def clean(self, batch: Batch) -> Tensor:
        """The wanted images in the path's coordinates."""
        clean = wanted(batch)
        return clean if self.codec is None else self.codec.encode(clean, batch)

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """One state a case."""
        clean, path = self.clean(batch), self.path
        given = self.origin(batch, clean.shape[1])
        time = path.draw_times(clean.shape[0], rng)
        noise = path.draw_noise(tuple(clean.shape), rng)
        out = self.output(networks, path.perturb(clean, time, noise, given), time, batch, rng)
        error = out - path.target(self.prediction, clean, noise, time, given)
        error = error.abs() if self.distance == "l1" else error.square()
        weights = level_weights(self.weighting, self.snr_limit, path, self.prediction, time)
        return Losses({self.prediction: (1.0, weighted_mean(error, weights))})

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The clean image behind the network's prediction, in the codec's coordinates."""
        batch = self.conditioning.read(networks, batch)

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a path's sampler passes states"
            assert time is not None, "and their times"
            out = self.output(networks, x, time, batch)
            given = self.origin(batch, x.shape[1])
            return self.path.denoised(self.prediction, out, x, time, given)

        return predict
