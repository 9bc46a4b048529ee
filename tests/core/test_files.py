from __future__ import annotations

import errno
import io
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.core.files import read_arrays, write_arrays, write_atomically


def full_disk(*_: Any, **__: Any) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


class HalfWritten(io.FileIO):
    """A file on a disk that is full after three bytes."""

    def write(self, content: Any) -> int:
        super().write(bytes(content)[:3])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_content_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file"
    for content in (b"one", b"", b"x" * 100_000):
        write_atomically(path, content)
        assert path.read_bytes() == content
        assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
def test_a_full_disk_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    path = tmp_path / "numbers.json"
    write_atomically(path, b"old and whole")
    if where == "write":
        monkeypatch.setattr("builtins.open", HalfWritten)
    else:
        monkeypatch.setattr(os, where, full_disk)
    with pytest.raises(InputError, match=r"room on the disk, got a full disk; free some space"):
        write_atomically(path, b"new content that does not fit")
    monkeypatch.undo()
    assert path.read_bytes() == b"old and whole"
    assert list(tmp_path.iterdir()) == [path], "nothing half written stays"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match=r"a place that can be written, got .*another folder"):
        write_atomically(tmp_path / "file" / "inside", b"x")


def test_arrays_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    arrays = {"x": np.arange(6.0).reshape(2, 3), "y": np.array([True, False])}
    write_arrays(path, **arrays)
    found = read_arrays(path)
    assert set(found) == {"x", "y"}
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


class Bomb:
    """Would write a file if it was unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.path,)


@pytest.mark.parametrize("kind", ["object array", "bare pickle", "object npy"])
def test_pickles_are_refused_and_never_run(tmp_path: Path, kind: str) -> None:
    path, mark = tmp_path / "a.npz", tmp_path / "ran"
    bomb = np.array([Bomb(str(mark))], dtype=object)
    with open(path, "wb") as file:
        if kind == "object array":
            np.savez(file, x=bomb)
        elif kind == "object npy":
            np.save(file, bomb)
        else:
            pickle.dump(Bomb(str(mark)), file)
    with pytest.raises(InputError, match="whole npz of plain arrays"):
        read_arrays(path)
    assert not mark.exists()


def test_a_single_array_or_nothing_is_an_input_error(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(InputError, match="whole npz"):
        read_arrays(tmp_path / "a.npy")
    with pytest.raises(InputError, match="no such file"):
        read_arrays(tmp_path / "missing.npz")
    (tmp_path / "empty.npz").write_bytes(b"")
    with pytest.raises(InputError, match="whole npz"):
        read_arrays(tmp_path / "empty.npz")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_anywhere_is_an_input_error_or_harmless(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, x=np.arange(40.0), y=np.ones((2, 2), dtype=np.float32))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content) - 1))]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(bytes(content))
    try:
        found = read_arrays(path)
    except InputError:
        return
    for array in found.values():
        assert array.dtype != object
