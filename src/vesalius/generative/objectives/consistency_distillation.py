"""Consistency learnt from a teacher."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.recipe import Recipe
from vesalius.generative.codecs import Codec
from vesalius.generative.conditioning import Conditioning
from vesalius.generative.objectives.adjacent_levels import Emphasis
from vesalius.generative.objectives.consistency import Consistency
from vesalius.generative.objectives.objective import Interface, Networks
from vesalius.generative.objectives.path_denoiser import StudentPrediction, check_teacher
from vesalius.generative.objectives.probability_flow import Solver, flow_step
from vesalius.generative.paths.gaussian import GaussianPath


class ConsistencyDistillation(Consistency):
    """Neighbouring states are a teacher's step of the probability flow apart (Song et al. 2023).

    ``"teacher"`` is a trained denoiser, and the student starts from its weights.
    """

    def __init__(
        self,
        path: GaussianPath,
        *,
        prediction: StudentPrediction = "velocity",
        solver: Solver = "heun",
        start_steps: int = 18,
        end_steps: int = 18,
        smallest: float = 0.004,
        emphasis: Emphasis = "even",
        huber: float = 0.00054,
        conditioning: Conditioning | None = None,
        codec: Codec | None = None,
    ) -> None:
        super().__init__(
            path,
            prediction=prediction,
            start_steps=start_steps,
            end_steps=end_steps,
            smallest=smallest,
            emphasis=emphasis,
            huber=huber,
            conditioning=conditioning,
            codec=codec,
        )
        self.solver = solver

    @staticmethod
    def check_start(arguments: Mapping[str, object], network: str, first: Recipe) -> None:
        """Raise InputError unless ``first`` trains a teacher."""
        check_teacher(arguments, network, first)

    def frozen(self) -> tuple[str, ...]:
        """The teacher."""
        return ("teacher",)

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Student and teacher alike."""
        interface = self.denoiser.interface(given, wanted)
        return {"network": interface, "teacher": interface}

    def below(
        self,
        networks: Networks,
        batch: Batch,
        states: tuple[Tensor, Tensor, Tensor, Tensor],
        again: Callable[[], torch.Generator],
    ) -> Tensor:
        """One step of the teacher."""
        clean, noise, above, below = states
        denoise = self._denoise(networks["teacher"], batch, again)
        x = self.path.perturb(clean, above, noise)
        return flow_step(denoise, self.path, x, above, below, self.solver)
