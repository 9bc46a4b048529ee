"""Synthesis from reports and covariates."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call, Image, InputError
from vesalius.data.source import Case
from vesalius.recipes.embedded import slice_from_covariates, slice_from_text
from vesalius.tasks.described_synthesis import Covariate, DescribedSynthesis
from vesalius.tasks.report import OwnReport
from vesalius.tasks.task import collate

pytest.importorskip("tokenizers", reason="needs the extra 'text'")

SOURCE = Call(DigitalPatients, n=24, size=(20, 20), contrasts=("t1",))


def made(call: Call, **changes: Any) -> DescribedSynthesis:
    task: DescribedSynthesis = call.replace(source=SOURCE, matrix=(20, 20), **changes).build()
    return task


@pytest.fixture(scope="module")
def worded() -> DescribedSynthesis:
    return made(slice_from_text())


@pytest.fixture(scope="module")
def numbered() -> DescribedSynthesis:
    return made(slice_from_covariates())


def test_a_batch_has_texts_and_tokens_and_no_image_given(worded: DescribedSynthesis) -> None:
    cases = worded.split["train"][:3]
    batch = collate([worded.test_case(case) for case in cases])
    assert batch.given is None
    assert batch.texts == tuple(worded.text(case) for case in cases)
    assert batch.extras["tokens"].shape == (3, worded.text_length)
    assert torch.equal(batch.extras["tokens"], worded.vocabulary.read(batch.texts))
    shape = worded.shape
    assert (shape.given, shape.wanted, shape.categories) == (0, 1, ())
    assert shape.tokens == worded.vocabulary.kinds
    assert shape.conditional


def test_a_report_is_always_the_same_and_differs_between_cases(
    worded: DescribedSynthesis,
) -> None:
    cases = worded.split["train"]
    assert [worded.text(case) for case in cases] == [made(slice_from_text()).text(c) for c in cases]
    assert len({worded.text(case) for case in cases}) == len(cases)


def test_words_are_learnt_from_training_reports_alone(worded: DescribedSynthesis) -> None:
    @dataclasses.dataclass(frozen=True)
    class Told(OwnReport):
        def write(self, case: Case, rng: np.random.Generator) -> str:
            train = {c.identifier for c in worded.split["train"]}
            return "clear" if case.identifier in train else "clear Ωmega"

    task = dataclasses.replace(worded, report=Told())
    test = task.split["test"][0]
    assert task.vocabulary.unknown(task.text(test)) == ("Ωmega",)


def test_covariates_are_standardised_over_those_who_train(numbered: DescribedSynthesis) -> None:
    whole = dataclasses.replace(numbered, missing=0.0)
    cases = numbered.split["train"]
    told = collate([whole.test_case(case) for case in cases]).extras["covariates"].double()
    ages = np.array([case.covariates["age_years"] for case in cases], dtype=float)
    np.testing.assert_allclose(told[:, 0], (ages - ages.mean()) / ages.std(), atol=1e-5)
    sexes = [float(case.covariates["sex"] == "male") for case in cases]
    assert told[:, 1].tolist() == sexes
    assert whole.shape.categories == (0, 2, 0)
    assert whole.shape.tokens == 0


def test_covariates_are_left_out_with_the_stated_chance(numbered: DescribedSynthesis) -> None:
    case = numbered.split["train"][0]
    rng = np.random.default_rng(0)
    told = torch.cat([numbered.load(case, rng).extras["covariates"] for _ in range(800)])
    part = told.isnan().double().mean(0)
    # four standard errors
    assert bool(((part - 0.25).abs() < 4 * math.sqrt(0.25 * 0.75 / 800)).all())
    first, again = numbered.test_case(case), numbered.test_case(case)
    assert torch.equal(
        first.extras["covariates"].nan_to_num(9), again.extras["covariates"].nan_to_num(9)
    )


def test_a_covariate_that_is_neither_known_nor_absent_is_named() -> None:
    sex = Covariate("sex", ("female", "male"))
    assert math.isnan(sex.value(Case("a", "p")))
    assert sex.value(Case("a", "p", covariates={"sex": "male"})) == 1
    with pytest.raises(InputError, match=r"a: expected one of female, male as 'sex', got 'other'"):
        sex.value(Case("a", "p", covariates={"sex": "other"}))
    with pytest.raises(InputError, match="a number as 'age'"):
        Covariate("age").value(Case("a", "p", covariates={"age": "old"}))


def test_the_baseline_draws_images_of_the_class(worded: DescribedSynthesis) -> None:
    cases = worded.split["test"]
    batch = collate([worded.test_case(case) for case in cases])
    drawn = worded.baselines(batch)["principal components of the class"]
    assert drawn.shape == (len(cases), 1, 20, 20)
    assert torch.equal(drawn, worded.baselines(batch)["principal components of the class"])
    old = [case for case in worded.split["train"] if case.covariates["over_60"] == 1]
    mean = torch.cat([worded.test_case(case).wanted for case in old]).mean(0)  # type: ignore[misc]
    np.testing.assert_allclose(worded._components[1].mean, mean.flatten(), atol=1e-5)


def test_what_was_learnt_needs_no_training_data(worded: DescribedSynthesis) -> None:
    class Gone(DigitalPatients):
        def read(self, case: Case) -> dict[str, Image]:
            raise AssertionError("training data was read")

        def cases(self) -> tuple[Case, ...]:
            raise AssertionError("training cases were listed")

    saved = json.loads(json.dumps(worded.learnt()))
    other = dataclasses.replace(worded, source=Gone(n=24, size=(20, 20)))
    other.recall(saved)
    told = other.told(("Woman aged 61.",), "mine")
    assert torch.equal(told.extras["tokens"], worded.vocabulary.read(("Woman aged 61.",)))
    assert other.shape == worded.shape
    assert other.scale == worded.scale


def test_numbers_are_recalled_too(numbered: DescribedSynthesis) -> None:
    other = made(slice_from_covariates())
    other.recall(json.loads(json.dumps(numbered.learnt())))
    assert other.standard == numbered.standard


def test_texts_that_are_too_long_are_found_before_training() -> None:
    task = made(slice_from_text(), text_length=4)
    with pytest.raises(InputError, match=r"digital-\d+: expected a text of at most 4 tokens"):
        task.check()
    made(slice_from_text()).check()


def test_something_must_be_told() -> None:
    with pytest.raises(InputError, match="a report or covariates"):
        made(slice_from_text(), report=None)
    with pytest.raises(InputError, match="chance"):
        made(slice_from_covariates(), missing=1.0)


def test_new_images_are_no_input(worded: DescribedSynthesis) -> None:
    with pytest.raises(InputError, match="vesalius sample"):
        worded.prepare({}, "x")


def test_the_real_twin_needs_labels() -> None:
    task: DescribedSynthesis = tasks.get("xray-from-text", SOURCE).build()
    with pytest.raises(InputError, match=r"digital-\d+: expected a covariate 'label' of 0 or 1"):
        task.text(task.split["train"][0])
