"""A generator that draws from noise, against a critic."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.code_grid import cropped, places_of
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.adaptive_augmentation import AdaptiveAugmentation
from vesalius.generative.objectives.adversarial import AdversarialKind, generator_loss
from vesalius.generative.objectives.critic_terms import critic_terms
from vesalius.generative.objectives.gaussian_code import decoded
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


def _refuse_unlike(kind: object, augmentation: object) -> None:
    """Raise InputError for an augmentation that a critic of ``kind`` cannot steer."""
    if augmentation is not None and kind == "wasserstein":
        raise InputError(
            "a critic whose logits have a sign that means real or drawn, to steer augmentation",
            came="the kind 'wasserstein'",
            remedy="set objective.kind='logistic', or leave out objective.augmentation",
        )


class AdversarialSynthesis(Objective):
    """GAN (Goodfellow et al. 2014): images from a latent code that is drawn from N(0, I).

    The code has ``channels`` at every place of the generator's grid, which is one place where it
    makes one image of one vector (DCGAN). What is given reaches the generator by ``conditioning``,
    averaged to that grid, and the critic as its condition (a
    projection critic is Miyato & Koyama's of 2018, others see pairs); ``Unconditional`` leaves it
    out of both.

    Parameters
    ----------
    channels:
        Latent values at every place of the grid.
    kind:
        What the critic's logits cost.
    r1, gradient_penalty:
        The weights gamma of Mescheder et al. 2018 and lambda of Gulrajani et al. 2017.
    critic_steps:
        Steps of the critic for one of the generator, each against fresh draws. Each has its own
        optimiser.
    augmentation:
        Of all that the critic sees.
    """

    def __init__(
        self,
        *,
        channels: int = 64,
        kind: AdversarialKind = "logistic",
        r1: float = 0.0,
        gradient_penalty: float = 0.0,
        critic_steps: int = 1,
        augmentation: AdaptiveAugmentation | None = None,
        conditioning: Conditioning | None = None,
    ) -> None:
        if channels < 1 or critic_steps < 1:
            raise InputError(
                "at least one channel and one critic step", came=f"{channels} and {critic_steps}"
            )
        _refuse_unlike(kind, augmentation)
        self.channels = channels
        self.kind = kind
        self.r1 = r1
        self.gradient_penalty = gradient_penalty
        self.critic_steps = critic_steps
        self.augmentation = augmentation
        self.conditioning = conditioning or Concatenation()

    @staticmethod
    def check_recipe(arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where augmentation and kind do not fit."""
        _refuse_unlike(arguments.get("kind", "logistic"), arguments.get("augmentation"))

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The generator, then every step of the critic."""
        further = {f"critic_{step}": ("critic",) for step in range(2, self.critic_steps + 1)}
        return {"generator": ("generator",), "critic": ("critic",), **further}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Code to image, image to logits; each with what is given."""
        added, condition = self.conditioning.channels(given)
        seen = given if added + condition > 0 else 0
        return {
            "generator": Interface(self.channels + added, wanted, condition),
            "critic": Interface(wanted, 1, condition_channels=seen),
        }

    def _condition(self, batch: Batch) -> Tensor | None:
        """What the critic is told."""
        if batch.given is None or not any(self.conditioning.channels(batch.given.shape[1])):
            return None
        return batch.given

    def _judge(
        self, networks: Networks, images: Tensor, batch: Batch, rng: torch.Generator
    ) -> Tensor:
        """The critic's logits of images as it sees them."""
        condition = self._condition(batch)
        if self.augmentation is not None:
            images, condition = self.augmentation(images, rng, condition)
        logits: Tensor = networks["critic"](images, condition=condition)
        return logits

    def _drawn(self, networks: Networks, batch: Batch, rng: torch.Generator) -> Tensor:
        """Images from fresh codes."""
        real = wanted(batch)
        shape = self.code_shape(networks, tuple(real.shape))
        code = torch.randn(shape, generator=rng, device=real.device, dtype=real.dtype)
        return cropped(self.predictor(networks, batch)(code, None), tuple(real.shape[2:]))

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The generator's or the critic's."""
        if player == "generator":
            drawn = self._drawn(networks, batch, rng)
            carry["drawn"] = drawn.detach()
            logits = self._judge(networks, drawn, batch, rng)
            return Losses({"adversarial": (1.0, generator_loss(self.kind, logits))})
        if player == "critic":
            drawn = carry["drawn"]
        else:
            with torch.no_grad():
                drawn = self._drawn(networks, batch, rng)
        terms, real_logits = critic_terms(
            self.kind,
            lambda images: self._judge(networks, images, batch, rng),
            wanted(batch),
            drawn,
            rng,
            r1=self.r1,
            gradient_penalty=self.gradient_penalty,
        )
        if self.augmentation is not None:
            self.augmentation.heed(self.kind, real_logits)
            now = torch.tensor(self.augmentation.probability)
            terms["augmentation_probability"] = (0.0, now.to(real_logits))
        step = player.removeprefix("critic")  # terms of further steps have names of their own
        return Losses({name + step: term for name, term in terms.items()})

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The generator's image of a code, as large as its grid allows."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of codes passes them"
            return decoded(networks, "generator", x, batch, self.conditioning)

        return predict

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The latent code's."""
        return (shape[0], self.channels, *places_of(networks["generator"], shape[2:]))

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """What was drawn without its padding."""
        return cropped(code, space)

    def state(self) -> dict[str, Tensor]:
        """The probability of augmentation."""
        return {} if self.augmentation is None else self.augmentation.state()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        if self.augmentation is not None:
            self.augmentation.restore(state)
