"""MedCLIP-score: CLIPScore's statistic with encoders that know medicine."""

from __future__ import annotations

from torch import Tensor

from vesalius.metrics.feature.image_text import ImageTextMetric


class MedCLIPScore(ImageTextMetric):
    """100 times the cosine of image and text vectors of MedCLIP, where it is above 0.

    From 0 to 100. With other encoders it is no MedCLIP-score: take :class:`CLIPSimilarity`. That
    the published numbers are of this statistic is inferred; papers do not write it down.

    References
    ----------
    Wang et al. 2022, arXiv:2210.10163 (the encoders); Hessel et al. 2021, arXiv:2104.08718.
    """

    name = "medclip_score"
    citation = "Wang et al. 2022, arXiv:2210.10163; after Hessel et al. 2021, arXiv:2104.08718"

    def of_cosine(self, cosine: Tensor) -> Tensor:
        """A hundred times what is above 0."""
        return 100 * cosine.clamp_min(0)
