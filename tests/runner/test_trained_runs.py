"""Run folders: made, opened, stopped, gone on with, and used without their training data."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import pytest
import torch

from vesalius import recipes
from vesalius.anatomy import DigitalPatients
from vesalius.core.errors import InputError, UnknownName
from vesalius.core.recipe import Recipe
from vesalius.core.record import Record
from vesalius.data.formats import read_image, write_image
from vesalius.data.sources.nifti_folder import NiftiFolder
from vesalius.recipes.tiny import tiny
from vesalius.runner.apply import apply
from vesalius.runner.run import Run, Silent, prepared, run
from vesalius.training.fit import Engine

CPU = Engine("cpu")


def small(name: str = "conditional-diffusion") -> Recipe:
    return tiny(recipes.get(name))


class Stages(Silent):
    """Remembers the stages, the status in the folder as each began, and stops in one of them."""

    def __init__(self, folder: Path, stage: str = "", after: int = 0) -> None:
        self.folder, self.stopping, self.after = folder, stage, after
        self.seen: list[tuple[str, str]] = []
        self.asked = 0

    def stage(self, name: str, total: int) -> None:
        saved = json.loads((self.folder / "run.json").read_text())
        self.seen.append((name, saved["status"]))

    def stop(self) -> bool:
        if not self.seen or self.seen[-1][0] != self.stopping:
            return False
        self.asked += 1
        return self.asked > self.after


def measured(run: Run) -> list[Record]:
    """Records that depend on nothing but recipe and seed."""
    return [
        dataclasses.replace(record, seconds=0.0) for record in run.records() if record.unit != "s"
    ]


def all_draws(run: Run) -> dict[str, torch.Tensor]:
    return {
        f"{partition}/{case.identifier}": run.draws(partition, case)
        for partition in ("test", "shifted", "train")
        for case in run.task.split[partition]
        if (run.folder / "draws" / partition / f"{case.identifier}.npz").is_file()
    }


def test_a_run_is_created_in_an_empty_folder_only(tmp_path: Path) -> None:
    made = Run.create(small(), tmp_path / "run", engine=CPU)
    assert made.status == "new"
    split = json.loads((made.folder / "split.json").read_text())
    assert split == {"hash": made.task.split.hash, "partitions": made.task.split.to_json()}
    before = (made.folder / "run.json").read_bytes()
    with pytest.raises(InputError, match=r"holds a run.*vesalius resume"):
        Run.create(small(), made.folder, engine=CPU)
    assert (made.folder / "run.json").read_bytes() == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="an empty folder"):
        Run.create(small(), tmp_path / "full", engine=CPU)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["notes.txt"]
    (tmp_path / "empty").mkdir()
    assert Run.create(small(), tmp_path / "empty", engine=CPU).status == "new"


def test_a_task_without_its_channels_leaves_no_folder(tmp_path: Path) -> None:
    recipe = small().set("task.wanted", "ultrasound")
    with pytest.raises(InputError, match="a channel 'ultrasound'"):
        Run.create(recipe, tmp_path / "run", engine=CPU)
    assert not (tmp_path / "run").exists()


def test_an_opened_run_is_the_one_that_was_made(tmp_path: Path) -> None:
    made = Run.create(small(), tmp_path / "run", seed=7, engine=CPU)
    found = Run.open(made.folder)
    assert (found.seed, found.engine, found.status) == (7, CPU, "new")
    assert found.recipe.to_json() == made.recipe.to_json()
    assert found.task.split.hash == made.task.split.hash


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"a run folder with run\.json"),
        ('{"recipe": ', r"a whole run\.json"),
        ('{"status": "new"}', r"a whole run\.json"),
        ("[]", r"a whole run\.json"),
        ('{"recipe": 3}', "a recipe"),
    ],
)
def test_a_folder_that_is_no_run(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError, match=message):
        Run.open(tmp_path)


def test_what_is_asked_too_early(tmp_path: Path) -> None:
    made = Run.create(small(), tmp_path / "run", engine=CPU)
    for ask in (made.fitted_system, made.trained_on):
        with pytest.raises(InputError, match="a trained run"):
            ask()
    with pytest.raises(InputError, match="a judged run"):
        made.records()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Stages]:
    """A run with every stage, never stopped, and what was seen of it."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    made = Run.create(small("spade-gan"), folder, seed=5, engine=CPU)
    watch = Stages(folder)
    return made.go(watch=watch), watch


