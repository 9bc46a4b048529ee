from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from vesalius.cli import main
from vesalius.core.image import Image
from vesalius.core.record import read_records
from vesalius.data.formats import read_image, write_image

TINY = [
    "--device", "cpu",
    "--set", "task.source.n=16",
    "--set", "task.source.size=[32, 32]",
    "--set", "task.matrix=[32, 32]",
    "--set", "networks.network.width=8",
    "--set", "budget.batch_size=2",
]  # fmt: skip


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps, from the command line."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    with pytest.raises(SystemExit) as stopped:
        main(["run", "unet-regression", "--steps", "2", "--out", str(folder), "--json", *TINY])
    assert not stopped.value.code
    return folder


def test_a_run_leaves_a_report_and_records(run_folder: Path) -> None:
    assert (run_folder / "report.html").stat().st_size > 10_000
    assert {"mae", "psnr", "ssim"} <= {r.metric for r in read_records(run_folder / "metrics.json")}
    saved = json.loads((run_folder / "run.json").read_text())
    assert saved["status"] == "reported"
    assert saved["engine"]["accelerator"] == "cpu"


def test_a_finished_run_resumes_to_the_same(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = (run_folder / "model" / "network.safetensors").read_bytes()
    code, out, _ = called(capsys, "resume", str(run_folder), "--json")
    found = json.loads(out)
    assert code == 0
    assert found["status"] == "reported"
    assert found["run"] == str(run_folder)
    assert len(found["records"]) == len(read_records(run_folder / "metrics.json"))
    assert (run_folder / "model" / "network.safetensors").read_bytes() == weights
    code, out, _ = called(capsys, "resume", str(run_folder))
    assert code == 0
    assert "What was measured" in out
    assert "report.html" in out


def test_the_report_is_written_again(run_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = run_folder / "report.html"
    report.unlink()
    code, out, _ = called(capsys, "report", str(run_folder), "--json")
    assert code == 0
    assert json.loads(out) == {"report": str(report)}
    assert report.is_file()


def test_apply_sample_and_evaluate(
    run_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    generator = torch.Generator().manual_seed(0)
    for name in ("a", "b"):
        write_image(
            tmp_path / "in" / f"{name}.npz", Image(torch.rand(1, 40, 36, generator=generator))
        )
    out_folder = tmp_path / "out"
    apply = ["apply", str(run_folder), str(tmp_path / "in"), "-o", str(out_folder)]
    code, out, err = called(capsys, *apply, "--json", "--device", "cpu")
    assert code == 0
    files = json.loads(out)["files"]
    assert str(out_folder / "mean" / "a.npz") in files
    assert "a (1 of 2)" in err
    code, out, err = called(capsys, *apply)
    assert code == 0
    assert "already there" in err

    code, out, _ = called(
        capsys, "sample", str(run_folder), "-n", "3", "-o", str(tmp_path / "s"), "--json"
    )
    assert code == 0
    assert [read_image(file).space for file in json.loads(out)["files"]] == [(32, 32)] * 3

    judge = ["evaluate", str(tmp_path / "in"), str(out_folder / "mean"), "-o", str(tmp_path / "e")]
    code, out, _ = called(capsys, *judge, "--json", "--range", "-1", "2", "--unit", "a.u.")
    found = json.loads(out)
    assert code == 0
    assert {record["metric"] for record in found["records"]} == {"mae", "psnr", "ssim"}
    assert "range -1 to 2 a.u." in found["records"][0]["protocol"]
    assert Path(found["report"]).is_file()
    code, out, _ = called(capsys, *judge)
    assert code == 0
    assert "mae" in out


def test_a_broken_case_makes_apply_exit_with_2(
    run_folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    write_image(tmp_path / "in" / "a.npz", Image(torch.rand(1, 32, 32)))
    (tmp_path / "in" / "b.npz").write_bytes(b"PK nonsense")
    code, _, err = called(
        capsys, "apply", str(run_folder), str(tmp_path / "in"), "-o", str(tmp_path / "out")
    )
    assert code == 2
    assert "1 of 2 that could not be" in err
    assert (tmp_path / "out" / "mean" / "a.npz").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "unet-regresion"], "did you mean unet-regression"),
        (["run", "unet-regression", "--set", "budget.step=3"], "did you mean steps"),
        (["run", "unet-regression", "--set", "budget.steps=many"], "int"),
        (["run", "unet-regression", "--set", "networks.net.width=3"], "did you mean network"),
        (["run", "unet-regression", "--set", "nonsense"], "--set key=value"),
        (["run", "unet-regression", "--task", "t1-to-t3"], "did you mean t1-to-t2"),
        (["run", "unet-regression", "--steps", "2", "--minutes", "1"], "steps or minutes"),
        (["run", "unet-regression", "--data", "/nowhere"], "nothing there"),
        (["run", "unet-regression", "--device", "tpu"], "tpu"),
        (["run", "unet-regression", "--steps", "0"], "greater than or equal to 1"),
        (["resume", "/nowhere"], "a run folder"),
        (["report", "/nowhere"], "a run folder"),
        (["apply", "/nowhere", "/nowhere", "-o", "out"], "a run folder"),
        (["evaluate", "/nowhere", "/nowhere", "-o", "out"], "a folder of images"),
    ],
)
def test_what_does_not_fit_is_one_sentence_and_exit_code_2(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = called(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert says in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_a_run_is_not_overwritten(
    run_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = called(capsys, "run", "unet-regression", "--out", str(run_folder), *TINY)
    assert code == 2
    assert f"vesalius resume {run_folder}" in err


def test_ctrl_c_saves_says_how_to_go_on_and_resume_finishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "vesalius.cli"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = subprocess.Popen(
        [*command, "run", "unet-regression", "--steps", "100000", "--out", str(folder), *TINY],
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    try:
        log = folder / "log.jsonl"
        limit = time.monotonic() + 120
        while time.monotonic() < limit and started.poll() is None:
            if log.is_file() and len(log.read_text().splitlines()) >= 3:
                break
            time.sleep(0.1)
        started.send_signal(signal.SIGINT)
        _, err = started.communicate(timeout=60)
    finally:
        started.kill()
    assert started.returncode == 130, err
    assert f"vesalius resume {folder}" in err
    assert "Traceback" not in err
    taken = len(log.read_text().splitlines())
    assert [path.name for path in (folder / "checkpoints").iterdir()] == [f"step-{taken:08d}"]
    # a shorter budget, so that the test ends: the recipe's fingerprint is part of the run
    _shorten(folder, taken + 1)
    code, out, err = called(capsys, "resume", str(folder), "--json")
    assert code == 0, err
    assert json.loads(out)["status"] == "reported"
    assert len(log.read_text().splitlines()) == taken + 1


def _shorten(folder: Path, steps: int) -> None:
    """Give a stopped run another number of steps."""
    from vesalius.core.recipe import Recipe

    saved = json.loads((folder / "run.json").read_text())
    recipe = Recipe.from_json(saved["recipe"]).set("budget.steps", str(steps))
    saved["recipe"] = recipe.to_json()
    (folder / "run.json").write_text(json.dumps(saved))
    for path in folder.glob("checkpoints/*/state.json"):
        state = json.loads(path.read_text())
        path.write_text(json.dumps({**state, "fingerprint": recipe.fingerprint()}))
