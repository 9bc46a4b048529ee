"""What the pages on judging show works: their commands run, their table of protocols is whole."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from vesalius.cli.program import program
from vesalius.core.image import Image
from vesalius.core.record import read_records
from vesalius.data.formats import write_image
from vesalius.evaluation import protocols
from vesalius.evaluation.protocols import Protocol

DOCS = Path(__file__).resolve().parents[2] / "docs"
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: Parts of commands that need a finished run, weights, a training, or more cores than a test has.
ELSEWHERE = ("runs/", "own.safetensors", "medmnist", "--ray", "--processes")
PAGES = (
    "tutorials/judge-two-folders.md",
    "how-to/judge-by-protocol.md",
    "how-to/find-copies.md",
    "how-to/compare-runs.md",
)
#: How far off the images of each folder are, in HU.
FOLDERS = {"real": 0, "training": 25, "generated": 20, "ours": 10, "theirs": 20, "today": 40}
PATIENTS = ("anna", "bert")


def blocks(page: str, language: str) -> list[str]:
    found = FENCE.findall((DOCS / page).read_text(encoding="utf-8"))
    return [text for kind, text in found if kind == language]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small CT volumes in HU of two patients, masks, and who they are; the folder one is in."""
    for number, (folder, off) in enumerate(FOLDERS.items()):
        for k, name in enumerate(PATIENTS):
            rng = np.random.default_rng(k + (10 if folder == "training" else 0))
            body = 40 + 30 * rng.standard_normal((44, 44, 8))
            noise = np.random.default_rng([number, k]).standard_normal(body.shape)
            data = torch.from_numpy(body + off * noise).float()[None]
            image = Image(data, unit="HU", modality="CT")
            write_image(tmp_path / folder / f"{name}.nii.gz", image)
            if folder == "real":
                inside = image.with_data(torch.ones_like(data), unit="label")
                write_image(tmp_path / "masks" / f"{name}.nii.gz", inside)
    rows = [f"{name},{'AB'[k % 2]},{30 + 20 * k}" for k, name in enumerate(PATIENTS)]
    (tmp_path / "groups.csv").write_text("\n".join(["patient,site,age_years", *rows, ""]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_a_page_run(page: str, folders: Path) -> None:
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    lines = [line for line in lines if not any(part in line for part in ELSEWHERE)]
    assert lines
    for line in lines:
        done = CliRunner().invoke(program, shlex.split(line)[1:])
        assert done.exit_code == 0, f"{line}: {done.output} {done.exception}"
    assert list(folders.glob("*/report.html"))
    found = [read_records(path)[0] for path in sorted(folders.glob("judged-*/metrics.json"))]
    errors = {one.recipe: one.value for one in found if one.metric == "mae"}
    assert sorted(errors, key=errors.__getitem__) == (["ours", "theirs", "today"] if found else [])


def test_python_of_the_pages_runs(folders: Path) -> None:
    given = {name: torch.randn(8, 4) for name in ("held_out", "training", "generated")}
    for page in PAGES:
        for code in blocks(page, "python"):
            exec(compile(code, page, "exec"), dict(given))
    (first, *_) = read_records(folders / "judged" / "metrics.json")
    assert first.protocol.startswith("ldct-redcnn")


def test_the_table_of_protocols_is_whole() -> None:
    text = (DOCS / "how-to" / "judge-by-protocol.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)
    rows = [row for row in rows if row[0] != "`--protocol`"]  # the head
    names = [name for row in rows for name in re.findall(r"`([^`]+)`", row[0])]
    assert sorted(names) == sorted(protocols.names())
    for called, files, measured, over in rows:
        for name in re.findall(r"`([^`]+)`", called):
            one = protocols.get(name)
            if not isinstance(one, Protocol):
                continue
            assert ("mask" in files) == (one.mask == "needed"), name
            assert ("HU" in files) == (one.unit == "HU"), name
            assert ("label" in files) == one.labels, name
            assert one.over.split()[0] in over, name
            if name != "video-fvd":  # of many dimensions, summed up
                for measure in one.measures:
                    word = measure.name.replace("_", " ").replace("ms ssim", "ms-ssim").split()[-1]
                    assert word in measured.lower(), f"{name}: {measure.name}"
