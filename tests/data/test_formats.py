from __future__ import annotations

import gzip
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import PIL.Image
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.core.image import Image, spacing_affine
from vesalius.data import read_image, write_image
from vesalius.data.formats import FORMATS

INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32")
FLOATS = ("float32", "float64")
QUICK = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def random_affine(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """A rotation or reflection (sometimes sheared), with voxel sizes of 0.2 to 6 mm."""
    orthogonal, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    affine = np.eye(4)
    affine[:3, :3] = orthogonal * rng.uniform(0.2, 6.0, size=3)
    if rng.random() < 0.3:
        affine[:3, 2] += 0.3 * affine[:3, 1]
    affine[:3, 3] = rng.uniform(-300, 300, size=3)
    return affine


def random_image(
    rng: np.random.Generator, stored: str, space: tuple[int, ...], channels: int = 1
) -> Image:
    shape = (channels, *space)
    if stored in INTEGERS:
        info = np.iinfo(stored)
        values = rng.integers(info.min, info.max, size=shape, endpoint=True).astype(np.float64)
        values.flat[0], values.flat[-1] = info.min, info.max
    else:
        values = rng.normal(size=shape) * 1e3
    wide = stored in ("float64", "uint32", "int32")
    data = torch.from_numpy(values).to(torch.float64 if wide else torch.float32)
    return Image(data, random_affine(rng), unit="HU", modality="CT", stored=stored)


def assert_alike(one: Image, other: Image, *, affine_tolerance: float) -> None:
    assert one.data.dtype == other.data.dtype
    assert torch.equal(one.data, other.data)
    np.testing.assert_allclose(one.affine, other.affine, atol=affine_tolerance, rtol=1e-6)
    assert (one.unit, one.modality, one.stored) == (other.unit, other.modality, other.stored)


@QUICK
@given(
    seed=st.integers(0, 2**32 - 1),
    stored=st.sampled_from(INTEGERS + FLOATS),
    space=st.lists(st.integers(1, 7), min_size=2, max_size=3).map(tuple),
    suffix=st.sampled_from([".nii", ".nii.gz"]),
)
def test_nifti_round_trip(
    tmp_path: Path, seed: int, stored: str, space: tuple[int, ...], suffix: str
) -> None:
    image = random_image(np.random.default_rng(seed), stored, space)
    path = tmp_path / f"image{suffix}"
    write_image(path, image)
    # the file holds float32 affines: 300 mm to within 2e-5 mm
    assert_alike(read_image(path), image, affine_tolerance=1e-4)
    other_reader = nibabel.load(path)
    np.testing.assert_array_equal(
        np.asarray(other_reader.dataobj, dtype=np.float64), image.data[0].double().numpy()
    )
    assert other_reader.get_data_dtype().name == stored


@QUICK
@given(
    seed=st.integers(0, 2**32 - 1),
    stored=st.sampled_from(INTEGERS + FLOATS),
    space=st.lists(st.integers(1, 7), min_size=2, max_size=3).map(tuple),
    channels=st.integers(1, 4),
)
def test_npz_round_trip(
    tmp_path: Path, seed: int, stored: str, space: tuple[int, ...], channels: int
) -> None:
    image = random_image(np.random.default_rng(seed), stored, space, channels)
    write_image(tmp_path / "image.npz", image)
    assert_alike(read_image(tmp_path / "image.npz"), image, affine_tolerance=0.0)


@pytest.mark.parametrize("stored", ["uint8", "uint16"])
def test_png_round_trip(tmp_path: Path, stored: str) -> None:
    image = random_image(np.random.default_rng(1), stored, (5, 8))
    write_image(tmp_path / "image.png", image)
    assert_alike(read_image(tmp_path / "image.png"), image, affine_tolerance=0.0)
    with PIL.Image.open(tmp_path / "image.png") as file:
        assert file.size == (8, 5)
        np.testing.assert_array_equal(np.asarray(file), image.data[0].numpy())


def test_colour_png_round_trip(tmp_path: Path) -> None:
    image = random_image(np.random.default_rng(1), "uint8", (5, 8), channels=3)
    write_image(tmp_path / "image.png", image)
    assert_alike(read_image(tmp_path / "image.png"), image, affine_tolerance=0.0)


@pytest.mark.parametrize("stored", ["float32", "int16"])
def test_hdf5_round_trip(tmp_path: Path, stored: str) -> None:
    image = random_image(np.random.default_rng(1), stored, (4, 5, 6))
    write_image(tmp_path / "image.h5", image)
    assert_alike(read_image(tmp_path / "image.h5"), image, affine_tolerance=0.0)


@pytest.mark.parametrize(
    "name", ["image.nii", "image.nii.gz", "image.npz", "image.png", "image.h5"]
)
def test_labels_stay_whole_numbers(tmp_path: Path, name: str) -> None:
    space = (3, 4) if name.endswith("png") else (3, 4, 5)
    labels = torch.arange(np.prod(space)).reshape(1, *space) % 7
    write_image(tmp_path / name, Image(labels, unit="label", modality="mask", stored="uint8"))
    found = read_image(tmp_path / name)
    assert found.unit == "label"
    assert found.data.dtype == torch.int64
    assert torch.equal(found.data, labels)


def test_complex_kspace_in_npz(tmp_path: Path) -> None:
    data = torch.complex(torch.randn(8, 4, 5), torch.randn(8, 4, 5))
    write_image(tmp_path / "kspace.npz", Image(data, stored="complex64"))
    assert torch.equal(read_image(tmp_path / "kspace.npz").data, data)


def test_nifti_keeps_the_files_own_axes(tmp_path: Path) -> None:
    affine = np.array([[0, 0, 2.0, 5], [-3, 0, 0, 6], [0, -1.5, 0, 7], [0, 0, 0, 1]])
    array = np.arange(24, dtype=np.int16).reshape(2, 3, 4)
    nibabel.save(nibabel.Nifti1Image(array, affine), tmp_path / "a.nii.gz")
    image = read_image(tmp_path / "a.nii.gz")
    np.testing.assert_array_equal(image.data[0].numpy(), array)
    np.testing.assert_allclose(image.affine, affine)
    assert image.spacing_mm == (3.0, 1.5, 2.0)
    assert image.stored == "int16"
    assert image.unit == "a.u."


def test_nifti_scale_is_applied_and_not_rounded_away(tmp_path: Path) -> None:
    file = nibabel.Nifti1Image(np.arange(8, dtype=np.int16).reshape(2, 2, 2), np.eye(4))
    file.header.set_slope_inter(0.25, -1.0)
    nibabel.save(file, tmp_path / "scaled.nii")
    raw = bytearray((tmp_path / "scaled.nii").read_bytes())
    raw[352:] = np.arange(8, dtype="<i2").tobytes()  # nibabel rescales on saving: put them back
    (tmp_path / "scaled.nii").write_bytes(raw)
    image = read_image(tmp_path / "scaled.nii")
    expected = np.arange(8).reshape(2, 2, 2, order="F") * 0.25 - 1.0
    np.testing.assert_allclose(image.data[0].numpy(), expected)
    assert image.stored == "float32"
    write_image(tmp_path / "again.nii", image)
    assert torch.equal(read_image(tmp_path / "again.nii").data, image.data)


def test_nifti_with_a_single_fourth_axis_is_a_volume(tmp_path: Path) -> None:
    nibabel.save(
        nibabel.Nifti1Image(np.ones((2, 3, 4, 1), np.float32), np.eye(4)), tmp_path / "a.nii"
    )
    assert read_image(tmp_path / "a.nii").space == (2, 3, 4)


def test_spacing_beside_an_array(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ct=np.ones((2, 3, 4)), spacing_mm=np.array([1.0, 2.0, 3.5]))
    image = read_image(tmp_path / "a.npz")
    assert image.space == (2, 3, 4)
    np.testing.assert_array_equal(image.affine, spacing_affine((1.0, 2.0, 3.5)))


def test_bare_arrays_are_read_and_not_written(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(6, dtype=np.int16).reshape(2, 3))
    image = read_image(tmp_path / "a.npy")
    assert image.data.tolist() == [[[0, 1, 2], [3, 4, 5]]]
    with pytest.raises(InputError, match=r"write \.npz"):
        write_image(tmp_path / "b.npy", image)


def test_values_are_rounded_and_clipping_is_said(tmp_path: Path) -> None:
    image = Image(torch.tensor([[[-3.0, 0.4, 0.6, 254.6, 300.0]]]), stored="uint8")
    with pytest.warns(UserWarning, match=r"2 values outside \[0, 255\] of uint8 were clipped"):
        write_image(tmp_path / "a.npz", image)
    assert read_image(tmp_path / "a.npz").data.tolist() == [[[0.0, 0.0, 1.0, 255.0, 255.0]]]


@pytest.mark.parametrize("stored", ["int64", "uint64", "int32", "uint32", "int16", "int8"])
def test_clipping_reaches_the_ends_of_every_type(tmp_path: Path, stored: str) -> None:
    image = Image(torch.tensor([[[-1e30, 0.0, 1e30]]], dtype=torch.float64), stored=stored)
    with pytest.warns(UserWarning, match="2 values outside"):
        write_image(tmp_path / "a.npz", image)
    low, middle, high = np.load(tmp_path / "a.npz")["image"][0].tolist()
    info = np.iinfo(stored)
    assert low == info.min
    assert middle == 0
    assert info.max * (1 - 1e-12) <= high <= info.max


def small_file(path: Path) -> Path:
    stored = "uint16" if path.suffix == ".png" else "float32"
    space = (16, 24) if path.suffix == ".png" else (6, 7, 8)
    image = random_image(np.random.default_rng(0), stored, space)
    if path.suffix == ".npy":
        np.save(path, image.data.numpy())
    else:
        write_image(path, image)
    return path


def sentence(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_image(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: expected ")
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("suffix", sorted(FORMATS))
def test_bad_files_of_every_format(tmp_path: Path, suffix: str) -> None:
    assert "nothing there" in sentence(tmp_path / f"missing{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    assert "a folder" in sentence(tmp_path / f"folder{suffix}")
    (tmp_path / f"empty{suffix}").touch()
    assert "an empty file" in sentence(tmp_path / f"empty{suffix}")
    content = small_file(tmp_path / f"whole{suffix}").read_bytes()
    for kept in (3, 20, len(content) // 2, len(content) - 30):
        (tmp_path / f"cut{suffix}").write_bytes(content[:kept])
        assert "truncated or corrupt" in sentence(tmp_path / f"cut{suffix}")
    noise = np.random.default_rng(0).bytes(len(content))
    (tmp_path / f"noise{suffix}").write_bytes(noise)
    assert "truncated or corrupt" in sentence(tmp_path / f"noise{suffix}")


@pytest.mark.parametrize("suffix", [".npz", ".png", ".nii.gz"])
def test_flipped_bits_are_found(tmp_path: Path, suffix: str) -> None:
    content = bytearray(small_file(tmp_path / f"a{suffix}").read_bytes())
    middle = len(content) // 2
    for place in range(middle, middle + 20):
        content[place] ^= 0xFF
    (tmp_path / f"a{suffix}").write_bytes(content)
    assert "truncated or corrupt" in sentence(tmp_path / f"a{suffix}")


def test_gzip_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "a.nii.gz").write_bytes(gzip.compress(b"not an image" * 100))
    assert "truncated or corrupt" in sentence(tmp_path / "a.nii.gz")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity(tmp_path: Path, value: float) -> None:
    array = np.ones((3, 4, 5), np.float32)
    array[1, 2, 3] = value
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "a.nii.gz")
    np.savez(tmp_path / "a.npz", image=array)
    np.save(tmp_path / "a.npy", array)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["reconstruction_rss"] = array
    for name in ("a.nii.gz", "a.npz", "a.npy", "a.h5"):
        assert "1 NaN or infinite voxels" in sentence(tmp_path / name)
    for name in ("b.nii", "b.npz", "b.h5"):
        with pytest.raises(InputError, match="finite values to write, got 1 NaN"):
            write_image(tmp_path / name, Image(torch.from_numpy(array)[None]))
        assert not (tmp_path / name).exists()


def test_more_axes_than_a_volume_has(tmp_path: Path) -> None:
    nibabel.save(
        nibabel.Nifti1Image(np.zeros((2, 3, 4, 5), np.float32), np.eye(4)), tmp_path / "a.nii"
    )
    assert "got 4D of shape (2, 3, 4, 5); pass one volume." in sentence(tmp_path / "a.nii")
    np.save(tmp_path / "a.npy", np.zeros((2, 3, 4, 5, 6)))
    assert "2, 3 or 4 axes" in sentence(tmp_path / "a.npy")


def test_affine_that_cannot_be_inverted(tmp_path: Path) -> None:
    file = nibabel.Nifti1Image(np.ones((2, 2, 2), np.float32), np.eye(4))
    file.header["srow_x"] = 0
    nibabel.save(file, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    content[280:296] = bytes(16)  # srow_x
    (tmp_path / "a.nii").write_bytes(content)
    assert "an affine that can be inverted" in sentence(tmp_path / "a.nii")


class _Bomb:
    """Leaves a file behind if it is ever unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_pickles_are_refused_and_not_run(tmp_path: Path) -> None:
    bomb = _Bomb(tmp_path / "exploded")
    (tmp_path / "bare.npy").write_bytes(pickle.dumps(bomb))
    (tmp_path / "bare.npz").write_bytes(pickle.dumps(bomb))
    objects = np.array([[bomb, bomb]], dtype=object)
    np.save(tmp_path / "object.npy", objects, allow_pickle=True)
    np.savez(tmp_path / "object.npz", image=objects)
    for name in ("bare.npy", "bare.npz", "object.npy", "object.npz"):
        assert "a pickle, which could run code" in sentence(tmp_path / name)
    assert not (tmp_path / "exploded").exists()


def test_which_array_is_the_image_must_be_clear(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", ct=np.ones((2, 2)), mr=np.ones((2, 2)))
    assert "an array named 'image', got ct, mr" in sentence(tmp_path / "a.npz")


def test_unknown_suffix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.nii\.gz.*got '\.xyz'"):
        read_image(tmp_path / "a.xyz")


def test_text_is_no_image(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([["a", "b"]]))
    assert "an array of numbers" in sentence(tmp_path / "a.npy")


def test_wrong_number_of_channels(tmp_path: Path) -> None:
    two = random_image(np.random.default_rng(0), "uint8", (4, 5), channels=2)
    with pytest.raises(InputError, match="1 or 3 channels, got 2"):
        write_image(tmp_path / "a.png", two)
    with pytest.raises(InputError, match="1 channel, got 2"):
        write_image(tmp_path / "a.nii", two)
    with pytest.raises(InputError, match="a type among uint8, uint16"):
        write_image(tmp_path / "a.png", replace(two, data=two.data[:1], stored="float32"))
    PIL.Image.new("RGBA", (4, 4)).save(tmp_path / "clear.png")
    assert "PNG mode 'RGBA'" in sentence(tmp_path / "clear.png")


def test_a_full_or_forbidden_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = small_file(tmp_path / "a.nii")
    before = path.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    with pytest.raises(InputError, match="room on the disk"):
        write_image(path, Image(torch.zeros(1, 2, 2, 2)))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.nii"]


def test_real_files_round_trip(tmp_path: Path, real: Any) -> None:
    for source in (real("ct_head") / "head_ct_hu.nii.gz", real("open_ms") / "patient07_t1.nii.gz"):
        image = read_image(source)
        write_image(tmp_path / "a.nii", image)
        assert_alike(read_image(tmp_path / "a.nii"), image, affine_tolerance=1e-5)
        original = nibabel.load(source)
        np.testing.assert_allclose(nibabel.load(tmp_path / "a.nii").affine, original.affine)
        np.testing.assert_array_equal(image.data[0].numpy(), original.get_fdata(dtype=np.float32))
