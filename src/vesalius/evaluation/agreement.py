"""Whether drawn images show what was told: a classifier that learnt from real ones says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.call import Call
from vesalius.core.record import Record
from vesalius.core.rng import numpy_stream
from vesalius.data.source import Case
from vesalius.evaluation.classification_study import TESTED_AT_ONCE, ClassificationStudy
from vesalius.evaluation.downstream import StudyArm, arm_task
from vesalius.evaluation.judge import Draws
from vesalius.evaluation.statistics import paired_test, summarise
from vesalius.generative.system import System
from vesalius.tasks.classification import ClassificationFrom
from vesalius.tasks.described_synthesis import DescribedSynthesis
from vesalius.training.fit import Engine, Loop

METRIC = "agreement with what was told"


def agreement_records(
    task_call: Call,
    draws: Draws,
    folder: Path,
    context: Record,
    *,
    engine: Engine | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> list[Record]:
    """Share of test cases whose drawn image is of the class of which its case was told.

    Classifiers, as many as the downstream study has seeds, learn from all real training images and
    read the first draw of each test case, the baselines' draws, and the real images themselves,
    whose share is the best to be expected. Values are means over seeds; none where ``stop`` came.
    """
    task: DescribedSynthesis = task_call.build()
    study = ClassificationStudy()
    call = arm_task(study, task_call, StudyArm("100 % real", "real", 1.0))
    cases = task.split["test"]
    truth = torch.tensor([task.base.class_of(case) for case in cases])
    drawn = {
        context.recipe: torch.cat([draws("test", case)[:1] for case in cases]),
        **_baselines(task, cases),
        "real images": torch.cat([_wanted(task, case) for case in cases]),
    }
    shares: dict[str, list[NDArray[np.float64]]] = {name: [] for name in drawn}
    for seed in range(task.study.seeds):
        reader: ClassificationFrom = call.build()
        recipe = study.recipe(call, task.study.steps)
        fitted = Loop(recipe, reader, folder / f"seed-{seed}", seed, engine or Engine(), stop=stop)
        done = fitted.run()
        if done.stopped:
            return []
        system = System.build(recipe, reader.shape, seed).with_networks(done.networks)
        for name, images in drawn.items():
            shares[name].append(right(system.networks["network"], images, truth))
    values = {name: np.mean(found, axis=0) for name, found in shares.items()}
    return _records(values, [case.patient for case in cases], context)


def _wanted(task: DescribedSynthesis, case: Case) -> Tensor:
    wanted = task.test_case(case).wanted
    assert wanted is not None
    return wanted


def _baselines(task: DescribedSynthesis, cases: tuple[Case, ...]) -> dict[str, Tensor]:
    found = [task.baselines(task.test_case(case)) for case in cases]
    return {name: torch.cat([one[name] for one in found]) for name in found[0]}


@torch.no_grad()
def right(network: torch.nn.Module, images: Tensor, truth: Tensor) -> NDArray[np.float64]:
    """1 for each image ``(image, 1, *space)`` in model units that is read as of its class, else 0.

    Images are clipped to the scale, as they are wherever else they are judged.
    """
    network.eval()
    device = next(network.parameters()).device
    parts = torch.split(images.clamp(-1, 1), TESTED_AT_ONCE)
    read = torch.cat([network(part.to(device)).cpu() for part in parts])
    return (read.argmax(dim=1) == truth).double().numpy()


def _records(
    values: dict[str, NDArray[np.float64]], patients: list[str], context: Record
) -> list[Record]:
    names = list(values)
    control, real = names[1], float(values["real images"].mean())
    records: list[Record] = []
    for name in names:
        rng = numpy_stream(context.seed, "agreement", name)
        summary = summarise(values[name], patients, rng)
        record = replace(
            context,
            recipe=name,
            protocol=f"{context.protocol}; read by classifiers that learnt from real images",
            metric=METRIC,
            level="clinical",
            unit="1",
            direction="up",
            value=summary.value,
            low=summary.low,
            high=summary.high,
            n=summary.n_patients,
        )
        if name == context.recipe:
            test = paired_test(values[name], values[control], patients, "up")
            record = replace(
                record,
                baseline=control,
                baseline_value=float(values[control].mean()),
                p_value=test.p_value,
                note=f"paired Wilcoxon by patient; of real images {real:.3f}",
            )
        records.append(record)
    return records
