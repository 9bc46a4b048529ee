"""What drawn images are worth: a network learns from them and is tested on real patients."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.files import read_arrays, write_arrays
from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.data.split import SplitRule
from vesalius.evaluation.class_table import compared_tables
from vesalius.evaluation.classification_study import ClassificationStudy
from vesalius.evaluation.judge import with_holm
from vesalius.evaluation.mean_over_seeds import MeanOverSeeds
from vesalius.evaluation.segmentation_study import SegmentationStudy
from vesalius.evaluation.statistics import paired_test, summarise
from vesalius.evaluation.study import Study
from vesalius.evaluation.tested import adjusted, against
from vesalius.generative.system import System
from vesalius.tasks.arm import Arm, ArmTask
from vesalius.tasks.described_synthesis import DescribedSynthesis
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Task
from vesalius.tasks.variants import Variants
from vesalius.training.fit import Engine, Loop

STUDIES: dict[type[Task], type[Study]] = {
    MaskSynthesis: SegmentationStudy,
    Variants: SegmentationStudy,
    LabelSynthesis: ClassificationStudy,
    DescribedSynthesis: ClassificationStudy,
}


@dataclass(frozen=True)
class StudyArm:
    """Training images of one arm: their kind, the fraction of real patients, who drew the rest.

    ``augment`` and ``real_share`` are those of :class:`~vesalius.tasks.arm.ArmTask`.
    """

    name: str
    kind: Arm
    fraction: float
    drawn: str | None = None
    augment: bool = True
    real_share: float = 0.5


def study_arms(
    fractions: tuple[float, ...], drawn: dict[str, str], controls: Collection[str] = ()
) -> tuple[StudyArm, ...]:
    """Real, real and drawn, and drawn alone (TSTR), for each fraction and each drawer.

    ``controls`` are those of :class:`~vesalius.tasks.task.Downstream`.

    ``drawn`` maps a drawer's name to its folder of drawn training cases; the last one is the
    baseline, whose drawings are tried alone only. Arms of drawn images alone do not depend on the
    fraction: they are there once.
    """
    arms: list[StudyArm] = []
    for fraction in fractions:
        percent = f"{100 * fraction:g} %"
        arms.append(StudyArm(f"{percent} real", "real", fraction))
        if "plain" in controls:
            arms.append(StudyArm(f"{percent} real, not augmented", "real", fraction, augment=False))
        if "balanced" in controls:
            arms.append(StudyArm(f"{percent} real, oversampled", "balanced", fraction))
        for drawer, folder in list(drawn.items())[:-1]:
            arms.append(StudyArm(f"{percent} real + {drawer}", "both", fraction, folder))
            if "double" in controls:
                name = f"{percent} real + 2 x {drawer}"
                arms.append(StudyArm(name, "both", fraction, folder, real_share=1 / 3))
    for drawer, folder in drawn.items():
        arms.append(StudyArm(f"{drawer} alone", "synthetic", 1.0, folder))
    return tuple(arms)


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

    Values are means over seeds (and classes of a segmentation): of each test case's scores, and of
    the metrics of the whole test set. Tests are paired by patient: arms with drawn images, and
    controls, against real images alone at the same fraction; drawn alone against the baseline's
    drawings alone.
    Intervals are over patients: that other seeds would train other networks is not in them.
    """
    task: Task = task_call.build()
    settings = task.judgement.downstream
    kind = STUDIES.get(type(task))
    if settings is None or kind is None:
        raise InputError("a task with a downstream study", came=task.name)
    study = kind()
    arms = study_arms(settings.fractions, drawn, settings.controls)
    scores: dict[str, dict[str, NDArray[Any]]] = {}
    for number, arm in enumerate(arms):
        by_seed = []
        for seed in range(settings.seeds):
            done, total = number * settings.seeds + seed, len(arms) * settings.seeds
            watch(f"{arm.name}, seed {seed}", done, total)
            call = arm_task(study, task_call, arm)
            place = folder / arm.name.replace(" ", "-").replace("%", "percent") / f"seed-{seed}"
            found = _fit_and_test(study, call, seed, settings.steps, place, engine, stop)
            if found is None:
                return []
            by_seed.append(found)
        scores[arm.name] = {
            name: np.stack([found[name] for found in by_seed]) for name in by_seed[0]
        }
    patients = [case.patient for case in task.split["test"]]
    context = replace(context, protocol=f"{context.protocol}; a {study.trained} trained per arm")
    return [
        *_case_records(study, arms, scores, patients, context, list(drawn)),
        *_table_records(study, arms, scores, patients, context, list(drawn)),
    ]


