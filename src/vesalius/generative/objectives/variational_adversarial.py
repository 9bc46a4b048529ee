"""An autoencoder that is told what is alike by a critic."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.code_grid import code_grid, cropped, reduction_of
from vesalius.generative.conditioning import Concatenation, Conditioning
from vesalius.generative.losses import Losses
from vesalius.generative.losses.kullback_leibler import kl_to_standard_normal
from vesalius.generative.losses.loss import wanted
from vesalius.generative.objectives.adversarial import (
    AdversarialKind,
    critic_features,
    generator_loss,
)
from vesalius.generative.objectives.critic_terms import critic_terms
from vesalius.generative.objectives.gaussian_code import decoded, draw_code, posterior
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class VariationalAdversarial(Objective):
    """VAE-GAN (Larsen et al. 2016, arXiv:1512.09300), its algorithm 1.

    Images are alike where a hidden layer of the critic is: -log p = |f(x) - f(x')|^2 / 2 up to a
    constant, a unit Gaussian of its features. The encoder learns KL and likeness; the decoder
    likeness and to pass for real, with reconstructions and with draws from N(0, I); the critic to
    tell real images from both, which count half each. KL and likeness are logged in nats an image
    and weighed by one over the number of features. What is given reaches encoder, decoder and
    critic as it does in ``AdversarialSynthesis``.

    Parameters
    ----------
    channels:
        Latent values at every place of the grid.
    beta:
        Weight of the KL; 1 in the paper.
    likeness:
        Weight of likeness against passing for real, for the decoder: the paper's gamma times the
        number of features.
    layer:
        Place of the hidden layer among the critic's ``features``, whose last are its logits.
    kind, r1:
        What the critic pays, as in ``AdversarialSynthesis``.
    """

    def __init__(
        self,
        *,
        channels: int = 32,
        beta: float = 1.0,
        likeness: float = 1.0,
        layer: int = -2,
        kind: AdversarialKind = "logistic",
        r1: float = 0.0,
        conditioning: Conditioning | None = None,
    ) -> None:
        if channels < 1 or beta < 0 or likeness < 0:
            raise InputError(
                "at least one channel, beta and likeness of 0 or more",
                came=f"{channels}, {beta} and {likeness}",
            )
        self.channels = channels
        self.beta = beta
        self.likeness = likeness
        self.layer = layer
        self.kind = kind
        self.r1 = r1
        self.conditioning = conditioning or Concatenation()

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Each network by itself, on its own loss."""
        return {"encoder": ("encoder",), "decoder": ("decoder",), "critic": ("critic",)}

    def drawing(self) -> tuple[str, ...]:
        """The decoder draws, the encoder finds codes."""
        return ("decoder", "encoder")

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Image to means and log variances of its code, code to image, image to logits."""
        added, condition = self.conditioning.channels(given)
        seen = given if added + condition > 0 else 0
        return {
            "encoder": Interface(wanted + added, 2 * self.channels, condition),
            "decoder": Interface(self.channels + added, wanted, condition),
            "critic": Interface(wanted, 1, condition_channels=seen),
        }

    def _condition(self, batch: Batch) -> Tensor | None:
        """What the critic is told."""
        if batch.given is None or not any(self.conditioning.channels(batch.given.shape[1])):
            return None
        return batch.given

    def _image(self, networks: Networks, code: Tensor, batch: Batch) -> Tensor:
        out = decoded(networks, "decoder", code, batch, self.conditioning)
        return cropped(out, tuple(wanted(batch).shape[2:]))

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The encoder's, the decoder's or the critic's."""
        if player == "encoder":
            return self._encoder_loss(networks, batch, rng, carry)
        if player == "decoder":
            return self._decoder_loss(networks, batch, rng, carry)
        condition = self._condition(batch)
        images = wanted(batch)

        def judge(seen: Tensor) -> Tensor:
            times = seen.shape[0] // images.shape[0]
            known = None if condition is None else torch.cat([condition] * times)
            logits: Tensor = networks["critic"](seen, condition=known)
            return logits

        drawn = torch.cat([carry["reconstructed"], carry["drawn"]])
        terms, _ = critic_terms(self.kind, judge, images, drawn, rng, r1=self.r1)
        return Losses(terms)

    def _features(self, networks: Networks, images: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
        """The hidden layer and the logits."""
        found = critic_features(networks["critic"], images, self._condition(batch))
        if not -len(found) <= self.layer < len(found):
            raise InputError(
                f"a layer of the critic's {len(found)}", came=self.layer, case="objective.layer"
            )
        return found[self.layer], found[-1]

    def _apart(self, networks: Networks, hidden: Tensor, batch: Batch) -> tuple[Tensor, float]:
        """-log p of the real images' features, in nats an image, and one over their number."""
        with torch.no_grad():
            known, _ = self._features(networks, wanted(batch), batch)
        squared = (hidden - known).square().flatten(1).sum(dim=1) / 2
        return squared.mean(), 1 / math.prod(known.shape[1:])

    def _encoder_loss(
        self,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        mean, log_variance = posterior(networks, batch, self.conditioning)
        code = draw_code(mean, log_variance, rng)
        carry["code"] = code.detach()
        hidden, _ = self._features(networks, self._image(networks, code, batch), batch)
        apart, share = self._apart(networks, hidden, batch)
        kl = kl_to_standard_normal(mean, log_variance).mean()
        return Losses({"kl": (self.beta * share, kl), "encoder_likeness": (share, apart)})

    def _decoder_loss(
        self,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        code = carry["code"]
        fresh = torch.randn(code.shape, generator=rng, device=code.device, dtype=code.dtype)
        reconstructed = self._image(networks, code, batch)
        drawn = self._image(networks, fresh, batch)
        carry["reconstructed"], carry["drawn"] = reconstructed.detach(), drawn.detach()
        hidden, logits = self._features(networks, reconstructed, batch)
        _, drawn_logits = self._features(networks, drawn, batch)
        apart, share = self._apart(networks, hidden, batch)
        return Losses(
            {
                "decoder_likeness": (self.likeness * share, apart),
                "adversarial": (0.5, generator_loss(self.kind, logits)),
                "adversarial_drawn": (0.5, generator_loss(self.kind, drawn_logits)),
            }
        )

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The image of a code, as large as its grid allows."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of codes passes them"
            return decoded(networks, "decoder", x, batch, self.conditioning)

        return predict

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The latent code's."""
        grid = code_grid(shape[2:], reduction_of(networks["decoder"]))
        return (shape[0], self.channels, *grid)

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """What was drawn without its padding."""
        return cropped(code, space)
