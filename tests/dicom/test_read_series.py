from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import torch
from invented_series import SECRETS, make_slice, oblique_affine_lps, save
from pydicom import dcmread
from pydicom.data import get_testdata_file

from vesalius.core.errors import InputError
from vesalius.dicom import read_series

WriteCt = Callable[..., Path]


def sentence(source: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_series(source)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert not any(secret in text for secret in SECRETS), text
    assert "2.25." not in text
    return text


def test_values_order_and_affine(write_ct: WriteCt, volume: Any) -> None:
    image, header = read_series(write_ct())
    np.testing.assert_array_equal(image.data[0].numpy(), volume)
    assert (image.unit, image.modality, image.stored) == ("HU", "CT", "uint16")
    assert image.data.dtype == torch.float32
    expected = np.diag([-1.0, -1.0, 1.0, 1.0]) @ oblique_affine_lps()
    np.testing.assert_allclose(image.affine, expected, atol=1e-6)
    np.testing.assert_allclose(image.spacing_mm, (0.8, 0.6, 2.5), atol=1e-6)
    # rows to the back and columns to the left: PSL seen as directions of RAS+
    assert nibabel.aff2axcodes(image.affine) == ("P", "L", "S")
    assert header.space == (6, 5, 7)
    assert (header.modality, header.series_number) == ("CT", 7)
    assert not any(secret in repr(header) for secret in SECRETS)
    assert all("PixelData" not in dataset for dataset in header.slices)


def test_order_follows_the_normal_and_not_the_numbers(tmp_path: Path, volume: Any) -> None:
    """A stack stored from head to feet comes out along the same normal, feet first."""
    downwards = oblique_affine_lps()
    downwards[:3, 3] += 6 * downwards[:3, 2]
    downwards[:3, 2] *= -1
    for index in range(7):
        save(make_slice(volume, index, downwards), tmp_path / f"{index}.dcm")
    image, _ = read_series(tmp_path)
    np.testing.assert_array_equal(image.data[0].numpy(), volume[..., ::-1])
    expected = np.diag([-1.0, -1.0, 1.0, 1.0]) @ oblique_affine_lps()
    np.testing.assert_allclose(image.affine, expected, atol=1e-6)


def test_a_tilted_gantry_shears_the_affine(tmp_path: Path, volume: Any) -> None:
    sheared = oblique_affine_lps()
    sheared[:3, 2] += 0.5 * sheared[:3, 0]
    for index in range(7):
        save(make_slice(volume, index, sheared), tmp_path / f"{index}.dcm")
    image, _ = read_series(tmp_path)
    np.testing.assert_allclose(image.affine, np.diag([-1.0, -1, 1, 1]) @ sheared, atol=1e-6)


def test_rescaling(tmp_path: Path, volume: Any) -> None:
    for index in range(3):
        dataset = make_slice(
            volume,
            index,
            oblique_affine_lps(),
            RescaleSlope=str(index + 0.5),
            Modality="PT",
            Units="BQML",
        )
        save(dataset, tmp_path / f"{index}.dcm")
    image, _ = read_series(tmp_path)
    slopes = np.array([0.5, 1.5, 2.5])
    expected = (volume[..., :3] + 1024) * slopes - 1024
    np.testing.assert_allclose(image.data[0].numpy(), expected, rtol=1e-6)
    assert (image.unit, image.modality) == ("Bq/ml", "PET")


def test_one_file_is_a_slice(write_ct: WriteCt, volume: Any) -> None:
    image, header = read_series(write_ct() / "Vermeer_1.dcm")
    np.testing.assert_array_equal(image.data[0].numpy(), volume[..., 0])
    expected = np.diag([-1.0, -1.0, 1.0, 1.0]) @ oblique_affine_lps()
    np.testing.assert_allclose(image.affine, expected, atol=1e-6)
    assert header.space == (6, 5)


def test_files_may_be_listed(write_ct: WriteCt, volume: Any) -> None:
    image, _ = read_series(sorted(write_ct().iterdir()))
    np.testing.assert_array_equal(image.data[0].numpy(), volume)


def test_other_files_in_the_folder_do_not_matter(write_ct: WriteCt) -> None:
    folder = write_ct()
    (folder / "notes.txt").write_text("hello " * 100)
    (folder / ".hidden.dcm").write_bytes(b"x")
    assert read_series(folder)[0].space == (6, 5, 7)
    assert "a file of another kind" in sentence([folder / "notes.txt"])
    assert "a file of another kind" in sentence(folder / "notes.txt")


@pytest.mark.parametrize("missing", [1, 3, 5])
def test_a_missing_slice(write_ct: WriteCt, missing: int) -> None:
    along = oblique_affine_lps()
    normal = along[:3, 2] / 2.5
    before = along[:3, 3] @ normal + 2.5 * (missing - 1)
    text = sentence(write_ct(leave_out=(missing,)))
    assert "expected slices 2.50 mm apart" in text
    assert f"a gap of 5.00 mm after {before:.2f} mm along the series (1 slice missing)" in text


def test_two_missing_slices(write_ct: WriteCt) -> None:
    text = sentence(write_ct(leave_out=(3, 4)))
    assert "a gap of 7.50 mm" in text
    assert "(2 slices missing)" in text


def test_a_slice_missing_at_an_end_cannot_be_seen(write_ct: WriteCt) -> None:
    assert read_series(write_ct(leave_out=(0,)))[0].space == (6, 5, 6)


def test_two_series(write_ct: WriteCt, volume: Any) -> None:
    folder = write_ct()
    other = make_slice(volume, 2, oblique_affine_lps(), series="2.25.999", SeriesNumber=9)
    save(other, folder / "other.dcm")
    text = sentence(folder)
    assert "the images of one series, got 2 series (numbers 7, 9)" in text


def test_two_images_at_one_place(write_ct: WriteCt, volume: Any) -> None:
    folder = write_ct()
    save(make_slice(volume, 2, oblique_affine_lps()), folder / "again.dcm")
    assert "one image at each position, got two at" in sentence(folder)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]},
            "slices of one orientation, got several",
        ),
        ({"PixelSpacing": [0.7, 0.7]}, "slices of one pixel spacing, got several"),
        ({"PixelSpacing": None}, "2 numbers in PixelSpacing, got none"),
        ({"PixelSpacing": [0, 0]}, "a pixel spacing above 0 mm"),
        ({"ImagePositionPatient": None}, "3 numbers in ImagePositionPatient, got none"),
        ({"ImageOrientationPatient": [1, 0, 0, 1, 0, 0]}, "two orthogonal unit vectors"),
        ({"Rows": 5}, "one value of Rows in a series, got several"),
        ({"RescaleIntercept": None}, "RescaleSlope and RescaleIntercept in a CT image"),
        ({"RescaleSlope": "0"}, "a RescaleSlope other than 0"),
        ({"NumberOfFrames": 2}, "images of one frame, got one of 2 frames"),
        ({"SamplesPerPixel": 3}, "grey images, got colour"),
        ({"PixelData": b"\0" * 40}, "whole pixel data, got missing or truncated"),
        ({"PixelData": None}, "whole pixel data, got missing or truncated"),
    ],
)
def test_one_odd_slice(
    write_ct: WriteCt, volume: Any, changed: dict[str, Any], message: str
) -> None:
    folder = write_ct(leave_out=(3,))
    save(make_slice(volume, 3, oblique_affine_lps(), **changed), folder / "odd.dcm")
    assert message in sentence(folder)


