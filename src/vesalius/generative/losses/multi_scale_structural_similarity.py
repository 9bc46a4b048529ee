"""One minus multi-scale structural similarity."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.metrics.pixel.ms_ssim import WANG_2003
from vesalius.metrics.pixel.structural_similarity import check_fits, similarity_maps
from vesalius.metrics.pixel.window import GaussianWindow

SMALLEST = 1e-6  # a power of a similarity at zero or below has no gradient


@dataclass(frozen=True)
class MultiScaleStructuralSimilarity(Loss):
    """1 - MS-SSIM, from 0 for equal images to 1; no unit.

    Wang et al. 2003, doi:10.1109/ACSSC.2003.1292216: contrast and structure at every scale, finest
    first, luminance at the coarsest, each to the power of its entry of ``weights``. A scale
    halves by means of blocks. ``size`` to ``data_range`` as for StructuralSimilarity. An image
    needs ``size * 2 ** (scales - 1)`` voxels along every axis: 176 in Wang's settings; fewer
    weights and a smaller window suit smaller images.
    """

    weight: float = 1.0
    size: int = 11
    sigma: float = 1.5
    low: float = -1.0
    data_range: float = 2.0
    weights: tuple[float, ...] = WANG_2003

    def __post_init__(self) -> None:
        GaussianWindow(self.sigma, self.size)
        if not self.data_range > 0:
            raise InputError("a data_range above zero", came=self.data_range)
        if not self.weights or min(self.weights) <= 0:
            raise InputError("a weight above zero for every scale", came=self.weights)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 1. Raises InputError for images too small for the scales."""
        truth = reference(predicted, batch) - self.low
        drawn = predicted - self.low
        needed = self.size * 2 ** (len(self.weights) - 1)
        check_fits(truth.shape[2:], needed, "use fewer weights or a smaller window")
        pool = functional.avg_pool2d if truth.ndim == 4 else functional.avg_pool3d
        ranges = truth.new_full((len(truth),), self.data_range)
        value = torch.ones_like(ranges)
        for scale, weight in enumerate(self.weights):
            if scale:
                drawn, truth = pool(drawn, 2), pool(truth, 2)
            luminance, similarity = similarity_maps(
                drawn,
                truth,
                ranges,
                GaussianWindow(self.sigma, self.size),
                tuple(range(2, truth.ndim)),
            )
            if scale == len(self.weights) - 1:
                similarity = luminance * similarity
            value = value * similarity.flatten(1).mean(dim=1).clamp(min=SMALLEST) ** weight
        return 1 - value.mean()
