from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius.cli import main
from vesalius.core.image import Image
from vesalius.data.formats import write_image


def called(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    out, err = capsys.readouterr()
    return int(stopped.value.code or 0), out, err


@pytest.mark.parametrize(
    ("kind", "key", "known"),
    [
        ("recipes", "recipe", "unet-regression"),
        ("systems", "identifier", "dolce"),
        ("tasks", "task", "mri-4x"),
        ("metrics", "metric", "ssim"),
        ("datasets", "data", "digital-patients"),
        ("networks", "network", "UNet"),
    ],
)
def test_lists(capsys: pytest.CaptureFixture[str], kind: str, key: str, known: str) -> None:
    code, out, _ = called(capsys, "list", kind, "--json")
    rows = json.loads(out)
    assert code == 0
    assert known in [row[key] for row in rows]
    assert len({row[key] for row in rows}) == len(rows)
    code, out, _ = called(capsys, "list", kind)
    assert code == 0
    assert len(out.splitlines()) > len(rows)


def test_a_list_of_nothing_known(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "list", "sytems")
    assert code == 2
    assert out == ""
    assert "systems" in err


def test_every_recipe_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = called(capsys, "list", "recipes", "--json")
    for row in json.loads(out):
        name = row["recipe"]
        code, out, _ = called(capsys, "show", name, "--json")
        shown = json.loads(out)
        assert code == 0
        assert shown["recipe"]["name"] == name
        code, out, _ = called(capsys, "show", name)
        assert code == 0
        assert shown["fingerprint"] in out
        for deviation in shown["recipe"]["provenance"]["deviations"]:
            assert deviation in out
        assert "What was measured" in out


def test_a_wrong_recipe_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = called(capsys, "show", "unet-regresion", "--json")
    assert code == 2
    assert out == ""
    assert "did you mean unet-regression" in err
    assert len(err.strip().splitlines()) == 1
    assert "Traceback" not in err


def test_data_is_described(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for case in ("a", "b", "c"):
        for channel in ("t1", "t2"):
            image = Image(torch.rand(1, 6, 5, 4), np.diag([1.0, 2.0, 3.0, 1.0]))
            write_image(tmp_path / f"{case}_{channel}.nii.gz", image)
    code, out, _ = called(capsys, "data", str(tmp_path), "--json")
    found = json.loads(out)
    assert code == 0
    assert found["data"] == "nifti-folder"
    assert found["cases"] == found["patients"] == 3
    assert found["channels"] == {"t1": "MR-T1w", "t2": "MR-T2w"}
    assert found["first case"]["t1"]["spacing_mm"] == [1, 2, 3]
    code, out, _ = called(capsys, "data", str(tmp_path))
    assert code == 0
    assert "6 x 5 x 4 voxels of 1 x 2 x 3 mm" in out


def test_data_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, _, err = called(capsys, "data", str(tmp_path / "nowhere"))
    assert code == 2
    assert "nothing there" in err


def test_networks_come_with_their_size_and_their_use(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = called(capsys, "list", "networks", "--json")
    for row in json.loads(out):
        sizes = [row["parameters in 2D"], row["in 3D"]]
        # what learns without gradient or stands still
        if row["network"] in ("Codebook", "LatentScale", "SentenceEncoder"):
            assert sizes == [0, 0]
        else:
            assert any(size and size > 0 for size in sizes), row["network"]
    assert [row["network"] for row in json.loads(out) if not row["recipes"]] == []
