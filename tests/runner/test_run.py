from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from vesalius import recipes
from vesalius.anatomy import DigitalPatients
from vesalius.core import Call, InputError, Recipe
from vesalius.core.files import read_arrays
from vesalius.recipes.tiny import tiny
from vesalius.runner.present import present
from vesalius.runner.run import STATUSES, Run, Silent, prepared, run
from vesalius.training.checkpoint import load_tensors, save_tensors
from vesalius.training.fit import Engine

CPU = Engine("cpu")


def recipe(name: str = "pix2pix") -> Recipe:
    return tiny(recipes.get(name))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run to its report in one go."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return Run.create(recipe(), folder, engine=CPU).go()


def test_the_folder_is_as_documented(finished: Run) -> None:
    names = {path.name for path in finished.folder.iterdir()}
    assert names == {
        "run.json", "split.json", "learnt.json", "log.jsonl", "checkpoints", "model", "draws",
        "cases.json", "metrics.json", "report.html",
    }  # fmt: skip
    info = json.loads((finished.folder / "run.json").read_text())
    assert info["fingerprint"] == finished.recipe.fingerprint()
    assert info["steps"] == 3
    assert info["machine"]["torch"] == str(torch.__version__)
    split = json.loads((finished.folder / "split.json").read_text())
    assert split["hash"] == finished.task.split.hash
    for partition in ("test", "shifted"):
        for case in finished.task.split[partition]:
            drawn = finished.draws(partition, case)
            assert drawn.shape == (2, 1, 32, 32)
            assert not torch.equal(drawn[0], drawn[1])
    assert not (finished.folder / "draws" / "train").exists(), "drawn for studies alone"


def test_no_file_is_a_pickle(finished: Run) -> None:
    for path in finished.folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                head = file.read(2)
            assert head[:1] != b"\x80", path
            assert head != b"PK" or path.suffix == ".npz", path


def test_a_run_that_is_stopped_again_and_again_ends_alike(finished: Run, tmp_path: Path) -> None:
    class Impatient(Silent):
        """Asks to stop once so much has advanced."""

        def __init__(self, patience: int) -> None:
            self.left = patience

        def advance(self, done: int, note: str = "", total: int | None = None) -> None:
            self.left -= 1

    again = Run.create(recipe(), tmp_path / "run", engine=CPU)
    seen = [again.status]
    for patience in (1, 1, 1, 1, 2, 2, 3, 99):
        watcher = Impatient(patience)
        again = Run.open(tmp_path / "run").go(watch=watcher, stop=lambda w=watcher: w.left <= 0)
        seen.append(again.status)
        if again.status == "reported":
            break
    assert again.status == "reported"
    assert seen.count("fitting") >= 2, "stopped while it trained"
    places = [STATUSES.index(status) for status in seen]
    assert places == sorted(places)
    for name in ("generator",):
        one, two = (
            load_tensors(r.folder / "model" / f"{name}.safetensors")[0] for r in (finished, again)
        )
        assert all(torch.equal(one[key], two[key]) for key in one)
    for path in (finished.folder / "draws").rglob("*.npz"):
        other = again.folder / path.relative_to(finished.folder)
        assert np.array_equal(read_arrays(path)["draws"], read_arrays(other)["draws"])
    first, second = (
        [
            (r.recipe, r.metric, r.group, r.value, r.low, r.high, r.p_value)
            for r in run_.records()
            if r.level != "cost"
        ]
        for run_ in (finished, again)
    )
    assert first == second


