"""One minus structural similarity."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.generative.losses.loss import Loss, reference
from vesalius.metrics.pixel.structural_similarity import check_fits, similarity_maps
from vesalius.metrics.pixel.window import GaussianWindow


@dataclass(frozen=True)
class StructuralSimilarity(Loss):
    """1 - mean SSIM, from 0 for equal images to 2; no unit.

    Wang et al. 2004, doi:10.1109/TIP.2003.819861, with a Gaussian window of ``size`` taps. Model
    units are counted from ``low``, because SSIM needs a zero that means nothing is there;
    ``data_range`` is that of model units, 2 for [-1, 1]. Nothing is clipped. Windows lie inside the
    image. For a volume the window spans three axes.
    """

    weight: float = 1.0
    size: int = 11
    sigma: float = 1.5
    low: float = -1.0
    data_range: float = 2.0

    def __post_init__(self) -> None:
        GaussianWindow(self.sigma, self.size)
        if not self.data_range > 0:
            raise InputError("a data_range above zero", came=self.data_range)

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar from 0 to 2. Raises InputError for images smaller than the window."""
        truth = reference(predicted, batch)
        check_fits(truth.shape[2:], self.size, "use a smaller window")
        luminance, similarity = similarity_maps(
            predicted - self.low,
            truth - self.low,
            truth.new_full((len(truth),), self.data_range),
            GaussianWindow(self.sigma, self.size),
            tuple(range(2, truth.ndim)),
        )
        return 1 - (luminance * similarity).mean()
