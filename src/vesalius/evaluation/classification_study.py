"""Downstream classification."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Recipe
from vesalius.evaluation.study import CaseScore, Scores, Study
from vesalius.generative.objectives import Classification
from vesalius.generative.samplers import Direct
from vesalius.generative.system import System
from vesalius.metrics.clinical.auc import AUC
from vesalius.metrics.clinical.sensitivity import Sensitivity
from vesalius.metrics.clinical.table_metric import TableMetric
from vesalius.networks.classifier import SmallClassifier
from vesalius.tasks.arm import ArmTask
from vesalius.tasks.classification import ClassificationFrom
from vesalius.tasks.task import collate

TESTED_AT_ONCE = 64


class ClassificationStudy(Study):
    """Probability of the true class and accuracy a test case; AUC and sensitivity of the last."""

    task: ClassVar[type[ArmTask]] = ClassificationFrom
    scores: ClassVar[tuple[CaseScore, ...]] = (
        CaseScore("downstream true-class probability", "1", "up"),
        CaseScore("downstream accuracy", "1", "up"),
    )
    trained: ClassVar[str] = "classifier"

    def recipe(self, task: Call, steps: int) -> Recipe:
        """A small residual classifier."""
        return Recipe(
            name="classifier",
            summary="A small residual network trained with cross-entropy.",
            task=task,
            networks={"network": Call(SmallClassifier, width=16, levels=3, dropout=0.2)},
            objective=Call(Classification),
            sampler=Call(Direct),
            optimiser=Optimiser(rate=2e-3, weight_decay=1e-2, warmup_steps=20),
            budget=Budget(steps=steps, batch_size=32, save_every_s=30),
        )

    def test(self, system: System, task: ArmTask) -> dict[str, NDArray[Any]]:
        """Scores by name, (case,), and the last class's ``probability`` and ``truth``."""
        cases = task.split["test"]
        probability, truth = [], []
        for first in range(0, len(cases), TESTED_AT_ONCE):
            group = cases[first : first + TESTED_AT_ONCE]
            batch = collate([task.test_case(case) for case in group])
            assert batch.wanted is not None
            probability.append(system.draw(batch, task.size)[0].double().cpu().numpy())
            truth.append(batch.wanted.argmax(dim=1).cpu().numpy())
        chance, number = np.concatenate(probability), np.concatenate(truth)
        return {
            self.scores[0].name: chance[np.arange(len(number)), number],
            self.scores[1].name: (chance.argmax(axis=1) == number).astype(float),
            "probability": chance[:, -1],
            "truth": (number == chance.shape[1] - 1).astype(float),
        }

    def tables(self, found: Scores) -> dict[str, tuple[TableMetric, NDArray[Any], NDArray[Any]]]:
        """AUC of the last class, and its sensitivity at a probability of one half."""
        scores, labels = found["probability"], found["truth"][0]
        return {
            "downstream auc": (AUC(), scores, labels),
            "downstream sensitivity": (Sensitivity(), scores, labels),
        }
