"""A generator whose image moves as far for every style: path length regularisation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from vesalius.core.errors import InputError


def path_lengths(images: Tensor, styles: Tensor, rng: torch.Generator) -> Tensor:
    """How far the images move along a random direction of image space, (batch,).

    ``styles`` (batch, feature, *places) require a gradient, ``images`` (batch, channel, *space)
    are made of them. With y from N(0, I) over the number of voxels, this is the length of J^T y at
    every place, the root of the mean square over places; itself differentiable.
    """
    voxels = math.prod(images.shape[2:])
    noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
    seen = (images * noise / math.sqrt(voxels)).sum()
    (slope,) = torch.autograd.grad(seen, styles, create_graph=True)
    return slope.square().sum(1).flatten(1).mean(1).clamp_min(1e-12).sqrt()


class PathLength:
    """The variance of path lengths around their running mean.

    Karras et al., Analyzing and improving the image quality of StyleGAN, CVPR 2020,
    arXiv:1912.04958, equation 4 and appendix B. The mean is kept in :meth:`state`. It begins with
    the first lengths that are seen instead of zero, as a short training needs.

    Parameters
    ----------
    weight:
        Of the term, 2 in the paper.
    decay:
        How much of the running mean every new batch replaces once there have been many.
    every:
        Steps of the generator for one that is regularised; the term counts so many times more.
    part:
        Of a batch, for which fresh images are made: the paper's half.
    """

    def __init__(
        self, *, weight: float = 2.0, decay: float = 0.01, every: int = 8, part: float = 0.5
    ) -> None:
        if weight < 0 or not 0 < decay <= 1 or every < 1 or not 0 < part <= 1:
            raise InputError(
                "a weight of 0 or more, a decay and a part from 0 to 1, every 1 step or more",
                came=f"{weight}, {decay}, {part} and {every}",
                case="PathLength",
            )
        self.weight = weight
        self.decay = decay
        self.every = every
        self.part = part
        self._mean = torch.zeros((), dtype=torch.float64)
        self._seen = torch.zeros((), dtype=torch.int64)

    def __call__(
        self, draw: Callable[[Tensor], Tensor], styles: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Mean square difference from the running mean, which is moved first.

        ``draw`` makes images of ``styles`` (batch, feature, *places).
        """
        lengths = path_lengths(draw(styles), styles, rng)
        self._seen = self._seen + 1
        # a young mean is the plain mean of all it has seen
        part = max(self.decay, 1 / int(self._seen))
        self._mean = torch.lerp(self._mean, lengths.detach().mean().double().cpu(), part)
        return (lengths - self._mean.to(lengths)).square().mean()

    @property
    def mean(self) -> float:
        """The running mean."""
        return float(self._mean)

    def state(self) -> dict[str, Tensor]:
        """The running mean, and how many batches it has seen."""
        return {"path_length_mean": self._mean, "path_lengths_seen": self._seen}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take it back."""
        self._mean = state["path_length_mean"].cpu()
        self._seen = state["path_lengths_seen"].cpu()
