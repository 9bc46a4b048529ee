"""Class-conditioned synthesis and the arms that learn from it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius.anatomy import DigitalPatients
from vesalius.core import Image, InputError
from vesalius.core.files import write_arrays
from vesalius.data.source import Case
from vesalius.data.sources import MedMNIST
from vesalius.tasks.classification import ClassificationFrom
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.task import Downstream

CLASSES = ("60 or younger", "over 60")


@pytest.fixture(scope="module")
def task() -> LabelSynthesis:
    return LabelSynthesis(
        name="slice-from-class",
        phase="diagnosis",
        question="?",
        source=DigitalPatients(n=20, size=(24, 24), contrasts=("t1",)),
        image="t1",
        label="over_60",
        classes=CLASSES,
        matrix=(24, 24),
        study=Downstream("t1", "over_60", CLASSES, (0.25, 1.0), cases=6),
    )


def test_given_is_one_channel_for_the_class_of_the_case(task: LabelSynthesis) -> None:
    for case in task.split["train"]:
        batch = task.test_case(case)
        assert batch.given is not None
        means = batch.given[0].mean(dim=(1, 2)).tolist()
        assert means == ([0.0, 1.0] if case.covariates["age_years"] > 60 else [1.0, 0.0])


def test_the_baseline_is_the_mean_training_image_of_the_class(task: LabelSynthesis) -> None:
    cases = task.split["train"]
    batch = task.test_case(cases[0])
    same = [c for c in cases if task.class_of(c) == task.class_of(cases[0])]
    wanted = [task.test_case(case).wanted for case in same]
    mean = torch.cat([image for image in wanted if image is not None]).mean(dim=0)
    torch.testing.assert_close(task.baselines(batch)["class mean"][0], mean)


def test_a_case_without_the_covariate_is_named(task: LabelSynthesis) -> None:
    with pytest.raises(InputError, match="lonely: expected a covariate 'over_60' from 0 to 1"):
        task.class_of(Case("lonely", "p"))


def test_what_was_learnt_needs_no_training_data(task: LabelSynthesis) -> None:
    class Gone(DigitalPatients):
        def read(self, case: Case) -> dict[str, Image]:
            raise AssertionError("training data was read")

    other = LabelSynthesis(
        name="x", phase="diagnosis", question="?", source=Gone(n=20, size=(24, 24)),
        image="t1", label="over_60", classes=CLASSES, matrix=(24, 24),
    )  # fmt: skip
    other.recall(task.learnt())
    assert other.scale == task.scale
    assert other.frame == task.frame


def arm(task: LabelSynthesis, kind: str, drawn: Path, fraction: float = 1.0) -> ClassificationFrom:
    return ClassificationFrom(
        name="classifier", phase="diagnosis", question="?", source=task.source, base=task,
        arm=kind, fraction=fraction, drawn=str(drawn),  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.fixture
def drawn(task: LabelSynthesis, tmp_path: Path) -> Path:
    """Drawings that are 5 everywhere, which no real image is."""
    for case in task.split["train"][:6]:
        image = np.full((2, 1, 24, 24), 5, np.float32)
        write_arrays(tmp_path / f"{case.identifier}.npz", draws=image)
    return tmp_path


def is_drawn(task: ClassificationFrom, case: Case, seed: int) -> bool:
    given = task.load(case, np.random.default_rng(seed)).given
    assert given is not None
    return bool((given == 5).all())


def test_arms_see_what_they_may(task: LabelSynthesis, drawn: Path) -> None:
    real = arm(task, "real", drawn, fraction=0.25)
    assert len(real.split["train"]) == round(0.25 * len(task.split["train"]))
    assert not any(is_drawn(real, case, 0) for case in real.split["train"])
    alone = arm(task, "synthetic", drawn)
    assert [c.identifier for c in alone.split["train"]] == [
        c.identifier for c in task.split["train"][:6]
    ]
    assert all(is_drawn(alone, case, 0) for case in alone.split["train"])
    for kind in ("real", "synthetic", "both"):
        tested = arm(task, kind, drawn)
        assert not any(is_drawn(tested, case, 0) for case in tested.split["test"])


def test_both_kinds_have_the_same_chance_whatever_the_fraction(
    task: LabelSynthesis, drawn: Path
) -> None:
    both = arm(task, "both", drawn, fraction=0.1)
    allowed = {case.identifier for case in both.real}
    case = next(c for c in both.split["train"] if c.identifier not in allowed)
    found = [both.load(case, np.random.default_rng(seed)) for seed in range(400)]
    n_drawn = sum(bool((b.given == 5).all()) for b in found if b.given is not None)
    assert 150 < n_drawn < 250
    assert {b.cases[0] for b in found} <= allowed | {case.identifier}


def test_targets_are_classes_also_after_shifts(task: LabelSynthesis, drawn: Path) -> None:
    real = arm(task, "real", drawn)
    for seed, case in enumerate(real.split["train"]):
        wanted = real.load(case, np.random.default_rng(seed), augment=True).wanted
        assert wanted is not None
        assert wanted.tolist() == [[1.0, 0.0] if task.class_of(case) == 0 else [0.0, 1.0]]


def test_an_arm_without_its_drawings_is_refused(task: LabelSynthesis) -> None:
    lost = ClassificationFrom(
        name="c", phase="diagnosis", question="?", source=task.source, base=task, arm="both"
    )
    with pytest.raises(InputError, match="expected a folder of drawn images"):
        _ = lost.split


def test_chest_radiographs(real: Callable[[str], Path]) -> None:
    task = LabelSynthesis(
        name="xray", phase="diagnosis", question="?", source=MedMNIST(real("pneumoniamnist"))
    )
    batch = task.test_case(task.split["test"][0])
    assert batch.wanted is not None
    assert batch.wanted.shape == (1, 1, 28, 28)
    assert -1 <= float(batch.wanted.min()) < float(batch.wanted.max()) <= 1