def test_status_walks_through_the_stages(whole: tuple[Run, Stages]) -> None:
    finished, watch = whole
    assert watch.seen == [
        ("fit", "fitting"),
        ("draw test", "fitted"),
        ("draw train", "fitted"),
        ("judge", "drawn"),
        ("downstream study", "drawn"),
    ]
    assert finished.status == Run.open(finished.folder).status == "reported"
    info = json.loads((finished.folder / "run.json").read_text())
    assert info["steps"] == finished.recipe.budget.steps
    assert info["seconds"] > 0


def test_a_finished_run_only_writes_its_report_again(whole: tuple[Run, Stages]) -> None:
    finished, _ = whole
    report = finished.folder / "report.html"
    report.unlink()
    weights = (finished.folder / "model" / "generator.safetensors").stat().st_mtime_ns
    watch = Stages(finished.folder)
    Run.open(finished.folder).go(watch=watch)
    assert report.is_file()
    assert watch.seen == []
    assert (finished.folder / "model" / "generator.safetensors").stat().st_mtime_ns == weights


def test_a_run_stopped_in_every_stage_ends_as_one_that_never_was(
    whole: tuple[Run, Stages], tmp_path: Path
) -> None:
    uninterrupted, _ = whole
    folder = tmp_path / "run"
    Run.create(uninterrupted.recipe, folder, seed=5, engine=CPU)
    # (stage, times it is asked to stop before it does, status that is left)
    for stage, after, status in (
        ("fit", 1, "fitting"),
        ("draw train", 1, "fitted"),
        ("downstream study", 4, "drawn"),
    ):
        watch = Stages(folder, stage, after)
        stopped = Run.open(folder).go(watch=watch, stop=watch.stop)
        assert watch.seen[-1][0] == stage
        assert watch.asked == after + 1
        assert stopped.status == Run.open(folder).status == status
        assert not (folder / "report.html").exists()
    finished = Run.open(folder).go()
    assert finished.status == "reported"
    draws, expected = all_draws(finished), all_draws(uninterrupted)
    assert expected.keys() == draws.keys()
    assert {name.split("/")[0] for name in expected} >= {"test", "train"}
    for name, image in expected.items():
        assert torch.equal(draws[name], image), name
    assert repr(measured(finished)) == repr(measured(uninterrupted))  # NaN equals itself in words


def test_another_seed_draws_otherwise(whole: tuple[Run, Stages], tmp_path: Path) -> None:
    first, _ = whole
    made = Run.create(first.recipe, tmp_path / "run", seed=6, engine=CPU)
    made.go(stop=lambda: made.status == "fitted")
    old, new = (each.fitted_system().networks["generator"].state_dict() for each in (first, made))
    assert any(not torch.equal(old[name], new[name]) for name in old)


@pytest.fixture
def nifti(tmp_path: Path) -> Path:
    """Nine patients with T1, T2 and a mask as one-slice NIfTI files."""
    source = DigitalPatients(n=9, size=(32, 32))
    folder = tmp_path / "data"
    folder.mkdir()
    for case in source.cases():
        images = source.read(case)
        for channel in ("t1", "t2", "mask"):
            write_image(folder / f"{case.identifier}_{channel}.nii.gz", images[channel])
    return folder


def trained_on(data: Path, folder: Path) -> Run:
    ready = prepared(small(), data=data, steps=2)
    made = Run.create(ready, folder, engine=CPU)
    return made.go(stop=lambda: made.status == "fitted")


