"""The judges that need no truth but the images: pairs, sets of features, copies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.judge import Features, Judge, of_sets, paired
from vesalius.metrics.clinical import TissueAgreement
from vesalius.metrics.feature import (
    CopiedShare,
    CopyThreshold,
    Coverage,
    Density,
    DuplicateShare,
    EnergyDistance,
    FrechetDistance,
    FrechetRadiomicsDistance,
    KernelDistance,
    MaximumMeanDiscrepancy,
    MeanPairwiseDistance,
    PixelFeatures,
    Precision,
    RadiomicFeatures,
    Recall,
    RobustScale,
    VendiScore,
    nearest,
)
from vesalius.metrics.metric import CaseMetric, Extractor, SetMetric
from vesalius.metrics.pixel import pixel_metrics

#: Of features on a robust scale, whose Fréchet distance is the radiomic one.
RADIOMIC: tuple[SetMetric, ...] = (
    FrechetRadiomicsDistance(standardise=False),
    EnergyDistance(),
    MaximumMeanDiscrepancy(),
    Precision(),
    Recall(),
    Density(),
    Coverage(),
    VendiScore(),
    MeanPairwiseDistance(),
)
#: Share of real images that may be called copies, or twins.
ALLOWED = 0.01
#: Of features of a network.
NETWORK: tuple[SetMetric, ...] = (
    FrechetDistance(),
    KernelDistance(),
    Precision(),
    Recall(),
    Density(),
    Coverage(),
    VendiScore(),
    MeanPairwiseDistance(),
)


def paired_judges(metrics: Sequence[CaseMetric]) -> tuple[Judge, ...]:
    """One a metric; they need a cohort with a reference."""
    return tuple(paired(metric) for metric in metrics)


def set_judges(
    extractor: Extractor, training: Cohort, real: Cohort, metrics: Sequence[SetMetric]
) -> tuple[Judge, ...]:
    """Set metrics on the extractor's features, against ``real`` patients, and two of copies.

    ``training`` images are those that the generator learnt from: copies are looked for among
    them, and radiomic features are brought to their scale.
    """
    rows = Features(extractor).rows(training)
    features = Features(extractor)
    if isinstance(extractor, RadiomicFeatures):
        features = Features(extractor, RobustScale.fit(rows))
    of_training, of_real = features.scale(rows), features.rows(real)
    threshold = CopyThreshold.calibrated(of_real, of_training, allowed_share=ALLOWED)
    twins = DuplicateShare(_twin_distance(of_real))
    name, against = extractor.name, f"{len(real)} real images"
    return (
        *(of_sets(metric, features, of_real, f"{name}, {against}") for metric in metrics),
        of_sets(
            CopiedShare(threshold),
            features,
            of_training,
            f"{name}, {len(training)} training images",
        ),
        of_sets(twins, features, of_real, f"{name}, threshold from {against}"),
    )


def _twin_distance(real: Tensor) -> float:
    """Below which no more than ALLOWED of the real images have their nearest other one."""
    found = nearest(real, real, within=True).distance
    return float(torch.quantile(found, ALLOWED, interpolation="lower"))


def standard_judges(
    training: Cohort,
    real: Cohort,
    limits: tuple[float, float],
    *,
    unit: str = "1",
    extractors: Sequence[Extractor] = (),
) -> tuple[Judge, ...]:
    """What can be asked of any images of the range ``limits`` (low, high) in ``unit``.

    Pairs against a reference, radiomics, copies, agreement of intensity classes; and the features
    of further ``extractors``. ``training`` are the images that a generator learnt from, ``real``
    those of other patients; neither may be in the cohort that is corrupted.
    """
    dims: Literal[2, 3] = 2 if training.images.ndim == 4 else 3
    radiomics = RadiomicFeatures(limits, dimensions=dims)
    return (
        *paired_judges(pixel_metrics(limits, unit, voxels=min(training.images.shape[2:]))),
        *set_judges(radiomics, training, real, RADIOMIC),
        *(
            judge
            for extractor in extractors
            for judge in set_judges(extractor, training, real, NETWORK)
        ),
        *set_judges(PixelFeatures(limits), training, real, ()),
        paired(TissueAgreement()),
    )
