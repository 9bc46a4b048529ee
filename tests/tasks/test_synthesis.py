from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call, Image, InputError
from vesalius.core.files import write_arrays
from vesalius.data.source import Source
from vesalius.data.sources.hippocampus import Hippocampus
from vesalius.tasks.segmentation import SegmentationFrom
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Downstream

CLASSES = ("a", "b")


def crop(labels: Any, values: Any) -> dict[str, Image]:
    image = torch.as_tensor(values, dtype=torch.float32)[None]
    label = torch.as_tensor(labels, dtype=torch.int64)[None]
    return {
        "image": Image(image, modality="MR"),
        "label": Image(label, unit="label", modality="mask"),
    }


LABELS = [[0, 1, 1], [0, 2, 0], [0, 0, 0]]
VALUES = [[10.0, 40, 60], [10, 100, 10], [10, 10, 10]]


def synthesis(source: Source, about: dict[str, Any], size: int = 3) -> MaskSynthesis:
    return MaskSynthesis(
        source=source, classes=CLASSES, matrix=(size, size), flip=False, shift_voxels=1, **about
    )


def test_a_case_by_hand(written: Callable[..., Source], about: dict[str, Any]) -> None:
    task = synthesis(written(crop(LABELS, VALUES)), about, size=4)
    batch = task.test_case(task.split["train"][0])
    assert batch.given is not None
    assert batch.wanted is not None
    assert batch.mask is not None
    assert batch.given.shape == (1, 2, 4, 4)
    assert int(batch.mask.sum()) == 9, "judged where the crop has voxels"
    inside = batch.mask[0, 0]
    assert batch.given[0, 0][inside].tolist() == [0, 1, 1, 0, 0, 0, 0, 0, 0]
    assert batch.given[0, 1][inside].tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]
    reference = np.quantile(np.ravel(VALUES), 0.99)
    assert task.judged(batch.wanted)[0, 0][inside].tolist() == pytest.approx(
        (np.ravel(VALUES) / reference).tolist(), rel=1e-5
    )
    assert (task.judged(batch.wanted)[0, 0][~inside] == 0).all()
    shown, _, unit = task.shown(batch)["given label"]
    assert unit == "label"
    assert shown[0][inside].tolist() == np.ravel(LABELS).tolist()