def arm_task(study: Study, task_call: Call, arm: StudyArm) -> Call:
    """The task that an arm of a study learns, for the synthesis task ``task_call``."""
    return Call(
        study.task,
        name=f"{study.trained}-from-{arm.kind}",
        phase="diagnosis",
        question=f"What does a {study.trained} learn from these images?",
        base=task_call,
        source=task_call.arguments["source"],
        rule=task_call.arguments.get("rule", Call(SplitRule)),
        arm=arm.kind,
        fraction=arm.fraction,
        drawn=arm.drawn,
        augment=arm.augment,
        real_share=arm.real_share,
    )


def _fit_and_test(
    study: Study,
    call: Call,
    seed: int,
    steps: int,
    place: Path,
    engine: Engine | None,
    stop: Callable[[], bool],
) -> dict[str, NDArray[Any]] | None:
    scores_file = place / "scores.npz"
    if scores_file.is_file():
        return read_arrays(scores_file)
    recipe = study.recipe(call, steps)
    task: ArmTask = call.build()
    fitted = Loop(recipe, task, place, seed, engine or Engine(), stop=stop).run()
    if fitted.stopped:
        return None
    system = System.build(recipe, task.shape, seed).with_networks(fitted.networks)
    found = study.test(system, task)
    write_arrays(scores_file, **found)
    return found


def _case_records(
    study: Study,
    arms: tuple[StudyArm, ...],
    scores: dict[str, dict[str, NDArray[Any]]],
    patients: list[str],
    context: Record,
    drawers: list[str],
) -> list[Record]:
    records: list[Record] = []
    for score in study.scores:
        for arm in arms:
            values = scores[arm.name][score.name].mean(axis=0)
            rng = numpy_stream(context.seed, "downstream", arm.name, score.name)
            summary = summarise(values, patients, rng)
            record = replace(
                context,
                metric=score.name,
                level="clinical",
                unit=score.unit,
                direction=score.direction,
                value=summary.value,
                low=summary.low,
                high=summary.high,
                n=summary.n_patients,
                group=arm.name,
            )
            control_arm = _control(arm, drawers)
            if control_arm is not None:
                control = scores[control_arm][score.name].mean(axis=0)
                test = paired_test(values, control, patients, score.direction)
                record = replace(
                    record,
                    baseline=control_arm,
                    baseline_value=float(np.nanmean(control)),
                    p_value=test.p_value,
                )
            records.append(record)
    return with_holm(records)


def _table_records(
    study: Study,
    arms: tuple[StudyArm, ...],
    scores: dict[str, dict[str, NDArray[Any]]],
    patients: list[str],
    context: Record,
    drawers: list[str],
) -> list[Record]:
    tables = {arm.name: study.tables(scores[arm.name]) for arm in arms}
    records: list[Record] = []
    for name, (metric, _, labels) in tables[arms[0].name].items():
        found = compared_tables(
            MeanOverSeeds(metric),
            {arm: torch.from_numpy(of_arm[name][1].T) for arm, of_arm in tables.items()},
            torch.from_numpy(labels),
            patients,
            numpy_stream(context.seed, "downstream", name),
        )
        for arm in arms:
            interval = found.intervals[arm.name]
            record = replace(
                context,
                metric=name,
                level="clinical",
                unit=metric.unit,
                direction=metric.direction,
                value=interval.value,
                low=interval.low,
                high=interval.high,
                n=len(set(patients)),
                group=arm.name,
            )
            control = _control(arm, drawers)
            if control is not None:
                record = against(record, found, arm.name, control)
            records.append(record)
    return adjusted(records)


def _control(arm: StudyArm, drawers: list[str]) -> str | None:
    if arm.kind in ("both", "balanced") or not arm.augment:
        return f"{100 * arm.fraction:g} % real"
    if arm.kind == "synthetic" and arm.name != f"{drawers[-1]} alone":
        return f"{drawers[-1]} alone"
    return None


def draw_baseline(task: Task, name: str, folder: Path) -> None:
    """The baseline's drawings of the training cases, as the drawer ``name``."""
    study = task.judgement.downstream
    assert study is not None, "only for tasks with a downstream study"
    for case in task.split["train"][: study.cases]:
        path = folder / f"{case.identifier}.npz"
        if not path.is_file():
            image = task.baselines(task.test_case(case))[name]
            write_arrays(path, draws=image.to(torch.float32).numpy())
