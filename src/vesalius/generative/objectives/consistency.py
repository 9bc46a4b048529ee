"""One call from any state to the beginning of its path."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from vesalius.core.batch import Batch
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.adjacent_levels import AdjacentLevels, Emphasis
from vesalius.generative.objectives.objective import Networks, Objective
from vesalius.generative.objectives.path_denoiser import (
    PathDenoiser,
    StudentPrediction,
    alike,
)
from vesalius.generative.objectives.weighting import weighted_mean
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.path import expand
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor

#: What a network makes of a state and its times, and of the batch it knows.
Denoise = Callable[[Tensor, Tensor], Tensor]


class Consistency(Objective):
    """A network whose images agree along every line of the probability flow.

    The consistency function f(x, t) is a step of DDIM with the network's clean image from t down
    to the smallest level: on the rotation that all Gaussian paths share, at angles a and b there,
    f = cos(a - b) x - sin(a - b) data_std v for the velocity v. So f(x, smallest) = x whatever the
    network returns, which is the boundary condition (Song et al. 2023, section 3: skip and output
    scalings), and a network that was trained to denoise is a good start. f at one time is drawn to
    f at the time below it, without gradients and with the same dropout (Song & Dhariwal 2024: no
    moving average in the target), in pseudo-Huber distance sqrt(d^2 + ``huber``^2) - ``huber`` of
    the root mean square d of an image.
    """

    def __init__(
        self,
        path: GaussianPath,
        *,
        prediction: StudentPrediction = "velocity",
        start_steps: int = 10,
        end_steps: int = 160,
        smallest: float = 0.004,
        emphasis: Emphasis = "even",
        huber: float = 0.00054,
        conditioning: Conditioning | None = None,
        codec: Codec | None = None,
    ) -> None:
        self.path = path
        self.levels = AdjacentLevels(path, start_steps, end_steps, smallest, emphasis)
        self.huber = huber
        self.denoiser = PathDenoiser(path, prediction, conditioning, codec)

    @classmethod
    def check_recipe(cls, arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where the path is not Gaussian."""
        require_path(recipe, GaussianPath, cls.__name__)

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The student."""
        return {"network": ("network",)}

    def first_image(self, denoise: Denoise, x: Tensor, time: Tensor) -> Tensor:
        """The consistency function: an image at the smallest level, over its signal."""
        last = self.levels.last.to(x).expand(x.shape[0])
        return self.path.move(x, denoise(x, time), time, last) / expand(self.path.signal(last), x)

    @abstractmethod
    def below(
        self,
        networks: Networks,
        batch: Batch,
        states: tuple[Tensor, Tensor, Tensor, Tensor],
        again: Callable[[], torch.Generator],
    ) -> Tensor:
        """The state at the lower times.

        ``states`` are the clean images, their noise, and the times above and below; ``again``
        makes the generator for the conditioning.
        """

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """One pair of neighbouring times a case."""
        clean = self.denoiser.wanted(batch)
        steps = self.levels.steps(float(carry["done"]))
        above, below, weights = self.levels.draw(clean.shape[0], steps, rng)
        noise = self.path.draw_noise(tuple(clean.shape), rng)
        again = alike(rng)
        denoise = self._denoise(networks["network"], batch, again)
        devices = [rng.device] if rng.device.type == "cuda" else []
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            x = self.below(networks, batch, (clean, noise, above, below), again)
        with torch.no_grad(), torch.random.fork_rng(devices=devices):
            target = self.first_image(denoise, x, below)
        # the block above gave the streams of dropout back as they were
        found = self.first_image(denoise, self.path.perturb(clean, above, noise), above)
        squared = (found - target).square().flatten(1).mean(dim=1, keepdim=True)
        distance = torch.sqrt(squared + self.huber**2) - self.huber
        return Losses({"consistency": (1.0, weighted_mean(distance, weights))})

    def _denoise(
        self, network: nn.Module, batch: Batch, again: Callable[[], torch.Generator]
    ) -> Denoise:
        return lambda x, time: self.denoiser.clean(network, x, time, batch, again())

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The consistency function of the student."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a path's sampler passes states"
            assert time is not None, "and their times"
            network = networks["network"]
            return self.first_image(
                lambda state, at: self.denoiser.clean(network, state, at, batch), x, time
            )

        return predict
