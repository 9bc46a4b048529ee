"""Which style draws a given image: the way back from an image into a generator of styles."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.code_grid import cropped, places_of
from vesalius.generative.objectives.objective import Networks
from vesalius.generative.objectives.style_synthesis import StyleSynthesis, n_styles_of

#: Noise maps of fewer places along an axis are not looked at for patterns.
FEWEST_PLACES = 8


@dataclass(frozen=True, eq=False)
class Projected:
    """Styles ``(batch, feature, layer or 1, 1[, 1])``, noise of every layer, and their images."""

    styles: Tensor
    noise: tuple[Tensor, ...]
    images: Tensor


def noise_pattern(noise: Tensor) -> Tensor:
    """How much neighbours in ``noise`` (batch, 1, *space) are alike, at all scales; near 0 if not.

    The square of the mean product of neighbours along every axis, summed over axes and halvings
    (Karras et al., CVPR 2020, arXiv:1912.04958, appendix D, equation 5).
    """
    pool = functional.avg_pool2d if noise.ndim == 4 else functional.avg_pool3d
    total = noise.new_zeros(())
    while True:
        for axis in range(2, noise.ndim):
            product = (noise * noise.roll(1, axis)).flatten(1).mean(1)
            total = total + product.square().sum()
        if min(noise.shape[2:]) <= FEWEST_PLACES:
            return total
        noise = pool(noise, 2) * math.sqrt(2 ** (noise.ndim - 2))


@dataclass(frozen=True)
class LatentProjection:
    """Search for the styles and the noise whose image is nearest, voxel by voxel.

    Karras et al. 2020, appendix D, with the mean square error of voxels instead of a perceptual
    distance, as 3D-StyleGAN does (Hong et al. 2021, arXiv:2107.09700): Adam from the mean style,
    jittered ever less.

    Parameters
    ----------
    steps, rate:
        Of Adam; the rate rises over the first twentieth and falls over the last quarter.
    every_layer:
        Whether each layer gets a style of its own, which comes nearer, to images that the generator
        may never draw, too.
    noise_weight:
        What patterns in the noise cost: without it the noise would hold the image.
    jitter:
        First deviation of what is added to styles, as a part of that of the generator's styles.
    codes:
        Codes for the mean style.
    """

    steps: int = 500
    rate: float = 0.1
    every_layer: bool = False
    noise_weight: float = 10.0
    jitter: float = 0.05
    codes: int = 1000

    def __post_init__(self) -> None:
        if self.steps < 1 or self.codes < 2 or not self.rate > 0:
            raise InputError(
                "at least one step and two codes, and a rate above zero",
                came=f"{self.steps}, {self.codes} and {self.rate}",
                case="LatentProjection",
            )

    def project(
        self, objective: StyleSynthesis, networks: Networks, images: Tensor, rng: torch.Generator
    ) -> Projected:
        """Styles and noise for ``images`` (batch, channel, *space) in model units.

        For generators that are told nothing else. Networks are put into eval mode.
        """
        generator, space = networks["generator"], tuple(images.shape[2:])
        ones = places_of(generator, space)
        for network in (generator, networks["mapping"]):
            network.eval()
        with torch.no_grad():
            shape = (self.codes, objective.channels, *ones)
            code = torch.randn(shape, generator=rng, device=images.device, dtype=images.dtype)
            known = objective.predictor(networks, Batch(wanted=None))(code, None)
        mean, deviation = known.mean(0, keepdim=True), known.std(0).square().mean().sqrt()
        layers = n_styles_of(generator) if self.every_layer else 1
        styles = mean.expand(len(images), -1, layers, *ones[1:]).clone().requires_grad_()
        noise = [
            torch.randn(
                (len(images), 1, *places), generator=rng, device=images.device, dtype=images.dtype
            ).requires_grad_()
            for places in generator.noise_spaces()  # type: ignore[operator]
        ]
        leaves = [styles, *noise]
        optimiser = torch.optim.Adam(leaves, self.rate)
        for step in range(self.steps):
            done = step / self.steps
            optimiser.param_groups[0]["lr"] = self.rate * _slowed(done)
            spread = self.jitter * max(0.0, 1 - done / 0.75) ** 2
            shaken = styles + spread * deviation * torch.randn(
                styles.shape, generator=rng, device=styles.device, dtype=styles.dtype
            )
            drawn = cropped(generator(shaken, noise=noise), space)
            error = (drawn - images).square().flatten(1).mean(1).sum()
            pattern = torch.stack([noise_pattern(each) for each in noise]).sum()
            gradients = torch.autograd.grad(error + self.noise_weight * pattern, leaves)
            for leaf, gradient in zip(leaves, gradients, strict=True):
                leaf.grad = gradient
            optimiser.step()
            _normalise(noise)
        with torch.no_grad():
            nearest = cropped(generator(styles, noise=noise), space)
        return Projected(styles.detach(), tuple(each.detach() for each in noise), nearest)


def _slowed(done: float) -> float:
    """Part of the rate when ``done`` of the steps are taken."""
    falling = min(1.0, (1 - done) / 0.25)
    return min(1.0, done / 0.05 + 0.02) * (0.5 - 0.5 * math.cos(math.pi * falling))


@torch.no_grad()
def _normalise(noise: list[Tensor]) -> None:
    """Every case's noise back to mean 0 and variance 1."""
    for each in noise:
        axes = tuple(range(1, each.ndim))
        each -= each.mean(axes, keepdim=True)
        each *= each.square().mean(axes, keepdim=True).clamp_min(1e-12).rsqrt()
