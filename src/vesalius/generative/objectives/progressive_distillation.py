"""Half as many steps, and half again."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.objectives.path_denoiser import (
    PathDenoiser,
    StudentPrediction,
    alike,
    check_teacher,
)
from vesalius.generative.objectives.probability_flow import clean_behind, flow_step
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.paths.required import require_path
from vesalius.generative.paths.stratified import stratified
from vesalius.generative.predictor import Predictor


class ProgressiveDistillation(Objective):
    """A student learns to go in one step of DDIM where its teacher goes in two.

    First the student takes ``start_steps`` steps. For equal parts of the budget their number is
    halved down to ``end_steps``, and whenever it is halved the student's weights become the
    teacher's (Salimans & Ho 2022, algorithm 2; from the student itself, not its moving average).
    The times of ``end_steps`` steps are those of :class:`Ddim`, and those of twice as many have
    the middle of every step beside them. The student is compared with the clean image behind the
    teacher's two steps, in its own prediction: of the velocity, errors of the image count by one
    plus the ratio of signal to noise, as in their equation 9.
    """

    def __init__(
        self,
        path: GaussianPath,
        *,
        prediction: StudentPrediction = "velocity",
        start_steps: int = 64,
        end_steps: int = 4,
        conditioning: Conditioning | None = None,
        codec: Codec | None = None,
    ) -> None:
        halvings = 0
        while 0 < end_steps << halvings < start_steps:
            halvings += 1
        if end_steps < 1 or end_steps << halvings != start_steps:
            raise InputError(
                "start_steps that are end_steps (1 or more) doubled again and again",
                came=f"{start_steps} and {end_steps}",
            )
        self.path = path
        self.end_steps = end_steps
        self.stages = halvings + 1
        self.stage = 0
        self.denoiser = PathDenoiser(path, prediction, conditioning, codec)

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where the path is not Gaussian."""
        require_path(recipe, GaussianPath, "ProgressiveDistillation")

    @staticmethod
    def check_start(arguments: Mapping[str, object], network: str, first: Recipe) -> None:
        """Raise InputError unless ``first`` trains a teacher."""
        check_teacher(arguments, network, first)

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The student."""
        return {"network": ("network",)}

    def frozen(self) -> tuple[str, ...]:
        """The teacher."""
        return ("teacher",)

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Student and teacher alike."""
        interface = self.denoiser.interface(given, wanted)
        return {"network": interface, "teacher": interface}

    def times(self, stage: int) -> Tensor:
        """The student's falling times in a stage, those of the last included; float64."""
        times = self.path.times(self.end_steps)
        for _ in range(self.stages - 1 - stage):
            between = (times[:-1] + times[1:]) / 2
            times = torch.cat([torch.stack([times[:-1], between], dim=1).flatten(), times[-1:]])
        return times

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """One step a case."""
        self._promote(networks, float(carry["done"]))
        clean = self.denoiser.wanted(batch)
        times = self.times(self.stage).to(rng.device, torch.float32)
        n = len(times) - 1
        place = (stratified(clean.shape[0], rng) * n).long().clamp_max(n - 1)
        now, end = times[place], times[place + 1]
        noise = self.path.draw_noise(tuple(clean.shape), rng)
        x = self.path.perturb(clean, now, noise)
        again = alike(rng)
        with torch.no_grad():
            target = self.target(networks["teacher"], x, now, end, batch, again())
        out = self.denoiser.output(networks["network"], x, now, batch, again())
        return Losses({"distillation": (1.0, (out - target).square().mean())})

    def target(
        self,
        teacher: nn.Module,
        x: Tensor,
        now: Tensor,
        end: Tensor,
        batch: Batch,
        rng: torch.Generator,
    ) -> Tensor:
        """What a student returns at ``x`` that goes in one step where ``teacher`` goes in two."""
        again = alike(rng)

        def denoise(state: Tensor, time: Tensor) -> Tensor:
            return self.denoiser.clean(teacher, state, time, batch, again())

        middle = (now + end) / 2
        half = flow_step(denoise, self.path, x, now, middle, "ddim")
        ahead = flow_step(denoise, self.path, half, middle, end, "ddim")
        clean = clean_behind(self.path, x, ahead, now, end)
        noise = self.path.noise_in(x, clean, now)
        return self.path.target(self.denoiser.prediction, clean, noise, now)

    def _promote(self, networks: Networks, done: float) -> None:
        """The student becomes the teacher at the beginning of a stage."""
        stage = min(int(done * self.stages), self.stages - 1)
        if stage > self.stage:  # a budget in minutes may at first look shorter than it is
            self.stage = stage
            networks["teacher"].load_state_dict(networks["network"].state_dict())

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The student's clean image."""
        return self.denoiser.predictor(networks, batch)

    def state(self) -> dict[str, Tensor]:
        """The stage."""
        return {"stage": torch.tensor(self.stage)}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on in that stage."""
        self.stage = int(state["stage"])
