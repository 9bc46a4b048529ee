"""Readers that learnt a class from real images: of a disease, or of left and right."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.judge import Judge, Measure, column_mean
from vesalius.metrics.clinical.auc import AUC
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.metrics.feature import PixelFeatures
from vesalius.tasks.logistic_regression import LogisticRegression

Rows = NDArray[np.float64]


class _Linear:
    """Logistic regression on pixels, z-scored by the training images."""

    def __init__(
        self,
        images: Tensor,
        labels: NDArray[np.int64],
        patients: NDArray[np.int64],
        limits: tuple[float, float],
    ) -> None:
        self.pixels = PixelFeatures(limits, size=min(32, *images.shape[2:]))
        rows = self.pixels.features(images).numpy()
        self.mean, self.deviation = rows.mean(axis=0), rows.std(axis=0) + 1e-3 * rows.std()
        # the penalty is chosen on a quarter of the patients
        self.model = LogisticRegression.fit_chosen(
            self._scaled(rows), labels, int(labels.max()) + 1, patients % 4 == 0
        )

    def chances(self, images: Tensor) -> Rows:
        """``(n, class)``."""
        return self.model.chances(self._scaled(self.pixels.features(images).numpy()))

    def _scaled(self, rows: Rows) -> Rows:
        return np.asarray((rows - self.mean) / self.deviation)


class ClassReadings(Measure):
    """Chance of the true class, whether it is called, chance of class 1, and the class itself."""

    needs = ("label",)

    def __init__(self, training: Cohort, limits: tuple[float, float]) -> None:
        if training.label is None:
            raise InputError("a cohort with 'label'", case="training of a classifier")
        labels = training.label.numpy()
        self.linear = _Linear(training.images, labels, training.patient_numbers(), limits)

    def rows(self, cohort: Cohort) -> Tensor:
        """``(n, 4)``."""
        assert cohort.label is not None
        chances = torch.from_numpy(self.linear.chances(cohort.images))
        true = chances.gather(1, cohort.label[:, None])
        right = (chances.argmax(dim=1) == cohort.label).double()
        columns = [true, right[:, None], chances[:, 1:2], cohort.label[:, None].double()]
        return torch.cat(columns, dim=1)

    def judges(self, of: str) -> tuple[Judge, ...]:
        """True-class chance, accuracy, AUC of class 1, and the share called class 1."""

        def of_table(metric: TableMetric) -> Judge:
            return Judge(
                metric.name,
                "clinical",
                metric.direction,
                metric.unit,
                self,
                lambda rows: metric.value(rows[:, 2], (rows[:, 3] == 1).long()),
                of,
            )

        return (
            Judge("true-class chance", "clinical", "up", "1", self, column_mean(0), of),
            Judge("accuracy", "clinical", "up", "1", self, column_mean(1), of),
            of_table(AUC()),
            Judge("mean chance of class 1", "clinical", "zero", "1", self, column_mean(2), of),
        )


class SideReadings(Measure):
    """The chance that an image is not mirrored, by a reader that learnt both from real images."""

    def __init__(self, training: Cohort, limits: tuple[float, float]) -> None:
        images = torch.cat([training.images, training.images.flip(-1)])
        labels = np.repeat(np.arange(2), len(training))
        self.linear = _Linear(images, labels, np.tile(training.patient_numbers(), 2), limits)

    def rows(self, cohort: Cohort) -> Tensor:
        """``(n, 1)``."""
        return torch.from_numpy(self.linear.chances(cohort.images)[:, :1])

    def judge(self, of: str) -> Judge:
        """The mean chance."""
        return Judge("left is left", "clinical", "up", "1", self, column_mean(0), of)