def test_painting_by_hand(written: Callable[..., Source], about: dict[str, Any]) -> None:
    other = [[20.0, 20, 20], [20, 20, 20], [20, 20, 100]]
    labels = [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    task = synthesis(written(crop(LABELS, VALUES), crop(labels, other)), about)
    batch = task.test_case(task.split["train"][0])
    painted = task.judged(task.baselines(batch)["label painting"])[0, 0]
    first, second = (float(np.quantile(np.ravel(v), 0.99)) for v in (VALUES, other))
    one = (40 / first + 60 / first + 100 / second) / 3  # class a: three voxels of two cases
    assert painted[0].tolist() == pytest.approx(
        [(10 / first + 20 / second) / 2, one, one], rel=1e-4
    )
    assert float(painted[1, 1]) == pytest.approx(100 / first, rel=1e-4)
    assert float(painted[2, 2]) == pytest.approx(10 / first, rel=1e-4), "where one case knows"


@pytest.mark.parametrize(
    ("labels", "values", "sentence"),
    [
        ([[0, 3, 1], [0, 2, 0], [0, 0, 0]], VALUES, "labels 0 to 2, got 0 to 3"),
        ([[0, -1, 1], [0, 2, 0], [0, 0, 0]], VALUES, "labels 0 to 2, got -1 to 2"),
        (np.zeros((3, 3)), VALUES, "a label map that is not empty, got background alone"),
        (LABELS, np.zeros((3, 3)), "an image that varies, got a dark image"),
        (LABELS, np.full((3, 3), np.nan), "finite values"),
        (LABELS, np.ones((3, 4)), "a pair of one size"),
    ],
)
def test_what_does_not_fit_names_the_case(
    labels: Any,
    values: Any,
    sentence: str,
    written: Callable[..., Source],
    about: dict[str, Any],
) -> None:
    task = synthesis(written(crop(LABELS, VALUES), crop(labels, values)), about)
    with pytest.raises(InputError, match=rf"^1: expected {sentence}"):
        task.load(task.split["train"][1], np.random.default_rng(0))


def test_new_label_maps_are_drawn_on_their_own_grid(
    written: Callable[..., Source], about: dict[str, Any]
) -> None:
    task = synthesis(written(crop(LABELS, VALUES)), about, size=5)
    label = crop(LABELS, VALUES)["label"]
    batch, placed = task.prepare({"label": label}, "new")
    assert batch.given is not None
    restored = task.restore(torch.zeros(1, 5, 5), {"label": label}, placed)
    assert restored.data.shape == label.data.shape
    assert (restored.unit, restored.modality, restored.stored) == ("of P99", "MR", "float32")
    assert torch.allclose(restored.data, torch.full((1, 3, 3), 0.625))
    with pytest.raises(InputError, match=r"^new: expected labels 0 to 2"):
        task.prepare({"label": label.with_data(label.data + 2)}, "new")


def test_the_study_is_the_tasks_unless_it_is_given(
    written: Callable[..., Source], about: dict[str, Any]
) -> None:
    source = written(crop(LABELS, VALUES))
    assert synthesis(source, about).judgement.downstream == Downstream("image", "label", CLASSES)
    study = Downstream("image", "label", CLASSES, (1.0,), 1, 3)
    task = MaskSynthesis(source=source, classes=CLASSES, matrix=(3, 3), study=study, **about)
    assert task.judgement.downstream is study


def test_hippocampus(real: Callable[[str], Path]) -> None:
    source = Call(Hippocampus, path=str(real("hippocampus")))
    task: MaskSynthesis = tasks.get("hippocampus-from-mask", source).build()
    task.check()
    assert {name: len(cases) for name, cases in task.split.partitions.items()} == {
        "train": 150,
        "validation": 20,
        "test": 40,
    }
    batch = task.test_case(task.split["test"][0])
    assert batch.given is not None
    assert batch.given.shape == (1, 2, 44, 60, 48)
    assert (batch.given.sum(dim=1) <= 1).all()
    assert task.flip_axis == 0


@pytest.fixture(scope="module")
def drawn_arms(tmp_path_factory: pytest.TempPathFactory) -> tuple[Call, str]:
    """A task on digital patients, and a folder of drawings that are a constant 0.75."""
    source = Call(DigitalPatients, n=20, size=(24, 24), contrasts=("t1",))
    call = tasks.get("head-from-tissues", source).replace(matrix=(24, 24), shift_voxels=1)
    folder = tmp_path_factory.mktemp("drawn")
    for case in call.build().split["train"]:
        write_arrays(
            folder / f"{case.identifier}.npz", draws=np.full((2, 1, 24, 24), 0.75, dtype=np.float32)
        )
    return call, str(folder)


def arm(drawn_arms: tuple[Call, str], kind: str, fraction: float = 1.0) -> SegmentationFrom:
    base, folder = drawn_arms
    made: SegmentationFrom = Call(
        SegmentationFrom, name="s", phase="diagnosis", question="?", base=base,
        source=base.arguments["source"], arm=kind, fraction=fraction,
        drawn=None if kind == "real" else folder,
    ).build()  # fmt: skip
    return made


def is_drawn(task: SegmentationFrom, case: Any, seed: int = 0) -> bool:
    given = task.load(case, np.random.default_rng(seed)).given
    return bool((given == 0.75).all())


def test_real_arms_see_their_fraction_of_patients(drawn_arms: tuple[Call, str]) -> None:
    whole, part = arm(drawn_arms, "real"), arm(drawn_arms, "real", 0.4)
    n = len(whole.split["train"])
    assert len(part.split["train"]) == round(0.4 * n)
    kept, known = ({case.identifier for case in task.split["train"]} for task in (part, whole))
    assert kept < known
    assert part.split["train"] == arm(drawn_arms, "real", 0.4).split["train"], "the same patients"
    assert len(arm(drawn_arms, "real", 0.001).split["train"]) == 1
    assert not any(is_drawn(whole, case) for case in whole.split["train"])


def test_drawn_arms_train_on_drawings_alone(drawn_arms: tuple[Call, str]) -> None:
    task = arm(drawn_arms, "synthetic")
    assert all(is_drawn(task, case, k) for k, case in enumerate(task.split["train"]))


def test_mixed_arms_see_either_half_of_the_time(drawn_arms: tuple[Call, str]) -> None:
    task = arm(drawn_arms, "both", 0.4)
    cases = task.split["train"]
    drawn = [is_drawn(task, case, seed) for seed in range(60) for case in cases]
    assert np.mean(drawn) == pytest.approx(0.5, abs=4 * 0.5 / len(drawn) ** 0.5)


@pytest.mark.parametrize("kind", ["real", "synthetic", "both"])
def test_tests_are_on_real_images_whatever_the_arm(drawn_arms: tuple[Call, str], kind: str) -> None:
    task = arm(drawn_arms, kind, 0.4)
    real_task = arm(drawn_arms, "real")
    for partition in ("test", "validation"):
        assert task.split[partition] == real_task.split[partition] != ()
        for case in task.split[partition]:
            assert torch.equal(task.test_case(case).given, real_task.test_case(case).given)  # type: ignore[arg-type]


def test_targets_are_one_hot_with_background_first(drawn_arms: tuple[Call, str]) -> None:
    task = arm(drawn_arms, "real")
    case = task.split["train"][0]
    batch = task.load(case, np.random.default_rng(0), augment=True)
    assert batch.wanted is not None
    assert batch.wanted.shape[1] == task.shape.wanted == len(task.classes) + 1
    assert (batch.wanted.sum(dim=1) == 1).all()
    plain = task.test_case(case).wanted
    labels = task.source.read(case)["tissues"].data
    assert torch.equal(task.judged(plain)[0], labels)  # type: ignore[arg-type]


def test_arms_that_miss_their_drawings_say_so(drawn_arms: tuple[Call, str]) -> None:
    base, _ = drawn_arms
    call = Call(
        SegmentationFrom, name="s", phase="diagnosis", question="?", base=base,
        source=base.arguments["source"], arm="synthetic",
    )  # fmt: skip
    with pytest.raises(InputError, match="a folder of drawn images"):
        _ = call.build().split
    with pytest.raises(InputError, match="a task whose runs are for use"):
        call.build().prepare({}, "x")