def test_a_slice_beside_the_line(write_ct: WriteCt, volume: Any) -> None:
    folder = write_ct(leave_out=(3,))
    moved = oblique_affine_lps()
    moved[:3, 3] += moved[:3, 0] * 2
    save(make_slice(volume, 3, moved), folder / "odd.dcm")
    assert "slices on one straight line, got one 1.60 mm beside it" in sentence(folder)


def test_missing_empty_and_broken_files(write_ct: WriteCt, tmp_path: Path) -> None:
    assert "nothing there" in sentence(tmp_path / "Vermeer")
    (tmp_path / "none").mkdir()
    assert "expected DICOM images, got none" in sentence(tmp_path / "none")
    folder = write_ct()
    assert "got nothing there" in sentence([folder / "Vermeer_99.dcm"])
    whole = (folder / "Vermeer_2.dcm").read_bytes()
    (folder / "Vermeer_2.dcm").write_bytes(whole[: len(whole) - 20])
    assert "whole pixel data" in sentence(folder)
    (folder / "Vermeer_2.dcm").write_bytes(b"")
    assert "file 3 of 7: expected a DICOM file, got an empty file" in sentence(folder)


@pytest.mark.filterwarnings("ignore")
def test_files_cut_anywhere_give_a_sentence(write_ct: WriteCt) -> None:
    folder = write_ct()
    whole = (folder / "Vermeer_2.dcm").read_bytes()
    for kept in range(1, len(whole) - 2, 7):
        (folder / "Vermeer_2.dcm").write_bytes(whole[:kept])
        sentence([folder / "Vermeer_2.dcm"])


