"""An autoencoder whose reconstructions must pass for real."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.code_grid import code_grid, cropped, reduction_of
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.losses import L1, Loss, Losses
from vesalius.generative.losses.kullback_leibler import kl_to_standard_normal
from vesalius.generative.losses.loss import terms, wanted
from vesalius.generative.objectives.adversarial import (
    AdversarialKind,
    critic_features,
    critic_loss,
    generator_loss,
)
from vesalius.generative.objectives.gaussian_code import draw_code, posterior
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.objectives.quantised_autoencoder import (
    quantised_reconstruction,
    require_codebook,
)
from vesalius.generative.predictor import Predictor


class AdversarialReconstruction(Objective):
    """VQGAN (Esser et al. 2021, arXiv:2012.09841), or with "kl" the autoencoder of Rombach 2022.

    Encoder and decoder learn by ``losses`` of the reconstruction, by what the code costs, and from
    ``begin`` of the budget on by critics: of the whole image, and with ``slices`` of as many slices
    of every volume (Khader et al. 2023, arXiv:2211.03364), drawn anew each step across the axis of
    space ``axis``. What is given is not seen. Alone it draws images whose codes are independent: of
    "kl" N(0, I), of "vq" tokens as frequent as they were in training.

    Parameters
    ----------
    losses, slice_losses:
        Of the reconstruction; of its drawn slices.
    latents:
        ``"vq"``: vectors of a codebook. ``"kl"``: a Gaussian, drawn from in training.
    features, codes:
        Channels at every place of the grid; vectors of the codebook.
    commitment, beta:
        Weight of the features' distance to their vectors; of the KL in nats an image, over the
        number of values in an image.
    kind, adversarial, matching:
        What logits cost, their weight, and that of the L1 distance of the critics' features (Wang
        et al. 2018), which needs critics with a method ``features``.
    begin:
        Part of the budget after which critics play.
    """

    def __init__(
        self,
        losses: tuple[Loss, ...] = (L1(),),
        *,
        slice_losses: tuple[Loss, ...] = (),
        latents: Literal["kl", "vq"] = "vq",
        features: int = 8,
        codes: int = 256,
        commitment: float = 0.25,
        beta: float = 1e-2,
        kind: AdversarialKind = "hinge",
        adversarial: float = 1.0,
        matching: float = 0.0,
        begin: float = 0.25,
        slices: int = 0,
        axis: Literal[0, 1, 2] = 0,
    ) -> None:
        if not 0 <= begin < 1:
            raise InputError("critics that begin within the budget, from 0 to below 1", came=begin)
        if slices < 0 or (slice_losses and not slices):
            raise InputError("slices of every volume for losses of slices", came=slices)
        self.losses = losses
        self.slice_losses = slice_losses
        self.latents = latents
        self.features = features
        self.codes = codes
        self.commitment = commitment
        self.beta = beta
        self.kind = kind
        self.adversarial = adversarial
        self.matching = matching
        self.begin = begin
        self.slices = slices
        self.axis = axis

    @classmethod
    def check_recipe(cls, arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where a codebook or the critic of slices does not fit."""
        require_codebook(cls, arguments, recipe)
        critic = recipe.networks.get("slice_critic")
        if critic is not None and critic.arguments.get("dims") != 2:
            raise InputError(
                "a critic of slices in two dimensions",
                came=critic.arguments.get("dims", "as many as the task has"),
                remedy="set networks.slice_critic.dims=2",
            )

    def _critics(self) -> tuple[str, ...]:
        return ("critic", "slice_critic") if self.slices else ("critic",)

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """The autoencoder first, so that the critics judge what it just drew."""
        return {"autoencoder": ("encoder", "decoder"), "critics": self._critics()}

    def frozen(self) -> tuple[str, ...]:
        """The codebook, which learns by itself."""
        return ("codebook",) if self.latents == "vq" else ()

    def drawing(self) -> tuple[str, ...]:
        """The autoencoder: the encoder is there for recipes that start from it."""
        return ("decoder", "encoder", *self.frozen())

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Image to features and back; image to logits."""
        features, gaussian = self.features, self.latents == "kl"
        found = {
            "encoder": Interface(wanted, 2 * features if gaussian else features),
            "decoder": Interface(features, wanted),
            **{name: Interface(wanted, 1) for name in self._critics()},
        }
        return found if gaussian else {**found, "codebook": Interface(features, features)}

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The autoencoder's or the critics', which rest at first."""
        judged = float(carry["done"]) >= self.begin
        image = wanted(batch)
        if player == "critics":
            return self._critics_loss(networks, image, carry) if judged else Losses({})
        drawn, code = self._reconstruction(networks, batch, rng)
        carry["drawn"] = drawn.detach()
        found = terms(self.losses, drawn, batch) | code
        pairs = {"": (drawn, image)}
        if self.slices:
            carry["places"] = self._places(image, rng)
            pairs["slice_"] = (self._sliced(drawn, carry), self._sliced(image, carry))
            drawn_slices, real_slices = pairs["slice_"]
            named = terms(self.slice_losses, drawn_slices, Batch(wanted=real_slices))
            found |= {f"slice_{name}": term for name, term in named.items()}
        if judged:
            for mark, (seen, real) in pairs.items():
                passing = self._passing(networks[f"{mark}critic"], seen, real)
                found |= {f"{mark}{name}": term for name, term in passing.items()}
        return Losses(found)

    def _reconstruction(
        self, networks: Networks, batch: Batch, rng: torch.Generator
    ) -> tuple[Tensor, dict[str, tuple[float, Tensor]]]:
        image = wanted(batch)
        if self.latents == "vq":
            return quantised_reconstruction(networks, image, self.commitment, rng)
        mean, log_variance = posterior(networks, batch, Unconditional())
        code = draw_code(mean, log_variance, rng)
        weight = self.beta / math.prod(image.shape[1:])
        kl = kl_to_standard_normal(mean, log_variance).mean()
        return cropped(networks["decoder"](code), tuple(image.shape[2:])), {"kl": (weight, kl)}

    def _passing(
        self, critic: nn.Module, drawn: Tensor, real: Tensor
    ) -> dict[str, tuple[float, Tensor]]:
        """What the autoencoder pays for what a critic sees."""
        if self.matching == 0:
            cost = generator_loss(self.kind, critic(drawn))
            return {"adversarial": (self.adversarial, cost)}
        *hidden, logits = critic_features(critic, drawn)
        with torch.no_grad():
            *known, _ = critic_features(critic, real)
        apart = [l1_loss(a, b) for a, b in zip(hidden, known, strict=True)]
        return {
            "adversarial": (self.adversarial, generator_loss(self.kind, logits)),
            "matching": (self.matching, torch.stack(apart).mean()),
        }

    def _critics_loss(self, networks: Networks, image: Tensor, carry: dict[str, Tensor]) -> Losses:
        drawn, critic = carry["drawn"], networks["critic"]
        found = {"critic": (1.0, critic_loss(self.kind, critic(image), critic(drawn)))}
        if self.slices:
            critic = networks["slice_critic"]
            real, drawn = critic(self._sliced(image, carry)), critic(self._sliced(drawn, carry))
            found["slice_critic"] = (1.0, critic_loss(self.kind, real, drawn))
        return Losses(found)

    def _places(self, volumes: Tensor, rng: torch.Generator) -> Tensor:
        """Where slices lie, (batch, slices)."""
        if volumes.ndim != 5:
            raise InputError(
                "volumes, for a critic of their slices",
                came=f"images of {volumes.ndim - 2} axes of space",
                remedy="set objective.slices=0 and leave out networks.slice_critic",
            )
        n = volumes.shape[2 + self.axis]
        return torch.randint(n, (volumes.shape[0], self.slices), generator=rng, device=rng.device)

    def _sliced(self, volumes: Tensor, carry: dict[str, Tensor]) -> Tensor:
        """The slices at ``places`` of each volume, (batch * slices, channel, *plane)."""
        stacked = volumes.movedim(2 + self.axis, 1)
        case = torch.arange(volumes.shape[0], device=volumes.device)[:, None]
        return stacked[case, carry["places"]].flatten(0, 1)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The image of a code, as large as its grid allows."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of codes passes them"
            vectors = x
            if self.latents == "vq":
                tokens = self._tokens(networks["codebook"], x[:, 0])
                vectors = networks["codebook"].look_up(tokens)  # type: ignore[operator]
            out: Tensor = networks["decoder"](vectors)
            return out

        return predict

    @staticmethod
    def _tokens(codebook: nn.Module, normal: Tensor) -> Tensor:
        """Tokens as frequent as they were, from standard normal numbers (batch, *grid)."""
        counts = codebook.counts
        assert isinstance(counts, Tensor), "a codebook's"
        below = torch.cumsum(counts.double(), 0) / counts.double().sum()
        share = torch.special.ndtr(normal.double())
        return torch.searchsorted(below, share).clamp_max(counts.shape[0] - 1)

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A normal number a token, or the latents'."""
        channels = 1 if self.latents == "vq" else self.features
        return (shape[0], channels, *code_grid(shape[2:], reduction_of(networks["decoder"])))

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """What was drawn without its padding."""
        return cropped(code, space)
