"""Learn a path back to clean latents of an autoencoder that stands still."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.generative.code_grid import code_grid, cropped, given_on_grid, reduction_of
from vesalius.generative.conditioning import Conditioning, Unconditional
from vesalius.generative.losses import Losses
from vesalius.generative.objectives.adversarial_reconstruction import AdversarialReconstruction
from vesalius.generative.objectives.denoising import Denoising
from vesalius.generative.objectives.gaussian_code import draw_code, posterior
from vesalius.generative.objectives.likelihood import Likelihood
from vesalius.generative.objectives.objective import Interface, Networks, Objective
from vesalius.generative.objectives.quantised_autoencoder import require_codebook
from vesalius.generative.objectives.variational import Variational
from vesalius.generative.objectives.variational_adversarial import VariationalAdversarial
from vesalius.generative.objectives.weighting import Weighting
from vesalius.generative.paths.path import Path, Prediction
from vesalius.generative.predictor import Predictor

#: Which distribution the autoencoder's latents are held to: a normal one, or a codebook's vectors.
LatentKind = Literal["kl", "vq"]


def latents_of(first: Recipe) -> LatentKind | None:
    """The kind of latents that the recipe ``first`` trains an autoencoder of, if it does."""
    trained = first.objective.target
    if not isinstance(trained, type):
        return None
    if issubclass(trained, AdversarialReconstruction):
        kind: LatentKind = first.objective.arguments.get("latents", "vq")
        return kind
    return "kl" if issubclass(trained, Variational | VariationalAdversarial) else None


class LatentDenoising(Objective):
    """Latent diffusion (Rombach et al. 2022, arXiv:2112.10752): :class:`Denoising` of latents.

    The autoencoder stands still; ``starts`` take its networks from the run of another recipe. It
    makes ``features`` channels at every place of a grid. With ``kind`` "kl" latents are drawn from
    the encoder's Gaussian, and the network "scale" holds them at unit size. With "vq" they are
    those before quantisation, mapped to [-1, 1] by the least and greatest number in the codebook,
    and they are quantised when decoded (Khader et al. 2023, arXiv:2211.03364). What is given
    reaches the network by ``conditioning``: images averaged to the grid, vectors as they are.

    Networks: ``network`` learns; ``encoder`` and ``decoder`` with an attribute ``reduction``, and
    ``scale`` (a ``LatentScale``) or ``codebook`` stand still. ``prediction``, ``distance``,
    ``weighting`` and ``snr_limit`` are those of :class:`Denoising`.
    """

    def __init__(
        self,
        path: Path,
        *,
        kind: LatentKind = "kl",
        features: int = 4,
        prediction: Prediction = "velocity",
        distance: Literal["l1", "l2"] = "l2",
        weighting: Weighting = "uniform",
        snr_limit: float = 5.0,
        conditioning: Conditioning | None = None,
    ) -> None:
        if features < 1:
            raise InputError("at least one feature", came=features)
        self.kind = kind
        self.features = features
        self.denoising = Denoising(
            path,
            prediction=prediction,
            distance=distance,
            weighting=weighting,
            snr_limit=snr_limit,
            conditioning=conditioning,
        )

    @classmethod
    def check_recipe(cls, arguments: Mapping[str, object], recipe: Recipe) -> None:
        """Raise InputError where path, codec, codebook or starts do not fit."""
        Denoising.check_recipe(arguments, recipe)
        path = recipe.path and recipe.path.target
        if getattr(path, "to_given", False):
            raise InputError(
                "a path that starts in noise, for latents",
                came=recipe.path and recipe.path.name,
                remedy="condition on what is given instead",
            )
        kind = arguments.get("kind", "kl")
        needed = {"encoder", "decoder", *(("codebook",) if kind == "vq" else ())}
        missing = sorted(needed - set(recipe.starts))
        if missing:
            raise InputError(
                "an autoencoder that is trained already",
                came=f"no start of {', '.join(missing)}",
                remedy="name a run or a recipe in starts",
            )
        require_codebook(cls, arguments, recipe)

    @staticmethod
    def check_start(arguments: Mapping[str, object], network: str, first: Recipe) -> None:
        """Raise InputError unless the recipe ``first`` trains an autoencoder of the same kind."""
        if network not in ("encoder", "decoder", "codebook"):
            return
        kind = arguments.get("kind", "kl")
        if latents_of(first) != kind:
            raise InputError(
                f"a start of '{network}' from an autoencoder of '{kind}' latents",
                came=f"{first.name}, which is {first.objective.name}",
                remedy="choose another run or recipe, or set objective.kind",
            )
        if first.objective.target is AdversarialReconstruction:
            return
        told = first.objective.arguments.get("conditioning", first.conditioning)
        if not (isinstance(told, Call) and told.target is Unconditional):
            raise InputError(
                f"a start of '{network}' that sees images alone",
                came=f"{first.name}, whose conditioning is {told.name if told else 'the default'}",
                remedy="set objective.conditioning to Unconditional there",
            )
        likelihood = first.objective.arguments.get("likelihood")
        built = likelihood.build() if isinstance(likelihood, Call) else Likelihood()
        if built.kind == "bernoulli" or built.channels(1) != 1:
            raise InputError(
                f"a start of '{network}' that decodes images",
                came=f"{first.name}, which decodes {built.kind} with scale {built.scale}",
                remedy="set a gaussian or laplace likelihood of a fixed scale there",
            )

    def players(self) -> Mapping[str, tuple[str, ...]]:
        """Those of :class:`Denoising`."""
        return self.denoising.players()

    def _still(self) -> tuple[str, ...]:
        """The autoencoder's networks; the encoder does not draw."""
        return ("encoder", "decoder", "codebook" if self.kind == "vq" else "scale")

    def frozen(self) -> tuple[str, ...]:
        """The autoencoder, what scales its latents, and what reads the condition standing still."""
        return (*self._still(), *self.denoising.frozen())

    def drawing(self) -> tuple[str, ...]:
        """All but the encoder."""
        return (*self.denoising.drawing(), *self._still()[1:])

    def interfaces(self, given: int, wanted: int) -> Mapping[str, Interface]:
        """State and given to a prediction of latents; image to latents and back."""
        features = self.features
        gaussian = self.kind == "kl"
        return {
            **self.denoising.interfaces(given, features),
            "encoder": Interface(wanted, 2 * features if gaussian else features),
            "decoder": Interface(features, wanted),
            "scale" if gaussian else "codebook": Interface(features, features),
        }

    def latents(
        self, networks: Networks, batch: Batch, rng: torch.Generator, *, observe: bool = False
    ) -> Tensor:
        """Scaled latents (batch, features, *grid) of the wanted images.

        With ``observe`` the scale of "kl" may still learn from them.
        """
        with torch.no_grad():
            if self.kind == "kl":
                mean, log_variance = posterior(networks, batch, Unconditional())
                latent = draw_code(mean, log_variance, rng)
                if observe:
                    networks["scale"].observe(latent)  # type: ignore[operator]
                scaled: Tensor = networks["scale"](latent)
                return scaled
            images = batch.wanted
            assert images is not None, "training has wanted images"
            low, high = self._range(networks)
            encoded: Tensor = networks["encoder"](images)
            return 2 * (encoded - low) / (high - low) - 1

    def images(self, networks: Networks, latents: Tensor, space: tuple[int, ...]) -> Tensor:
        """Images (batch, channel, *space) of scaled latents."""
        if self.kind == "kl":
            latents = networks["scale"].invert(latents)  # type: ignore[operator]
        else:
            low, high = self._range(networks)
            latents = networks["codebook"]((latents + 1) / 2 * (high - low) + low)[0]
        return cropped(networks["decoder"](latents), space)

    @staticmethod
    def _range(networks: Networks) -> tuple[Tensor, Tensor]:
        """The least and the greatest number in the codebook."""
        vectors = networks["codebook"].vectors
        assert isinstance(vectors, Tensor), "a codebook's"
        return vectors.min(), vectors.max()

    @staticmethod
    def _on_grid(networks: Networks, batch: Batch) -> Batch:
        """``batch`` as the denoiser sees it: given images on the grid."""
        if batch.given is None or batch.given.ndim < 4:
            return batch
        return given_on_grid(batch, reduction_of(networks["decoder"]))

    def loss(
        self,
        player: str,
        networks: Networks,
        batch: Batch,
        rng: torch.Generator,
        carry: dict[str, Tensor],
    ) -> Losses:
        """That of :class:`Denoising` on latents."""
        latents = self.latents(networks, batch, rng, observe=True)
        told = replace(self._on_grid(networks, batch), wanted=latents)
        return self.denoising.loss(player, networks, told, rng, carry)

    def predictor(self, networks: Networks, batch: Batch) -> Predictor:
        """The clean latents."""
        return self.denoising.predictor(networks, self._on_grid(networks, batch))

    def code_shape(self, networks: Networks, shape: tuple[int, ...]) -> tuple[int, ...]:
        """That of latents."""
        return (shape[0], self.features, *code_grid(shape[2:], reduction_of(networks["decoder"])))

    def decode(
        self, networks: Networks, code: Tensor, batch: Batch, space: tuple[int, ...]
    ) -> Tensor:
        """The decoder's image of what was drawn."""
        return self.images(networks, code, space)
