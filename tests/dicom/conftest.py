"""Where the real images for tests lie, and series that are made up."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented_series import make_slice, oblique_affine_lps, save

ROOT = Path(
    os.environ.get("VESALIUS_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)


@pytest.fixture
def real() -> Callable[[str], Path]:
    """``real("dicom_t1")``: the folder of real data, or a skip where it is absent."""

    def find(name: str) -> Path:
        path = ROOT / name
        if not path.exists():
            pytest.skip(f"real images not found: set VESALIUS_TEST_DATA to the folder of '{name}'")
        return path

    return find


@pytest.fixture
def volume() -> Any:
    """HU in [-1024, 3071], (row, column, slice) = (6, 5, 7), without symmetry."""
    rng = np.random.default_rng(5)
    return rng.integers(-1024, 3072, size=(6, 5, 7))


@pytest.fixture
def write_ct(tmp_path: Path, volume: Any) -> Callable[..., Path]:
    """``write_ct(name, leave_out=(3,), ...)``: a series in a folder, files in scrambled order."""

    def write(name: str = "ct", *, leave_out: tuple[int, ...] = (), **changed: Any) -> Path:
        folder = tmp_path / name
        scrambled = (4, 0, 6, 2, 5, 1, 3)
        for number, index in enumerate(scrambled):
            if index not in leave_out:
                dataset = make_slice(volume, index, oblique_affine_lps(), **changed)
                save(dataset, folder / f"Vermeer_{number}.dcm")
        return folder

    return write
