"""A generator that draws from styles, which codes are mapped to, against a critic."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.code_grid import cropped, given_at_places, places_of
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.adaptive_augmentation import AdaptiveAugmentation
from vesalius.generative.objectives.adversarial import generator_loss
from vesalius.generative.objectives.critic_terms import critic_terms
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.objectives.path_length import PathLength
from vesalius.generative.predictor import Predictor


def n_styles_of(generator: nn.Module) -> int:
    """Styles that a generator can be told, one for every layer.

    Raises InputError for a generator that is told none.
    """
    found = getattr(generator, "n_styles", None)
    if not isinstance(found, int):
        raise InputError(
            "a generator of styles, with an attribute 'n_styles'",
            came=type(generator).__name__,
            remedy="use StyleGenerator, or the objective AdversarialSynthesis",
        )
    return found


class StyleSynthesis(Objective):
    """StyleGAN2 (Karras et al., CVPR 2020, arXiv:1912.04958): code to style, style to image.

    Non-saturating logistic loss; R1 and path lengths in some steps only, as many times heavier
    there. What is given reaches the mapping by ``conditioning``, averaged over space, and the
    critic as its condition. Samplers draw styles: ``predict`` maps codes to styles, and
    :meth:`decode` makes images of them.

    Parameters
    ----------
    channels, features:
        Length of a code, and of a style.
    mixing:
        Part of the cases whose layers from a random one on are told the style of another code.
    r1, r1_every:
        The weight gamma of Mescheder et al. 2018, and steps of the critic for one that pays it.
    path_length:
        Regularises the generator.
    augmentation:
        Of all that the critic sees.
    """

    draws_styles = True

    def __init__(
        self,
        *,
        channels: int = 64,
        features: int = 64,
        mixing: float = 0.9,
        r1: float = 1.0,
        r1_every: int = 16,
        path_length: PathLength | None = None,
        augmentation: AdaptiveAugmentation | None = None,
        conditioning: Conditioning | None = None,
    ) -> None:
        if channels < 1 or features < 1 or r1_every < 1 or not 0 <= mixing <= 1:
            raise InputError(
                "at least one channel, one feature and one step, and a mixing from 0 to 1",
                came=f"{channels}, {features}, {r1_every} and {mixing}",
            )
        self.channels = channels
        self.features = features
        self.mixing = mixing
        self.r1 = r1
        self.r1_every = r1_every
        self.path_length = path_length
        self.augmentation = augmentation
        self.conditioning = conditioning or Concatenation()
        self._steps = {"generator": 0, "critic": 0}

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The mapping with the generator, then the critic."""
        return {"generator": ("generator", "mapping"), "critic": ("critic",)}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Code to style, style to image, image to logits; the first and the last with the given."""
        added, condition = self.conditioning.channels(given)
        seen = given if added + condition > 0 else 0
        return {
            "generator": Interface(self.features, wanted),
            "mapping": Interface(self.channels + added, self.features, condition),
            "critic": Interface(wanted, 1, condition_channels=seen),
        }

    def _judge(
        self, networks: Networks, images: Tensor, batch: Batch, rng: torch.Generator
    ) -> Tensor:
        """The critic's logits of images as it sees them."""
        condition = batch.given
        if condition is not None and not any(self.conditioning.channels(condition.shape[1])):
            condition = None
        if self.augmentation is not None:
            images, condition = self.augmentation(images, rng, condition)
        logits: Tensor = networks["critic"](images, condition=condition)
        return logits

    def _fresh_styles(self, networks: Networks, batch: Batch, rng: torch.Generator) -> Tensor:
        """The styles of fresh codes."""
        real = wanted(batch)
        shape = self.code_shape(networks, tuple(real.shape))
        code = torch.randn(shape, generator=rng, device=real.device, dtype=real.dtype)
        return self.predictor(networks, batch)(code, None)

    def mixed(self, networks: Networks, batch: Batch, rng: torch.Generator) -> Tensor:
        """Styles of fresh codes for every layer, (batch, feature, layer, 1[, 1])."""
        n_styles = n_styles_of(networks["generator"])
        styles = self._fresh_styles(networks, batch, rng)
        size, features, *ones = styles.shape
        styles = styles.expand(size, features, n_styles, *ones[1:])
        if self.mixing == 0 or n_styles == 1:
            return styles
        draw = torch.rand((2, size), generator=rng, device=styles.device, dtype=styles.dtype)
        first = 1 + (draw[0] * (n_styles - 1)).long().clamp(max=n_styles - 2)
        first = torch.where(draw[1] < self.mixing, first, n_styles)
        layer = torch.arange(n_styles, device=styles.device)
        own = (layer < first[:, None]).reshape(size, 1, n_styles, *[1] * len(ones[1:]))
        return torch.where(own, styles, self._fresh_styles(networks, batch, rng))

    def _due(self, player: str, every: int) -> bool:
        """Whether the step that begins is one of every so many."""
        return self._steps[player] % every == 0

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The generator's or the critic's."""
        space = tuple(wanted(batch).shape[2:])
        if player == "generator":
            styles = self.mixed(networks, batch, rng)
            drawn = cropped(networks["generator"](styles), space)
            carry["drawn"] = drawn.detach()
            logits = self._judge(networks, drawn, batch, rng)
            terms = {"adversarial": (1.0, generator_loss("logistic", logits))}
            if self.path_length is not None and self._due(player, self.path_length.every):
                terms["path_length"] = self._path_length(networks, batch, rng)
        else:
            due = self.r1 > 0 and self._due(player, self.r1_every)
            terms, real_logits = critic_terms(
                "logistic",
                lambda images: self._judge(networks, images, batch, rng),
                wanted(batch),
                carry["drawn"],
                rng,
                r1=self.r1 * self.r1_every if due else 0.0,
            )
            if self.augmentation is not None:
                self.augmentation.heed("logistic", real_logits)
                now = torch.tensor(self.augmentation.probability)
                terms["augmentation_probability"] = (0.0, now.to(real_logits))
        self._steps[player] += 1
        return Losses(terms)

    def _path_length(
        self, networks: Networks, batch: Batch, rng: torch.Generator
    ) -> tuple[float, Tensor]:
        """Weight and term of the path lengths of fresh images."""
        assert self.path_length is not None
        styles = self.mixed(networks, batch, rng)
        some = max(1, round(self.path_length.part * styles.shape[0]))
        space = tuple(wanted(batch).shape[2:])
        term = self.path_length(
            lambda told: cropped(networks["generator"](told), space), styles[:some], rng
        )
        return self.path_length.weight * self.path_length.every, term

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The style of a code."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of codes passes them"
            told = given_at_places(batch, networks["generator"])
            inside, condition = self.conditioning.arrange(x, told)
            style: Tensor = networks["mapping"](inside, condition=condition)
            return style

        return predict

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """One vector a case."""
        return (shape[0], self.channels, *places_of(networks["generator"], shape[2:]))

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """The image of a style."""
        return cropped(networks["generator"](code), space)

    def state(self) -> dict[str, Tensor]:
        """Steps taken, the mean path length and the probability of augmentation."""
        found = {f"steps_{name}": torch.tensor(steps) for name, steps in self._steps.items()}
        for part in (self.path_length, self.augmentation):
            found |= {} if part is None else part.state()
        return found

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        self._steps = {name: int(state[f"steps_{name}"]) for name in self._steps}
        for part in (self.path_length, self.augmentation):
            if part is not None:
                part.restore(state)
