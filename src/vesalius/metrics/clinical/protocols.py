"""What segmenters and classifiers are measured by, for any label map and any set of classes."""

from __future__ import annotations

from vesalius.metrics.clinical.accuracy import Accuracy
from vesalius.metrics.clinical.auc import AUC
from vesalius.metrics.clinical.calibration_error import CalibrationError
from vesalius.metrics.clinical.dice import Dice
from vesalius.metrics.clinical.hd95 import HD95
from vesalius.metrics.clinical.of_labels import MeanOverLabels, OfLabel
from vesalius.metrics.clinical.sensitivity import Sensitivity
from vesalius.metrics.clinical.specificity import Specificity
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.metrics.metric import CaseMetric


def segmentation_measures(
    classes: tuple[str, ...], spacing_mm: tuple[float, ...]
) -> tuple[CaseMetric, ...]:
    """Mean Dice and mean HD95 over classes, then both of each class, named after it.

    ``classes`` are the labels from one on.
    """
    dice = tuple(Dice(k, name) for k, name in enumerate(classes, start=1))
    hd95 = tuple(HD95(k, name, spacing_mm) for k, name in enumerate(classes, start=1))
    means = (MeanOverLabels(dice), MeanOverLabels(hd95))
    return (*means, *map(OfLabel, dice), *map(OfLabel, hd95))


def classification_measures(n_classes: int) -> tuple[TableMetric, ...]:
    """AUC, accuracy and calibration error; of two classes also sensitivity and specificity.

    For two classes, all are of the probability of the last one, called at 0.5.
    """
    called = (Sensitivity(), Specificity()) if n_classes == 2 else ()
    return (AUC(), Accuracy(), *called, CalibrationError())
