"""What does not go together is said in one sentence that names the file and its folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import write_image
from vesalius.runner.folders import evaluate_folders


def grey(size: int = 16, stored: str = "uint8", seed: int = 0) -> Image:
    noise = torch.rand(1, size, size, generator=torch.Generator().manual_seed(seed))
    return Image((250 * noise).round(), stored=stored)


def filled(folder: Path, n: int, *, name: str = "{:02d}", patient: str = "") -> Path:
    for k in range(n):
        write_image(folder / f"{name.format(k)}.png", grey(seed=k))
    if patient:
        rows = [f"{name.format(k)}.png,{patient.format(k // 2)}" for k in range(n)]
        (folder / "patients.csv").write_text("\n".join(["file,patient", *rows, ""]))
    return folder


def refused(real: Path, generated: Path, out: Path, **options: object) -> str:
    with pytest.raises(InputError) as raised:
        evaluate_folders(real, generated, out=out, **options)  # type: ignore[arg-type]
    return str(raised.value)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda path: write_image(path, grey(20)), "drawn/03.png: expected a pair of one size"),
        (
            lambda path: write_image(path, grey(stored="uint16")),
            "drawn/03.png: expected one bit depth in both folders, uint8 as in real/00.png",
        ),
        (
            lambda path: write_image(path, Image(torch.ones(3, 16, 16), stored="uint8")),
            "drawn/03.png: expected one channel",
        ),
        (lambda path: path.unlink(), "5 pairs, 1 real alone (03.png)"),
    ],
)
def test_the_file_and_its_folder_are_named(
    tmp_path: Path, spoil: Callable[[Path], None], says: str
) -> None:
    real, drawn = filled(tmp_path / "real", 6), filled(tmp_path / "drawn", 6)
    spoil(drawn / "03.png")
    assert says in refused(real, drawn, tmp_path / "out")


def test_a_set_of_other_sizes_names_one_of_them(tmp_path: Path) -> None:
    real = filled(tmp_path / "real", 3)
    drawn = filled(tmp_path / "drawn", 3, name="x{}")
    write_image(drawn / "x1.png", grey(20))
    said = refused(real, drawn, tmp_path / "out", pairs="common")
    assert said.startswith("drawn/x1.png: expected generated images of a real one's size, 16x16")


def test_patients_are_counted_and_never_named(tmp_path: Path) -> None:
    real = filled(tmp_path / "real", 4, patient="Vogel-{}")
    drawn = filled(tmp_path / "drawn", 4, patient="Vogel-{}")
    train = filled(tmp_path / "train", 2, patient="Vogel-{}")
    said = refused(real, drawn, tmp_path / "out", train=train)
    assert said.startswith("real/00.png: ")
    assert "2 of 4 images of patients in both folders" in said
    assert "Vogel" not in said
    (real / "patients.csv").write_text("file,patient\n00.png,Vogel\n")
    said = refused(real, drawn, tmp_path / "out")
    assert said.startswith("real/01.png: expected a patient for every file in patients.csv")


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("empty", "marks a voxel"),
        ("size", "got (12, 8, 8)"),
        ("place", "one affine"),
        ("none", "no mask"),
    ],
)
def test_masks_fit_their_images(tmp_path: Path, what: str, says: str) -> None:
    affine = np.diag([2.0, 2, 2, 1])
    image = Image(torch.rand(1, 12, 12, 12), affine, unit="HU")
    for side in ("real", "drawn"):
        write_image(tmp_path / side / "a.nii.gz", image)
    inside = torch.ones(1, 12, 12, 12, dtype=torch.int64)
    mask = Image(inside, affine, unit="label", stored="uint8")
    if what == "empty":
        mask = mask.with_data(inside * 0)
    elif what == "size":
        mask = Image(inside[..., :8, :8], affine, unit="label", stored="uint8")
    elif what == "place":
        shifted = affine.copy()
        shifted[:3, 3] = 5
        mask = Image(inside, shifted, unit="label", stored="uint8")
    name = "b" if what == "none" else "a"
    write_image(tmp_path / "mask" / f"{name}.nii.gz", mask)
    said = refused(tmp_path / "real", tmp_path / "drawn", tmp_path / "out", mask=tmp_path / "mask")
    if what == "none":
        assert said.startswith("real/a.nii.gz: expected a mask of this name")
    else:
        assert said.startswith("mask/a.nii.gz: ")
        assert says in said


def test_values_of_an_earlier_evaluation_are_not_left(tmp_path: Path) -> None:
    real = filled(tmp_path / "real", 12)
    drawn = filled(tmp_path / "drawn", 12)
    other = filled(tmp_path / "other", 12, name="x{}")
    out = tmp_path / "out"
    evaluate_folders(real, drawn, out=out)
    assert (out / "cases.csv").is_file()
    evaluate_folders(real, other, out=out, pairs="common")
    assert not (out / "cases.csv").exists()


@pytest.mark.parametrize("protocol", [None, "fastmri-knee-4x"])
def test_a_range_that_a_protocol_does_not_use_is_said_to_be_of_features(
    tmp_path: Path, protocol: str | None
) -> None:
    volume = Image(torch.rand(1, 12, 12, 8, generator=torch.Generator().manual_seed(0)))
    for side in ("real", "drawn"):
        write_image(tmp_path / side / "a.nii.gz", volume)
    out = tmp_path / "out"
    evaluate_folders(tmp_path / "real", tmp_path / "drawn", out=out, protocol=protocol)
    page = (out / "report.html").read_text()
    assert "was taken from the real images" in page
    assert ("It is of features only" in page) == (protocol is not None)


def test_bytes_and_fractions_are_two_scales(tmp_path: Path) -> None:
    real, drawn = filled(tmp_path / "real", 3), tmp_path / "drawn"
    for number in range(3):
        write_image(drawn / f"{number:02d}.npz", Image(torch.rand(1, 16, 16)))
    said = refused(real, drawn, tmp_path / "out")
    assert "drawn/00.npz: expected one scale in both folders, uint8 as in real/00.png" in said
    assert "multiply by 255" in said
    for number in range(3):  # masks and empty images are no fractions
        write_image(drawn / f"{number:02d}.npz", Image((torch.rand(1, 16, 16) > 0.5).float()))
    evaluate_folders(real, drawn, out=tmp_path / "out")
    fractions = tmp_path / "fractions"
    for number in range(3):
        write_image(fractions / f"{number:02d}.npz", Image(torch.rand(1, 16, 16)))
    assert "divide by 255" in refused(fractions, real, tmp_path / "out")
