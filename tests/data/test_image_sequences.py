"""Files of sequences: time where each format has it, sizes, broken files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nibabel import Nifti1Image, save

from vesalius.core import InputError
from vesalius.data.sequences import read_sequence


def nifti(path: Path, array: np.ndarray, sizes: tuple[float, ...]) -> Path:
    file = Nifti1Image(array, np.eye(4))
    file.header.set_zooms(sizes)
    save(file, path)
    return path


@pytest.fixture
def frames() -> np.ndarray:
    """``(time, height, width)``, 5 x 4 x 3."""
    return np.arange(60, dtype=np.int16).reshape(5, 4, 3)


def test_nifti(tmp_path: Path, frames: np.ndarray) -> None:
    last = np.moveaxis(frames, 0, -1)
    flat = read_sequence(nifti(tmp_path / "a.nii.gz", last[:, :, None], (0.5, 0.7, 8, 40)))
    np.testing.assert_array_equal(flat.data[0], frames)
    assert flat.spacing_mm == pytest.approx((0.5, 0.7))
    assert flat.stored == "int16"
    three = read_sequence(nifti(tmp_path / "b.nii", last, (0.5, 0.7, 40)))
    np.testing.assert_array_equal(three.data[0], frames)
    volumes = np.stack([last, last + 100], 2)  # (x, y, z, time)
    deep = read_sequence(nifti(tmp_path / "c.nii", volumes, (1, 1, 3, 40)))
    assert deep.data.shape == (1, 5, 4, 3, 2)
    np.testing.assert_array_equal(deep.data[0, ..., 1], frames + 100)
    assert deep.spacing_mm == pytest.approx((1, 1, 3))
    with pytest.raises(InputError, match="a sequence"):
        read_sequence(nifti(tmp_path / "d.nii", last[..., 0], (1, 1)))
    (tmp_path / "e.nii").write_bytes(b"not an image at all")
    with pytest.raises(InputError, match="a readable NIfTI file"):
        read_sequence(tmp_path / "e.nii")


def test_npz(tmp_path: Path, frames: np.ndarray) -> None:
    np.savez(tmp_path / "a.npz", frames=frames, unit="HU", spacing_mm=[2.0, 3.0])
    found = read_sequence(tmp_path / "a.npz")
    np.testing.assert_array_equal(found.data[0], frames)
    assert (found.unit, found.spacing_mm) == ("HU", (2.0, 3.0))
    np.savez(tmp_path / "b.npz", anything=np.moveaxis(frames, 0, -1), time_axis=-1)
    np.testing.assert_array_equal(read_sequence(tmp_path / "b.npz").data[0], frames)
    np.savez(tmp_path / "c.npz", a=frames, b=frames)
    with pytest.raises(InputError, match="an array named 'frames'"):
        read_sequence(tmp_path / "c.npz")
    np.savez(tmp_path / "d.npz", frames=frames, time_axis=3)
    with pytest.raises(InputError, match="time_axis"):
        read_sequence(tmp_path / "d.npz")
    broken = frames.astype(np.float32)
    broken[1, 1, 1] = np.nan
    np.savez(tmp_path / "e.npz", frames=broken)
    with pytest.raises(InputError, match="NaN"):
        read_sequence(tmp_path / "e.npz")
    np.savez(tmp_path / "f.npz", frames=frames, spacing_mm=[1.0, -1.0])
    with pytest.raises(InputError, match="voxel sizes"):
        read_sequence(tmp_path / "f.npz")


def test_npy_and_images(tmp_path: Path, frames: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", frames)
    np.testing.assert_array_equal(read_sequence(tmp_path / "a.npy").data[0], frames)
    np.save(tmp_path / "b.npy", frames[0])
    with pytest.raises(InputError, match="one image"):
        read_sequence(tmp_path / "b.npy")
