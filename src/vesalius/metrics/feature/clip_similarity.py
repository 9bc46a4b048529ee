"""CLIP similarity: the cosine between an image and the text it was drawn from."""

from __future__ import annotations

from torch import Tensor

from vesalius.metrics.feature.image_text import ImageTextMetric


class CLIPSimilarity(ImageTextMetric):
    """The cosine of image and text vectors of a pair of encoders trained with contrast.

    From -1 to 1. Its size depends on the encoders: read it beside that of real images with their
    own texts, and with the texts of others. CLIPScore is 2.5 times it, where it is above 0.

    References
    ----------
    Radford et al. 2021, arXiv:2103.00020; Hessel et al. 2021, arXiv:2104.08718.
    """

    name = "clip_similarity"
    citation = "Radford et al. 2021, arXiv:2103.00020; Hessel et al. 2021, arXiv:2104.08718"

    def of_cosine(self, cosine: Tensor) -> Tensor:
        """The cosine itself."""
        return cosine
