from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call, Image, InputError, Record
from vesalius.core.files import read_arrays, write_arrays
from vesalius.data.source import Case, Source
from vesalius.evaluation import downstream
from vesalius.evaluation.downstream import downstream_study, draw_baseline, study_arms
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Downstream
from vesalius.training.fit import Engine

CONTEXT = Record("painter", "t", "d", "p", "", "cost", "", "down", 0.0, fingerprint="def")


def test_arms() -> None:
    arms = study_arms((0.1, 1.0), {"painter": "a", "painting": "b"})
    assert [(arm.name, arm.kind, arm.fraction, arm.drawn) for arm in arms] == [
        ("10 % real", "real", 0.1, None),
        ("10 % real + painter", "both", 0.1, "a"),
        ("100 % real", "real", 1.0, None),
        ("100 % real + painter", "both", 1.0, "a"),
        ("painter alone", "synthetic", 1.0, "a"),
        ("painting alone", "synthetic", 1.0, "b"),
    ]


@pytest.fixture(scope="module")
def call() -> Call:
    """A task whose study is one seed of two steps."""
    source = Call(DigitalPatients, n=10, size=(24, 24), contrasts=("t1",))
    whole = tasks.get("head-from-tissues", source)
    study = Call(
        Downstream,
        image="t1",
        label="tissues",
        classes=whole.arguments["classes"],
        fractions=(0.5,),
        seeds=1,
        steps=2,
    )
    return whole.replace(matrix=(24, 24), shift_voxels=1, study=study)


@pytest.fixture(scope="module")
def drawn(call: Call, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Drawings that are the truth, and the baseline's."""
    task: MaskSynthesis = call.build()
    folder = tmp_path_factory.mktemp("drawn")
    for case in task.split["train"]:
        wanted = task.test_case(case).wanted
        assert wanted is not None
        write_arrays(folder / "painter" / f"{case.identifier}.npz", draws=wanted.numpy())
    draw_baseline(task, "label painting", folder / "painting")
    return {"painter": str(folder / "painter"), "painting": str(folder / "painting")}


def test_the_baselines_drawings_are_those_of_the_task(call: Call, drawn: dict[str, str]) -> None:
    task: MaskSynthesis = call.build()
    assert len(list(Path(drawn["painting"]).iterdir())) == len(task.split["train"])
    for case in task.split["train"]:
        found = read_arrays(Path(drawn["painting"]) / f"{case.identifier}.npz")["draws"]
        expected = task.baselines(task.test_case(case))["label painting"]
        assert torch.equal(torch.from_numpy(found), expected)


def test_a_study_runs_goes_on_and_records_every_arm(
    call: Call, drawn: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []

    def study(stop_after: int) -> list[Record]:
        return downstream_study(
            call,
            drawn,
            tmp_path / "study",
            CONTEXT,
            engine=Engine("cpu"),
            watch=lambda arm, done, total: told.append(arm),
            stop=lambda: len(told) > stop_after,
        )

    assert study(1) == [], "a stopped study has no records"
    assert len(list((tmp_path / "study").rglob("scores.npz"))) == 1
    told.clear()
    records = study(99)
    assert told == [
        "50 % real, seed 0",
        "50 % real + painter, seed 0",
        "painter alone, seed 0",
        "painting alone, seed 0",
    ]
    fits: list[object] = []
    monkeypatch.setattr(downstream, "Loop", lambda *args, **named: fits.append(args))
    assert study(99) == records
    assert fits == [], "what is scored is not trained again"
    assert {record.metric for record in records} == {"downstream dice", "downstream hd95"}
    n_test = len(call.build().split["test"])
    for record in records:
        assert (record.recipe, record.level, record.n) == ("painter", "clinical", n_test)
        assert record.unit == ("1" if record.metric.endswith("dice") else "mm")
        assert record.direction == ("up" if record.metric.endswith("dice") else "down")
        assert "a segmenter trained per arm" in record.protocol
        assert math.isfinite(record.value)
    controls = {r.group: r.baseline for r in records if r.metric == "downstream dice"}
    assert controls == {
        "50 % real": None,
        "50 % real + painter": "50 % real",
        "painter alone": "painting alone",
        "painting alone": None,
    }
    by_arm = {r.group: r for r in records if r.metric == "downstream dice"}
    assert by_arm["painter alone"].baseline_value == pytest.approx(by_arm["painting alone"].value)
    assert by_arm["50 % real + painter"].p_value is not None


def test_tasks_without_a_study_are_refused(tmp_path: Path) -> None:
    other = tasks.get("t1-to-t2", Call(DigitalPatients, n=10, size=(24, 24)))
    with pytest.raises(InputError, match="a task with a downstream study, got t1-to-t2"):
        downstream_study(other, {}, tmp_path, CONTEXT)


@dataclass(frozen=True)
class Squares(Source):
    """A bright square somewhere in noise, and where it is."""

    n: int = 16
    name: ClassVar[str] = "squares"
    licence: ClassVar[str] = "none"
    citation: ClassVar[str] = "none"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return False

    def channels(self) -> Mapping[str, str]:
        return {"image": "MR", "label": "mask"}

    def cases(self) -> tuple[Case, ...]:
        return tuple(Case(str(k), f"p{k}") for k in range(self.n))

    def read(self, case: Case) -> Mapping[str, Image]:
        rng = np.random.default_rng(int(case.identifier))
        image = rng.uniform(5, 15, (1, 16, 16))
        label = np.zeros((1, 16, 16), dtype=np.int64)
        row, column = rng.integers(0, 10, 2)
        label[0, row : row + 6, column : column + 6] = 1
        image[label == 1] += 80
        return {
            "image": Image(torch.from_numpy(image).float(), modality="MR"),
            "label": Image(torch.from_numpy(label), unit="label", modality="mask"),
        }


def test_the_instrument_tells_images_from_noise(tmp_path: Path) -> None:
    """A segmenter learns from real images and cannot learn from noise."""
    study = Call(
        Downstream, image="image", label="label", classes=("square",), fractions=(1.0,), seeds=1,
        steps=60,
    )  # fmt: skip
    call = Call(
        MaskSynthesis, name="s", phase="diagnosis", question="?", source=Call(Squares),
        classes=("square",), matrix=(16, 16), flip=False, study=study,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    task: MaskSynthesis = call.build()
    for case in task.split["train"]:
        noise = rng.uniform(-1, 1, (1, 1, 16, 16)).astype(np.float32)
        write_arrays(tmp_path / "noise" / f"{case.identifier}.npz", draws=noise)
    drawn = {"noise": str(tmp_path / "noise"), "again": str(tmp_path / "noise")}
    records = downstream_study(call, drawn, tmp_path / "study", CONTEXT, engine=Engine("cpu"))
    dice = {r.group: r.value for r in records if r.metric == "downstream dice"}
    assert dice["100 % real"] > 0.85
    assert dice["100 % real"] > dice["noise alone"] + 0.2
    distance = {r.group: r.value for r in records if r.metric == "downstream hd95"}
    assert distance["100 % real"] < distance["noise alone"]
