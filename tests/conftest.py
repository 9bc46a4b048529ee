"""What all tests share: no network, and where real images lie."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# a busy machine makes no test fail
settings.register_profile("vesalius", deadline=None)
settings.load_profile("vesalius")

DATA = Path(
    os.environ.get("VESALIUS_TEST_DATA", Path(__file__).resolve().parents[2] / "shared" / "data")
)
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse connections beyond this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != getattr(socket, "AF_UNIX", None) and address[0] not in LOOPBACK:
            raise OSError(f"tests are offline: a connection to {address[0]} was refused")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def real() -> Callable[[str], Path]:
    """``real("synthrad_slices")``: the folder of real data, or a skip where it is absent."""

    def find(name: str) -> Path:
        path = DATA / name
        if not path.exists():
            pytest.skip(f"real images not found: set VESALIUS_TEST_DATA to the folder of '{name}'")
        return path

    return find
