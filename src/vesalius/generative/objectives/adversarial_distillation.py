"""A student of one step or few, judged by a critic and by its teacher."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.adversarial import AdversarialKind, generator_loss
from vesalius.generative.objectives.critic_terms import critic_terms
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.objectives.path_denoiser import (
    PathDenoiser,
    StudentPrediction,
    alike,
    check_teacher,
)
from vesalius.generative.objectives.weighting import weighted_mean
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.required import require_path
from vesalius.generative.predictor import Predictor


class AdversarialDistillation(Objective):
    """Adversarial diffusion distillation, ADD (Sauer et al. 2023).

    The student is called once, at one of ``steps`` even times of the path from its noisy end, and
    its image is to be one that the critic takes for real (``adversarial``), and one that the frozen
    teacher, asked about the image noised again to any time, leaves as it is (``distillation``; by
    the squared difference times the signal there, the paper's exponential weights). The critic sees
    images in the path's coordinates and, as its condition, what the student is given. Draw with
    :class:`~vesalius.generative.samplers.Consistency` and ``steps`` or a divisor of it.
    """

    def __init__(
        self,
        path: GaussianPath,
        *,
        prediction: StudentPrediction = "velocity",
        steps: int = 4,
        adversarial: float = 1.0,
        distillation: float = 2.5,
        kind: AdversarialKind = "hinge",
        r1: float = 0.0,
        gradient_penalty: float = 0.0,
        conditioning: Conditioning | None = None,
        codec: Codec | None = None,
    ) -> None:
        if steps < 1:
            raise InputError("at least one step", came=steps)
        self.path = path
        self.steps = steps
        self.adversarial = adversarial
        self.distillation = distillation
        self.kind = kind
        self.r1 = r1
        self.gradient_penalty = gradient_penalty
        self.denoiser = PathDenoiser(path, prediction, conditioning, codec)

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where the path is not Gaussian."""
        require_path(recipe, GaussianPath, "AdversarialDistillation")

    @staticmethod
    def check_start(arguments: Mapping[str, object], network: str, first: Recipe) -> None:
        """Raise InputError unless ``first`` trains what teacher and student start from."""
        if network != "critic":
            check_teacher(arguments, network, first)

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The student first, so that the critic judges what it just drew."""
        return {"network": ("network",), "critic": ("critic",)}

    def frozen(self) -> tuple[str, ...]:
        """The teacher."""
        return ("teacher",)

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Student and teacher alike; a critic of images that is told what they are."""
        interface = self.denoiser.interface(given, wanted)
        return {
            "network": interface,
            "teacher": interface,
            "critic": Interface(wanted, 1, condition_channels=self._told(given)),
        }

    def _condition(self, batch: Batch) -> Tensor | None:
        """What the critic is told: the given images that the student is told of."""
        if batch.given is None or not self._told(batch.given.shape[1]):
            return None
        return batch.given

    def _told(self, given: int) -> int:
        return given if any(self.denoiser.inner.conditioning.channels(given)) else 0

    def times(self) -> Tensor:
        """Times that the student is called at, (steps,), float64."""
        return torch.linspace(1, 0, self.steps + 1, dtype=torch.float64)[:-1]

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The student's or the critic's."""
        critic, real = networks["critic"], self.denoiser.wanted(batch)
        if player == "critic":
            paid, _ = critic_terms(
                self.kind,
                lambda image: critic(image, condition=self._condition(batch)),
                real,
                carry["drawn"],
                rng,
                r1=self.r1,
                gradient_penalty=self.gradient_penalty,
            )
            return Losses(paid)
        n, path = real.shape[0], self.path
        place = torch.randint(self.steps, (n,), generator=rng, device=rng.device)
        time = self.times().to(rng.device, torch.float32)[place]
        state = path.perturb(real, time, path.draw_noise(tuple(real.shape), rng))
        again = alike(rng)
        drawn = self.denoiser.clean(networks["network"], state, time, batch, again())
        carry["drawn"] = drawn.detach()
        logits = critic(drawn, condition=self._condition(batch))
        taught = self.taught(networks, drawn.detach(), batch, rng, again())
        return Losses(
            {
                "adversarial": (self.adversarial, generator_loss(self.kind, logits)),
                "distillation": (
                    self.distillation,
                    weighted_mean((drawn - taught[0]).square(), taught[1]),
                ),
            }
        )

    @torch.no_grad()
    def taught(
        self,
        networks: Networks,
        drawn: Tensor,
        batch: Batch,
        rng: torch.Generator,
        conditioned: torch.Generator,
    ) -> tuple[Tensor, Tensor]:
        """What the teacher makes of noised draws, and its weights, (batch,)."""
        time = self.path.draw_times(drawn.shape[0], rng)
        noise = self.path.draw_noise(tuple(drawn.shape), rng)
        state = self.path.perturb(drawn, time, noise)
        image = self.denoiser.clean(networks["teacher"], state, time, batch, conditioned)
        # the signal where states are scaled to unit variance, so that all paths weigh alike
        return image, torch.cos(self.path.angle(time))

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The student's image."""
        return self.denoiser.predictor(networks, batch)
