"""FVD and KVD: sets of clips compared through features of whole clips."""

from __future__ import annotations

from vesalius.metrics.feature.frechet import FrechetDistance
from vesalius.metrics.feature.kernel import KernelDistance


class FrechetVideoDistance(FrechetDistance):
    """FVD: the squared Fréchet distance of clip features.

    The published number has the features of I3D trained on Kinetics-400 on 16 frames, which
    :class:`ScriptedClips` reads from the user's file. With other features it is another number and
    bears their name, ``fvd[clip_radiomics]``. Biased upwards when clips are few.

    References
    ----------
    Unterthiner et al. 2018, arXiv:1812.01717; I3D of Carreira and Zisserman 2017, arXiv:1705.07750.
    """

    name = "fvd"
    citation = "Unterthiner et al. 2018, arXiv:1812.01717"


class KernelVideoDistance(KernelDistance):
    """KVD: unbiased squared MMD of clip features with the kernel ``(x.y / d + 1)^3``.

    The kernel is KID's; with one that is not divided by the number of features d, numbers are on
    another scale.

    References
    ----------
    Unterthiner et al. 2018, arXiv:1812.01717; Binkowski et al. 2018, arXiv:1801.01401.
    """

    name = "kvd"
    citation = "Unterthiner et al. 2018, arXiv:1812.01717"
