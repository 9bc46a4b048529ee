"""Downstream segmentation."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Recipe
from vesalius.evaluation.study import CaseScore, Study
from vesalius.generative.objectives import Segmentation
from vesalius.generative.samplers import Direct
from vesalius.generative.system import System
from vesalius.metrics.clinical.protocols import segmentation_measures
from vesalius.networks.unet import UNet
from vesalius.tasks.arm import ArmTask
from vesalius.tasks.segmentation import SegmentationFrom


class SegmentationStudy(Study):
    """Dice and HD95 in mm, the mean over classes, a test case each."""

    task: ClassVar[type[ArmTask]] = SegmentationFrom
    scores: ClassVar[tuple[CaseScore, ...]] = (
        CaseScore("downstream dice", "1", "up"),
        CaseScore("downstream hd95", "mm", "down"),
    )
    trained: ClassVar[str] = "segmenter"

    def recipe(self, task: Call, steps: int) -> Recipe:
        """A small U-Net on blocks of 2 voxels a side."""
        return Recipe(
            name="segmenter",
            summary="A small U-Net trained with cross-entropy and Dice.",
            task=task,
            networks={"network": Call(UNet, width=8, multipliers=(1, 2, 4), patch=2)},
            objective=Call(Segmentation),
            sampler=Call(Direct),
            optimiser=Optimiser(rate=2e-3, warmup_steps=20),
            budget=Budget(steps=steps, batch_size=4, save_every_s=30),
        )

    def test(self, system: System, task: ArmTask) -> dict[str, NDArray[Any]]:
        """Scores by name, (case,)."""
        assert isinstance(task, SegmentationFrom)
        found: dict[str, list[float]] = {score.name: [] for score in self.scores}
        for case in task.split["test"]:
            batch = task.test_case(case)
            assert batch.wanted is not None
            predicted = task.judged(system.draw(batch, task.size)[0])
            truth = batch.wanted.argmax(dim=1, keepdim=True)
            spacing_mm = task.synthesis.source.read(case)[task.synthesis.label].spacing_mm
            for metric in segmentation_measures(task.classes, spacing_mm)[: len(self.scores)]:
                found[f"downstream {metric.name}"].append(float(metric.statistic(predicted, truth)))
        return {name: np.asarray(values) for name, values in found.items()}