def test_a_new_run_needs_an_empty_folder(finished: Run, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a new folder, got one that holds a run; go on with it"):
        Run.create(recipe(), finished.folder)
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(InputError, match="an empty folder, got one with files"):
        Run.create(recipe(), tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "kept"


def test_a_task_that_lacks_its_data_makes_no_folder(tmp_path: Path) -> None:
    wrong = recipe().set("task.source.contrasts", '["ct"]')
    with pytest.raises(InputError, match="a channel 't1' for the task"):
        Run.create(wrong, tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "text", [None, "", "{", "[]", "{}", '{"recipe": {}, "engine": {}, "seed": 0, "status": "new"}']
)
def test_what_is_no_run_folder_is_said(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(InputError) as caught:
        Run.open(tmp_path)
    assert "\n" not in str(caught.value)


def test_what_is_not_there_yet_is_said(tmp_path: Path) -> None:
    new = Run.create(recipe(), tmp_path / "run", engine=CPU)
    with pytest.raises(InputError, match=r"a trained run, got one that is 'new'; finish it with"):
        new.fitted_system()
    with pytest.raises(InputError, match=r"a judged run, got one that is 'new'"):
        new.records()


@pytest.fixture
def copied(finished: Run, tmp_path: Path) -> Run:
    """The finished run, to be damaged."""
    import shutil

    shutil.copytree(finished.folder, tmp_path / "copy")
    return Run.open(tmp_path / "copy")


def test_weights_of_another_recipe_are_refused(copied: Run) -> None:
    path = copied.folder / "model" / "generator.safetensors"
    tensors, _ = load_tensors(path)
    save_tensors(path, tensors, {"recipe": "another", "steps": "3"})
    with pytest.raises(InputError, match=r"weights of the recipe .*, got those of another"):
        copied.fitted_system()


def test_drawn_images_of_a_missing_case_are_an_input_error(copied: Run) -> None:
    case = copied.task.split["test"][0]
    (copied.folder / "draws" / "test" / f"{case.identifier}.npz").unlink()
    with pytest.raises(InputError, match="no such file"):
        copied.draws("test", case)


def test_data_that_changed_stops_a_run(copied: Run) -> None:
    """Patients that are added move others between training and test set."""
    info = json.loads((copied.folder / "run.json").read_text())
    info["status"] = "fitting"
    info["recipe"] = Recipe.from_json(info["recipe"]).set("task.source.n", "17").to_json()
    (copied.folder / "run.json").write_text(json.dumps(info))
    with pytest.raises(InputError, match=r"the data that the run began with, got another split"):
        Run.open(copied.folder).go()


def test_a_trained_run_draws_as_it_did(finished: Run) -> None:
    system = finished.fitted_system()
    case = finished.task.split["test"][0]
    group = finished.task.split["test"][:8]
    from vesalius.tasks.task import collate

    batch = collate([finished.task.test_case(one) for one in group])
    drawn = system.draw(batch, finished.task.size, draws=2, seed=finished.seed)
    assert torch.allclose(drawn[:, group.index(case)], finished.draws("test", case), atol=1e-6)
    assert not system.networks["generator"].training


def test_presented_numbers_are_those_of_the_records(finished: Run) -> None:
    content = present(finished)
    assert content.records == tuple(finished.records())
    assert content.facts["fingerprint"] == finished.recipe.fingerprint()
    assert content.facts["steps"] == 3
    shown = {strip.case for strip in content.strips}
    cases = {c.identifier for p in ("test", "shifted") for c in finished.task.split[p]}
    assert shown <= cases
    values = json.loads((finished.folder / "cases.json").read_text())["partitions"]["test"]
    for strip in content.strips:
        if strip.case in values["cases"]:
            place = values["cases"].index(strip.case)
            mae = values["values"]["mae"][finished.recipe.name][place]
            key = next(name for name in strip.scores if name.lower() == "mae")
            assert strip.scores[key].startswith(f"{mae:.4g}")
    assert content.curves[0].title == "Training losses"


def test_prepared_changes_what_it_is_told() -> None:
    base = recipes.get("unet-regression")
    changed = prepared(base, steps=7, settings={"networks.network.width": "8", "draws": "3"})
    assert changed.budget.steps == 7
    assert changed.networks["network"].arguments["width"] == 8
    assert changed.draws == 3
    assert prepared(base).fingerprint() == base.fingerprint()
    timed = prepared(base, minutes=2.5)
    assert timed.budget.minutes == 2.5
    other = prepared(base, task="mr-to-ct")
    assert other.task.arguments["wanted"] == "ct"
    assert other.task.arguments["source"] == base.task.arguments["source"]
    with pytest.raises(InputError, match="steps or minutes, got both"):
        prepared(base, steps=7, minutes=2.0)
    for steps in (0, -3):
        with pytest.raises(InputError, match=r"budget\.steps of 1 or more"):
            prepared(base, steps=steps)
    with pytest.raises(InputError, match=r"budget\.minutes above zero"):
        prepared(base, minutes=0.0)


def test_prepared_takes_the_data_of_a_folder(real: Callable[[str], Path]) -> None:
    folder = real("synthrad_slices")
    changed = prepared(recipes.get("pix2pix"), data=folder, task="mr-to-ct")
    source = changed.task.arguments["source"]
    assert source.name == "SynthRADSlices"
    again = Recipe.from_json(json.loads(json.dumps(changed.to_json())))
    assert again.task.build().source.path == folder
    assert changed.fingerprint() != recipes.get("pix2pix").fingerprint()


def test_run_in_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stages: list[str] = []

    class Watching(Silent):
        def stage(self, name: str, total: int) -> None:
            stages.append(name)

    monkeypatch.chdir(tmp_path)
    made = run(recipe("unet-regression"), steps=1, engine=CPU, seed=5, watch=Watching())
    assert made.folder.parent == Path("runs")
    assert made.folder.name.startswith("unet-regression-tiny-")
    assert (made.folder / "report.html").is_file()
    assert stages == ["fit", "draw test", "draw shifted", "judge"]
    assert made.seed == 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("steps", 0), ("batch_size", 0), ("accumulate", 0), ("minutes", -1.0), ("rate", 0.0),
        ("rate", float("nan")), ("ema_decay", 1.0), ("draws", 0),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_are_refused(field: str, value: Any) -> None:
    base = recipe()
    holder = base.budget if hasattr(base.budget, field) else base.optimiser
    with pytest.raises(InputError, match=field.rstrip("s")):
        dataclasses.replace(base if field == "draws" else holder, **{field: value})


def test_patients_of_a_run_are_known_to_it(finished: Run) -> None:
    assert isinstance(finished.task.source, DigitalPatients)
    assert isinstance(finished.recipe.task, Call)
    partitions = finished.task.split.partitions
    patients = [{case.patient for case in cases} for cases in partitions.values()]
    assert sum(map(len, patients)) == len(set().union(*patients)), "in one partition each"