@pytest.mark.filterwarnings("ignore")
def test_bits_flipped_anywhere_give_an_image_or_a_sentence(write_ct: WriteCt) -> None:
    path = write_ct() / "Vermeer_2.dcm"
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    said: list[str] = []
    for _ in range(150):
        noisy = bytearray(whole)
        for place in rng.integers(132, len(whole) - 60, size=3):
            noisy[place] ^= int(rng.integers(1, 256))
        path.write_bytes(noisy)
        try:
            read_series(path)
        except InputError as error:
            said.append(str(error))
    assert len(said) > 10
    assert not any(secret in text for text in said for secret in SECRETS)


def example(name: str) -> Path:
    """A file that comes inside the pydicom package; a skip where it would have to be downloaded."""
    found = get_testdata_file(name, download=False)
    if found is None:
        pytest.skip(f"pydicom's example {name} is not installed")
    return Path(str(found))


def test_pydicoms_ct() -> None:
    path = example("CT_small.dcm")
    image, _ = read_series(path)
    dataset = dcmread(path)
    np.testing.assert_array_equal(image.data[0].numpy(), dataset.pixel_array.astype(float) - 1024)
    assert image.unit == "HU"
    np.testing.assert_allclose(image.spacing_mm, [0.661468, 0.661468])
    # from the file's text: position -158.135803, -179.035797, -75.699997 in LPS
    np.testing.assert_allclose(image.affine[:3, 3], [158.135803, 179.035797, -75.699997])


@pytest.mark.parametrize("name", ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm"])
def test_pydicoms_mr_in_several_transfer_syntaxes(name: str) -> None:
    image, _ = read_series(example(name))
    reference = dcmread(example("MR_small.dcm"))
    np.testing.assert_array_equal(image.data[0].numpy(), reference.pixel_array)
    assert (image.unit, image.stored) == ("a.u.", "int16")


def test_pydicoms_truncated_mr() -> None:
    assert "whole pixel data" in sentence(example("MR_truncated.dcm"))


def test_pydicoms_jpeg_2000_says_what_is_missing_or_reads() -> None:
    path = example("JPEG2000.dcm")
    try:
        dcmread(path).pixel_array  # noqa: B018
    except RuntimeError:
        text = sentence(path)
        assert "JPEG 2000" in text
        assert "pip install pylibjpeg" in text
    else:
        assert read_series(path)[0].space == (1024, 256)


def test_a_real_series(real: Any) -> None:
    image, header = read_series(real("dicom_t1"))
    assert image.space == (384, 274, 24)
    np.testing.assert_allclose(image.spacing_mm, (2 / 3, 0.7, 2 / 3), atol=1e-4)
    last = header.slices[-1]
    corner = image.affine @ [0, 0, 23, 1]
    expected = np.array([-1, -1, 1]) * np.array(last.ImagePositionPatient, dtype=float)
    np.testing.assert_allclose(corner[:3], expected, atol=1e-3)
    pixels = dcmread(sorted(real("dicom_t1").glob("*.dcm"))[-1]).pixel_array
    np.testing.assert_array_equal(image.data[0, ..., -1].numpy(), pixels)
