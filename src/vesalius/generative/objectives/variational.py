"""Variational autoencoders."""

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
from vesalius.generative.objectives.gaussian_code import decoded, draw_code, posterior
from vesalius.generative.objectives.likelihood import Likelihood
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.predictor import Predictor


class Variational(Objective):
    """VAE (Kingma & Welling 2014): the evidence lower bound of images, by one code a case.

    ELBO = E_q(z|x,y) log p(x|z,y) - beta KL(q(z|x,y) || N(0, I)), in nats an image: the likelihood
    is a full log density, summed over channels and voxels, and the KL is summed over the code. The
    terms ``reconstruction`` = -log p(x|z,y) and ``kl`` are logged so, as means over cases; what is
    minimised is -ELBO over the number of values in an image, so that the size of the gradient does
    not follow the size of the image. With ``beta`` 1 and no ``free_nats`` -ELBO is an upper bound
    of -log p(x|y).

    Encoder and decoder both see what is given, y, by ``conditioning`` (CVAE: Sohn et al. 2015, with
    the prior that knows nothing of y); ``Unconditional`` is the plain VAE. An encoder that reduces
    an image to one place makes a vector of ``channels`` values.

    Parameters
    ----------
    channels:
        Latent values at every place of the grid.
    beta:
        Weight of the KL (Higgins et al. 2017, beta-VAE): above 1 codes are pressed to say less,
        each value something of its own.
    warm_up:
        Part of the budget over which beta rises from zero (Bowman et al. 2016).
    free_nats:
        KL that each channel of the code may have at no cost, on average over the batch (Kingma et
        al. 2016, free bits).
    likelihood:
        Of an image given what the decoder returns; its expected image is what is drawn.
    """

    def __init__(
        self,
        *,
        channels: int = 16,
        beta: float = 1.0,
        warm_up: float = 0.0,
        free_nats: float = 0.0,
        likelihood: Likelihood | None = None,
        conditioning: Conditioning | None = None,
    ) -> None:
        if channels < 1 or beta < 0 or not 0 <= warm_up <= 1 or free_nats < 0:
            raise InputError(
                "at least one channel, beta and free_nats of 0 or more, warm_up from 0 to 1",
                came=f"{channels}, {beta}, {free_nats} and {warm_up}",
            )
        self.channels = channels
        self.beta = beta
        self.warm_up = warm_up
        self.free_nats = free_nats
        self.likelihood = likelihood or Likelihood()
        self.conditioning = conditioning or Concatenation()

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Both together."""
        return {"autoencoder": ("encoder", "decoder")}

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """Image to means and log variances of its code; code to the image's likelihood."""
        added, condition = self.conditioning.channels(given)
        return {
            "encoder": Interface(wanted + added, 2 * self.channels, condition),
            "decoder": Interface(
                self.channels + added, self.likelihood.channels(wanted), condition
            ),
        }

    def posterior(self, networks: Networks, batch: Batch) -> tuple[Tensor, Tensor]:
        """Mean and log variance (batch, channel, *grid) of the codes of the wanted images."""
        return posterior(networks, batch, self.conditioning)

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """The negative bound over the number of values in an image."""
        images = wanted(batch)
        mean, log_variance = self.posterior(networks, batch)
        code = draw_code(mean, log_variance, rng)
        out = decoded(networks, "decoder", code, batch, self.conditioning)
        out = cropped(out, tuple(images.shape[2:]))
        reconstruction = -self.likelihood.log_density(images, out).mean()
        beta = self.beta
        if self.warm_up > 0:
            beta *= min(float(carry["done"]) / self.warm_up, 1.0)
        share = 1 / math.prod(images.shape[1:])
        terms = {
            "reconstruction": (share, reconstruction),
            "kl": (beta * share, kl_to_standard_normal(mean, log_variance).mean()),
        }
        if self.free_nats > 0:
            each = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
            channel = each.flatten(2).sum(dim=2).mean(dim=0)
            # what is paid above the free part; the whole is logged
            terms["kl"] = (0.0, terms["kl"][1])
            terms["kl_paid"] = (beta * share, channel.clamp_min(self.free_nats).sum())
        return Losses(terms)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The expected image of a code, as large as its grid allows."""

        def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
            assert x is not None, "a sampler of codes passes them"
            out = decoded(networks, "decoder", x, batch, self.conditioning)
            return self.likelihood.image(out, out.shape[1] // self.likelihood.channels(1))

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
