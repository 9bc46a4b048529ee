"""Runs that draw from reports: what they keep, and texts of one's own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius import recipes
from vesalius.core.errors import InputError
from vesalius.core.files import write_arrays
from vesalius.data.formats import read_image
from vesalius.generative.system import System
from vesalius.recipes.tiny import tiny
from vesalius.runner.present import _strip
from vesalius.runner.run import Run
from vesalius.runner.sample import sample
from vesalius.runner.shown_cases import ShownCase
from vesalius.tasks.described_synthesis import DescribedSynthesis
from vesalius.training.fit import Engine

pytest.importorskip("tokenizers", reason="needs the extra 'text'")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """chest-diffusion, fitted in three stages of three steps."""
    folder = tmp_path_factory.mktemp("runs") / "chest"
    made = Run.create(tiny(recipes.get("chest-diffusion")), folder, engine=Engine("cpu"))
    return made.go(stop=lambda: made.status == "fitted")


def task_of(run: Run) -> DescribedSynthesis:
    assert isinstance(run.task, DescribedSynthesis)
    return run.task


def test_what_reads_texts_stands_still_after_its_own_stage(run: Run) -> None:
    first = Run.open(run.folder / "stages" / "xray-text-contrast")
    assert first.status == "fitted"
    assert not first.draws_images
    assert first.go().status == "fitted", "there is nothing to go on to"
    assert not (first.folder / "draws").exists()
    system, stage = run.fitted_system(), first.fitted_system()
    learnt, kept = stage.networks["given_encoder"], system.networks["text_encoder"]
    for name, tensor in learnt.state_dict().items():
        assert torch.equal(kept.state_dict()[name], tensor), name
    fresh = System.build(run.recipe, run.task.shape, run.seed).networks["text_encoder"]
    moved = [not torch.equal(a, b) for a, b in zip(fresh.parameters(), kept.parameters(),
                                                  strict=True)]  # fmt: skip
    assert any(moved), "the stage learnt something"


def test_a_reopened_run_reads_as_it_learnt(run: Run) -> None:
    learnt = json.loads((run.folder / "learnt.json").read_text())
    again = task_of(Run.open(run.folder))
    assert again.__dict__["vocabulary"].to_json() == learnt["task"]["vocabulary"]
    text = "A few small white matter lesions in a woman aged 71."
    ours, theirs = (task.told((text,), "a").extras["tokens"] for task in (task_of(run), again))
    assert torch.equal(ours, theirs)


def test_images_are_drawn_for_a_text_of_ones_own(run: Run, tmp_path: Path) -> None:
    text = "White matter of normal signal in a man aged 31, Ωmega."
    files = sample(run, 2, tmp_path / "mine", text=text)
    about = json.loads((tmp_path / "mine" / "samples.json").read_text())
    assert about["text"] == text
    assert about["unread_words"] == ["Ωmega."]
    assert [entry["condition"] for entry in about["samples"]] == [None, None]
    first, second = (read_image(file).data for file in files)
    assert not torch.equal(first, second)
    other = sample(run, 1, tmp_path / "other", text="Woman aged 88: no white matter lesions.")
    assert not torch.equal(read_image(other[0]).data, first), "the words matter"


def test_without_a_text_the_test_cases_are_drawn_for(run: Run, tmp_path: Path) -> None:
    sample(run, 1, tmp_path)
    about = json.loads((tmp_path / "samples.json").read_text())
    assert about["samples"][0]["condition"] == run.task.split["test"][0].identifier
    assert "text" not in about


def test_texts_that_cannot_be_read_are_refused(run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none that can be read"):
        sample(run, 1, tmp_path / "a", text="Ωmega")
    with pytest.raises(InputError, match="none that can be read"):
        sample(run, 1, tmp_path / "b", text=" ")
    with pytest.raises(InputError, match="a text of at most 64 tokens"):
        sample(run, 1, tmp_path / "c", text="lesions " * 70)


def test_a_run_without_reports_takes_no_text(deterministic_run: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"draws from reports.*leave out the text"):
        sample(deterministic_run, 1, tmp_path, text="Woman aged 88.")


def test_the_report_shows_what_was_told(run: Run) -> None:
    case = run.task.split["test"][0]
    folder = run.folder / "draws" / "test"
    folder.mkdir(parents=True, exist_ok=True)
    write_arrays(folder / f"{case.identifier}.npz", draws=np.zeros((1, 1, 32, 32), np.float32))
    strip = _strip(run, "test", case, ShownCase(0), {})
    assert strip.scores == {"told": task_of(run).text(case)}
