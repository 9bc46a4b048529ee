"""Classification as a task of its own: targets, logistic regression, new cases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call, Image, InputError
from vesalius.data.sources import MedMNIST
from vesalius.tasks.image_classification import ImageClassification
from vesalius.tasks.logistic_regression import LogisticRegression
from vesalius.tasks.task import collate


@pytest.fixture(scope="module")
def task() -> ImageClassification:
    return ImageClassification(
        name="class-of-slice",
        phase="diagnosis",
        question="?",
        source=DigitalPatients(n=24, size=(24, 24), contrasts=("t1",)),
        image="t1",
        label="over_60",
        classes=("60 or younger", "over 60"),
        matrix=(24, 24),
    )


def test_wanted_is_the_class_and_given_the_image(task: ImageClassification) -> None:
    task.check()
    assert (task.shape.given, task.shape.wanted) == (1, 2)
    for case in task.split["train"][:6]:
        batch = task.test_case(case)
        assert batch.wanted is not None
        assert batch.given is not None
        over = case.covariates["age_years"] > 60
        assert batch.wanted.tolist() == [[0.0, 1.0] if over else [1.0, 0.0]]
        truth = task.source.read(case)["t1"].data
        assert torch.allclose(task.base.scale.to_physical(batch.given)[0], truth, atol=1e-3)


def test_training_images_are_scanned_again_and_keep_their_class(task: ImageClassification) -> None:
    case = task.split["train"][0]
    plain = task.test_case(case)
    moved = [task.load(case, np.random.default_rng(seed), augment=True) for seed in range(3)]
    assert all(torch.equal(batch.wanted, plain.wanted) for batch in moved)
    assert not any(torch.equal(batch.given, plain.given) for batch in moved)


def test_the_baseline_is_logistic_regression_on_training_pixels(task: ImageClassification) -> None:
    cases = task.split["train"]
    training = collate([task.test_case(case) for case in cases])
    assert training.given is not None
    assert training.wanted is not None
    rows = training.given.flatten(1).double().numpy()
    model = LogisticRegression.fit(
        rows, training.wanted.argmax(dim=1).numpy(), 2, task.regression.penalty
    )
    batch = collate([task.test_case(case) for case in task.split["test"]])
    assert batch.given is not None
    expected = model.chances(batch.given.flatten(1).double().numpy())
    found = task.baselines(batch)["logistic regression"]
    assert found.shape == (len(task.split["test"]), 2)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


def test_a_new_image_is_prepared_as_in_training_and_a_crop_is_refused(
    task: ImageClassification,
) -> None:
    case = task.split["test"][0]
    batch, _ = task.prepare({"t1": task.source.read(case)["t1"]}, "new")
    assert batch.wanted is None
    assert torch.equal(batch.given, task.test_case(case).given)
    large = {"t1": Image(torch.rand(1, 48, 40))}
    with pytest.raises(InputError, match=r"new: expected an image of about 24 x 24 .* 30 % would"):
        task.prepare(large, "new")
    with pytest.raises(InputError, match="answers with a class"):
        task.restore(torch.zeros(2), large, None)


def test_what_was_learnt_serves_without_the_data(task: ImageClassification) -> None:
    other = ImageClassification(
        name="t",
        phase="diagnosis",
        question="?",
        source=DigitalPatients(n=1, size=(24, 24)),
        image="t1",
        label="over_60",
        classes=task.classes,
        matrix=(24, 24),
    )
    other.recall(task.learnt())
    image = {"t1": task.source.read(task.split["test"][0])["t1"]}
    assert torch.equal(other.prepare(image, "new")[0].given, task.prepare(image, "new")[0].given)


def test_chest_xrays(real: Callable[[str], Path]) -> None:
    source = Call(MedMNIST, path=str(real("pneumoniamnist")))
    found: ImageClassification = tasks.get("xray-classification", source).build()
    sizes = {name: len(cases) for name, cases in found.split.partitions.items()}
    assert sizes == {"train": 4708, "validation": 524, "test": 624}
    assert [metric.name for metric in found.judgement.tables] == [
        "auc",
        "accuracy",
        "sensitivity",
        "specificity",
        "calibration_error",
    ]
    test = collate([found.test_case(case) for case in found.split["test"][:50]])
    assert test.wanted is not None
    assert 0 < int(test.wanted[:, 1].sum()) < 50
