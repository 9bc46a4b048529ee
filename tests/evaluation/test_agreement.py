"""Drawn images that show what was told, and some that do not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.core import Call, Image, Record
from vesalius.data.source import Case, Source
from vesalius.evaluation.agreement import METRIC, agreement_records
from vesalius.tasks.described_synthesis import DescribedSynthesis
from vesalius.tasks.report import ChestReport
from vesalius.tasks.task import Downstream
from vesalius.training.fit import Engine

CONTEXT = Record("painter", "t", "d", "p", "", "cost", "", "down", 0.0, fingerprint="abc")


@dataclass(frozen=True)
class Shades(Source):
    """Dark noise, bright on one side where the label is 1; 40 to learn from, 20 to test."""

    name: ClassVar[str] = "shades"
    licence: ClassVar[str] = "none"
    citation: ClassVar[str] = "none"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return False

    def channels(self) -> Mapping[str, str]:
        return {"image": "DX"}

    def cases(self) -> tuple[Case, ...]:
        return tuple(
            Case(f"{k}", f"p{k}", "test" if k < 20 else "train", covariates={"label": float(k % 2)})
            for k in range(60)
        )

    def read(self, case: Case) -> Mapping[str, Image]:
        rng = np.random.default_rng(int(case.identifier))
        grey = 60 + 20 * rng.standard_normal((1, 8, 8))
        grey[:, :, :4] += 120 * (int(case.identifier) % 2)
        return {"image": Image(torch.from_numpy(grey).float())}


@pytest.fixture(scope="module")
def call() -> Call:
    classes = ("normal", "pneumonia")
    study = Call(
        Downstream, image="image", label="label", classes=classes, fractions=(1.0,), seeds=2,
        steps=40,
    )  # fmt: skip
    return Call(
        DescribedSynthesis, name="shade-from-text", phase="diagnosis", question="?",
        source=Call(Shades), matrix=(8, 8), shift_voxels=0, report=Call(ChestReport), study=study,
    )  # fmt: skip


def measured(call: Call, folder: Path, wrong: int) -> dict[str, Record]:
    """Records of a painter who paints the first ``wrong`` test cases in the other shade."""
    task: DescribedSynthesis = call.build()
    cases = task.split["test"]

    def draws(partition: str, case: Case) -> Tensor:
        assert partition == "test"
        place = [c.identifier for c in cases].index(case.identifier)
        shade = task.base.class_of(case)
        if place < wrong:
            shade = 1 - shade
        alike = next(c for c in task.split["train"] if task.base.class_of(c) == shade)
        image = task.test_case(alike).wanted
        assert image is not None
        # only the first draw is read
        return torch.cat([image, -image])

    found = agreement_records(call, draws, folder, CONTEXT, engine=Engine("cpu"))
    assert {record.metric for record in found} == {METRIC}
    return {record.recipe: record for record in found}


def test_the_share_of_images_that_show_what_was_told(
    call: Call, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("readers")
    some = measured(call, folder, wrong=8)
    assert some["real images"].value == 1.0
    assert some["painter"].value == pytest.approx(12 / 20)
    low, high = some["painter"].low, some["painter"].high
    assert low is not None
    assert high is not None
    assert low < 0.6 < high
    assert some["painter"].n == 20
    assert some["painter"].fingerprint == "abc"
    control = some["principal components of the class"]
    assert some["painter"].baseline == control.recipe
    assert some["painter"].baseline_value == control.value > 0.9
    assert some["painter"].p_value is not None
    assert some["painter"].p_value < 0.05, "worse than the baseline, and said to differ"
    assert "of real images 1.000" in some["painter"].note
    # the same readers, who are not trained again
    logs = {path: path.stat().st_mtime_ns for path in folder.rglob("*.safetensors")}
    assert measured(call, folder, wrong=0)["painter"].value == 1.0
    assert logs, "readers are kept"


def test_a_stop_leaves_no_numbers(call: Call, tmp_path: Path) -> None:
    found = agreement_records(
        call, lambda part, case: torch.zeros(1, 1, 8, 8), tmp_path, CONTEXT, stop=lambda: True,
        engine=Engine("cpu"),
    )  # fmt: skip
    assert found == []