def test_a_trained_run_needs_its_training_data_no_more(nifti: Path, tmp_path: Path) -> None:
    trained = trained_on(nifti, tmp_path / "run")
    assert trained.status == "fitted"
    kept = tmp_path / "new"
    kept.mkdir()
    first = sorted(nifti.glob("*_t1.nii.gz"))[0]
    shutil.copy(first, kept / "someone_t1.nii.gz")
    files = apply(trained.folder, kept, tmp_path / "before", draws=2)
    shutil.rmtree(nifti)
    again = apply(trained.folder, kept, tmp_path / "after", draws=2)
    assert [path.name for path in again] == [path.name for path in files]
    images = [path for path in files if path.suffix == ".gz"]
    assert len(images) == 4, "mean, two draws and their uncertainty"
    for path in images:
        twin = tmp_path / "after" / path.relative_to(tmp_path / "before")
        assert torch.equal(read_image(twin).data, read_image(path).data)
    # it is learnt.json that makes this possible
    (trained.folder / "learnt.json").unlink()
    with pytest.raises(InputError):
        apply(trained.folder, kept, tmp_path / "never", draws=2)


def test_weights_of_another_recipe_are_refused(translation_run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(translation_run.folder, folder)
    assert Run.open(folder).fitted_system()
    saved = json.loads((folder / "run.json").read_text())
    other = Recipe.from_json(saved["recipe"]).set("optimiser.rate", "0.5")
    (folder / "run.json").write_text(json.dumps({**saved, "recipe": other.to_json()}))
    with pytest.raises(InputError, match=f"weights of the recipe {other.fingerprint()}"):
        Run.open(folder).fitted_system()


def test_prepared_changes_nothing_unasked() -> None:
    recipe = small()
    assert prepared(recipe).to_json() == recipe.to_json()


def test_prepared_on_other_data(nifti: Path) -> None:
    recipe = small()
    ready = prepared(recipe, data=nifti)
    source = ready.task.arguments["source"]
    assert source.target is NiftiFolder
    assert ready.task.replace(source=recipe.task.arguments["source"]).to_json() == (
        recipe.task.to_json()
    )
    back = Recipe.from_json(json.loads(json.dumps(ready.to_json())))
    assert len(back.task.build().source.cases()) == 9
    with pytest.raises(InputError, match="nothing there"):
        prepared(recipe, data=nifti / "nowhere")


def test_prepared_for_another_task() -> None:
    recipe = small()
    ready = prepared(recipe, task="mr-to-ct")
    assert ready.task.arguments["name"] == "mr-to-ct"
    assert ready.task.arguments["source"] == recipe.task.arguments["source"]
    assert ready.networks == recipe.networks
    with pytest.raises(UnknownName, match=r"did you mean .*mr-to-ct"):
        prepared(recipe, task="mr-to-tc")


def test_prepared_within_another_budget() -> None:
    recipe = small()
    timed = prepared(recipe, minutes=1.5)
    assert timed.budget.minutes == 1.5
    counted = prepared(timed, steps=9)
    assert (counted.budget.steps, counted.budget.minutes) == (9, None)
    assert counted.budget.batch_size == recipe.budget.batch_size
    with pytest.raises(InputError, match="steps or minutes"):
        prepared(recipe, steps=3, minutes=1.0)


def test_single_values_are_set_last() -> None:
    settings = {"budget.steps": "4", "networks.network.width": "6", "task.source.n": "17"}
    ready = prepared(small(), task="mr-to-ct", steps=9, settings=settings)
    assert ready.budget.steps == 4
    assert ready.networks["network"].arguments["width"] == 6
    assert ready.task.arguments["source"].arguments["n"] == 17
    with pytest.raises(UnknownName, match=r"budget\.stepz"):
        prepared(small(), settings={"budget.stepz": "4"})


def test_run_goes_from_a_recipe_to_a_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = small("unet-regression")
    finished = run(recipe, steps=2, engine=CPU, settings={"task.source.n": "12"})
    assert finished.status == "reported"
    assert finished.folder.parent == Path("runs")
    assert finished.folder.name.startswith(f"{recipe.name}-")
    assert finished.recipe.budget.steps == 2
    assert len(finished.task.source.cases()) == 12
    assert (finished.folder / "report.html").is_file()
