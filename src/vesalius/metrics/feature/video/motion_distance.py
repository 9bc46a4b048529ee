"""Sets of clips compared by how what is in them moves, after FVMD."""

from __future__ import annotations

from vesalius.metrics.feature.frechet import FrechetDistance


class FrechetMotionDistance(FrechetDistance):
    """FVMD-like: squared Fréchet distance of histograms of tracked motion, tracker named.

    Features are those of :class:`MotionHistograms`. Not FVMD itself, whose tracker is the network
    PIPs++: with another tracker the number bears its name,
    ``fvmd_like[motion_lucas_kanade]``, and compares with numbers of that name alone.

    References
    ----------
    Liu et al. 2024, arXiv:2407.16124.
    """

    name = "fvmd_like"
    citation = "after Liu et al. 2024, arXiv:2407.16124 (FVMD)"
