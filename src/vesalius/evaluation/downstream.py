"""What drawn images are worth: a segmenter learns from them and is tested on real patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.files import read_arrays, write_arrays
from vesalius.core.recipe import Budget, Optimiser, Recipe
from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.judge import with_holm
from vesalius.evaluation.statistics import paired_test, summarise
from vesalius.generative.objectives import Segmentation
from vesalius.generative.samplers import Direct
from vesalius.generative.system import System
from vesalius.metrics.clinical.dice import Dice
from vesalius.metrics.clinical.hd95 import HD95
from vesalius.networks.unet import UNet
from vesalius.tasks.segmentation import Arm, SegmentationFrom
from vesalius.tasks.task import Task
from vesalius.training.fit import Engine, Loop

METRICS = ("downstream dice", "downstream hd95")


@dataclass(frozen=True)
class StudyArm:
    """Training images of one arm: their kind, the fraction of real patients, who drew the rest."""

    name: str
    kind: Arm
    fraction: float
    drawn: str | None = None


def study_arms(fractions: tuple[float, ...], drawn: dict[str, str]) -> tuple[StudyArm, ...]:
    """Real, real and drawn, and drawn alone (TSTR), for each fraction and each drawer.

    ``drawn`` maps a drawer's name to its folder of drawn training cases; the last one is the baseline,
    whose drawings are tried alone only. Arms of drawn images alone do not depend on the fraction: they
    are there once.
    """
    arms: list[StudyArm] = []
    for fraction in fractions:
        percent = f"{100 * fraction:g} %"
        arms.append(StudyArm(f"{percent} real", "real", fraction))
        for drawer, folder in list(drawn.items())[:-1]:
            arms.append(StudyArm(f"{percent} real + {drawer}", "both", fraction, folder))
    for drawer, folder in drawn.items():
        arms.append(StudyArm(f"{drawer} alone", "synthetic", 1.0, folder))
    return tuple(arms)


def segmenter(task: Call, steps: int) -> Recipe:
    """The segmentation network and its training, the same for every arm."""
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


def downstream_study(
    task_call: Call,
    drawn: dict[str, str],
    folder: Path,
    context: Record,
    *,
    engine: Engine | None = None,
    watch: Callable[[str, int, int], None] = lambda arm, done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Record]:
    """Train and test every arm and seed; each goes on from where a stopped study left it.

    Values are the mean over classes and seeds a test patient. Tests are paired by patient: arms with
    drawn images against real images alone at the same fraction; drawn alone against the baseline's
    drawings alone.
    """
    task: Task = task_call.build()
    study = task.judgement.downstream
    if study is None:
        raise InputError("a task with a downstream study", came=task.name)
    arms = study_arms(study.fractions, drawn)
    scores: dict[str, dict[str, np.ndarray]] = {}
    for number, arm in enumerate(arms):
        by_seed = []
        for seed in range(study.seeds):
            watch(f"{arm.name}, seed {seed}", number * study.seeds + seed, len(arms) * study.seeds)
            found = _fit_and_test(task_call, arm, seed, study.steps, folder, engine, stop)
            if found is None:
                return []
            by_seed.append(found)
        scores[arm.name] = {
            metric: np.nanmean([found[metric] for found in by_seed], axis=0) for metric in METRICS
        }
    return _records(task, arms, scores, context, list(drawn))


def _fit_and_test(
    task_call: Call, arm: StudyArm, seed: int, steps: int, folder: Path, engine: Engine | None,
    stop: Callable[[], bool],
) -> dict[str, np.ndarray] | None:
    call = Call(
        SegmentationFrom, name="segmentation-from-" + arm.kind, phase="diagnosis",
        question="What does a segmenter learn from these images?", base=task_call,
        source=task_call.arguments["source"], rule=task_call.arguments.get("rule", Call(_rule())),
        arm=arm.kind, fraction=arm.fraction, drawn=arm.drawn,
    )
    place = folder / arm.name.replace(" ", "-").replace("%", "percent") / f"seed-{seed}"
    scores_file = place / "scores.npz"
    if scores_file.is_file():
        return read_arrays(scores_file)
    recipe = segmenter(call, steps)
    task: SegmentationFrom = call.build()
    fitted = Loop(recipe, task, place, seed, engine or Engine(), stop=stop).run()
    if fitted.stopped:
        return None
    system = System.build(recipe, task.shape, seed).with_networks(fitted.networks)
    found = test_segmenter(system, task)
    write_arrays(scores_file, **found)
    return found


def _rule() -> Any:
    from vesalius.data.split import SplitRule

    return SplitRule


def test_segmenter(system: System, task: SegmentationFrom) -> dict[str, np.ndarray]:
    """Dice and HD95 (mm), the mean over classes, a test case each."""
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for case in task.split["test"]:
        batch = task.test_case(case)
        assert batch.wanted is not None
        predicted = task.judged(system.draw(batch, task.size)[0])
        truth = batch.wanted.argmax(dim=1, keepdim=True)
        spacing = task.source.read(case)[task.needed()[0]].spacing_mm
        dice, distance = [], []
        for label, name in enumerate(task.classes, start=1):
            dice.append(float(Dice(label, name).statistic(predicted, truth)[0]))
            distance.append(float(HD95(label, name, spacing).statistic(predicted, truth)[0]))
        found[METRICS[0]].append(float(np.nanmean(dice)))
        found[METRICS[1]].append(float(np.nanmean(distance)))
    return {metric: np.asarray(values) for metric, values in found.items()}


def _records(
    task: Task, arms: tuple[StudyArm, ...], scores: dict[str, dict[str, np.ndarray]],
    context: Record, drawers: list[str],
) -> list[Record]:
    patients = [case.patient for case in task.split["test"]]
    records: list[Record] = []
    for metric, direction, unit in ((METRICS[0], "up", "1"), (METRICS[1], "down", "mm")):
        for arm in arms:
            values = scores[arm.name][metric]
            rng = numpy_stream(context.seed, "downstream", arm.name, metric)
            summary = summarise(values, patients, rng)
            record = replace(
                context, metric=metric, level="clinical", unit=unit, direction=direction,  # type: ignore[arg-type]
                value=summary.value, low=summary.low, high=summary.high, n=summary.n_patients,
                group=arm.name, protocol=f"{context.protocol}; segmenter trained per arm",
            )
            against = _control(arm, drawers)
            if against is not None:
                test = paired_test(values, scores[against][metric], patients, direction)  # type: ignore[arg-type]
                mean = float(np.nanmean(scores[against][metric]))
                record = replace(
                    record, baseline=against, baseline_value=mean, p_value=test.p_value
                )
            records.append(record)
    return with_holm(records)


def _control(arm: StudyArm, drawers: list[str]) -> str | None:
    if arm.kind == "both":
        return f"{100 * arm.fraction:g} % real"
    if arm.kind == "synthetic" and arm.name != f"{drawers[-1]} alone":
        return f"{drawers[-1]} alone"
    return None


def draw_baseline(task: Task, name: str, folder: Path) -> None:
    """The baseline's drawings of the training cases, as the drawer ``name``."""
    for case in task.split["train"]:
        path = folder / f"{case.identifier}.npz"
        if not path.is_file():
            image = task.baselines(task.test_case(case))[name]
            write_arrays(path, draws=image.to(torch.float32).numpy())
