"""Where the real images for tests lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(
    os.environ.get("VESALIUS_TEST_DATA", Path(__file__).resolve().parents[3] / "shared" / "data")
)


@pytest.fixture
def real() -> Callable[[str], Path]:
    """``real("openkbp")``: the folder of real data, or a skip where it is absent."""

    def find(name: str) -> Path:
        path = ROOT / name
        if not path.exists():
            pytest.skip(f"real images not found: set VESALIUS_TEST_DATA to the folder of '{name}'")
        return path

    return find
