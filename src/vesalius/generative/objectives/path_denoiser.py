"""How students and teachers on one Gaussian path are called and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Conditioning
from vesalius.generative.objectives.denoising import Denoising
from vesalius.generative.objectives.objective import Interface, Networks
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor

#: Predictions that say what the image is even where nearly all is noise.
StudentPrediction = Literal["velocity", "denoised", "flow"]


class PathDenoiser:
    """Reads networks that were trained by :class:`Denoising`, one as the other."""

    def __init__(
        self,
        path: GaussianPath,
        prediction: StudentPrediction,
        conditioning: Conditioning | None,
        codec: Codec | None,
    ) -> None:
        self.path = path
        self.prediction = prediction
        self.inner = Denoising(path, prediction=prediction, conditioning=conditioning, codec=codec)

    def interface(self, given: int, wanted: int) -> Interface:
        """Of student and teacher alike."""
        return self.inner.interfaces(given, wanted)["network"]

    def wanted(self, batch: Batch) -> Tensor:
        """Wanted images in the path's coordinates."""
        return self.inner.clean(batch)

    def output(
        self,
        network: nn.Module,
        x: Tensor,
        time: Tensor,
        batch: Batch,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """What ``network`` returns at the state ``x``; ``rng`` in training only."""
        return self.inner.output({"network": network}, x, time, batch, rng)

    def clean(
        self,
        network: nn.Module,
        x: Tensor,
        time: Tensor,
        batch: Batch,
        rng: torch.Generator | None = None,
    ) -> Tensor:
        """The clean image behind what ``network`` returns."""
        out = self.output(network, x, time, batch, rng)
        return self.path.denoised(self.prediction, out, x, time)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """How the student, "network", predicts clean images."""
        return self.inner.predictor(networks, batch)


def alike(rng: torch.Generator) -> Callable[[], torch.Generator]:
    """Generators that all give the same numbers: what is dropped of a condition is dropped of all.

    One number is drawn from ``rng``.
    """
    seed = int(torch.randint(2**62, (), generator=rng, device=rng.device))

    def again() -> torch.Generator:
        made = torch.Generator(device=rng.device)
        made.manual_seed(seed)
        return made

    return again


def check_teacher(arguments: Mapping[str, object], network: str, first: Recipe) -> None:
    """Raise InputError unless the recipe ``first`` makes weights that are read as the student's."""
    prediction = arguments.get("prediction", "velocity")
    known = first.objective.parameters().get("prediction")
    came = first.objective.arguments.get("prediction", known and known.default)
    path = first.path and first.path.target
    if came != prediction or not (isinstance(path, type) and issubclass(path, GaussianPath)):
        raise InputError(
            f"a start of '{network}' that predicts '{prediction}' on a Gaussian path",
            came=f"{first.name}, which predicts {came!r} on {first.path and first.path.name}",
            remedy="choose another run or recipe, or set objective.prediction",
        )
