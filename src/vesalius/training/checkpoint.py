"""Checkpoints: safetensors and JSON in a folder that appears whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.files import disk_error

KEPT = 2


@dataclass(frozen=True)
class Checkpoint:
    """Everything that training needs to go on: tensors by group, and plain numbers."""

    tensors: Mapping[str, Mapping[str, Tensor]]
    state: Mapping[str, Any]


def save_tensors(path: Path, tensors: Mapping[str, Tensor], note: Mapping[str, str]) -> None:
    """Write tensors as safetensors; ``note`` goes into the file's metadata."""
    from safetensors.torch import save_file

    plain = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    try:
        save_file(plain, path, metadata=dict(note))
    except OSError as error:
        raise disk_error(error, path) from error
    except Exception as error:  # safetensors wraps a full disk in its own exception
        raise disk_error(OSError(getattr(error, "errno", None) or 28, str(error)), path) from error


def load_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata; refuses everything that is not safetensors, pickles first of all."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError("a safetensors file", came="no such file", case=path)
    try:
        with safe_open(path, framework="pt") as file:
            names = list(file.keys())
            return {name: file.get_tensor(name) for name in names}, dict(file.metadata() or {})
    except SafetensorError as error:
        with open(path, "rb") as raw:
            head = raw.read(4)
        pickled = head[:1] == b"\x80" or head == b"PK\x03\x04"
        raise InputError(
            "weights as safetensors",
            came="a pickle, which can run code when it is loaded" if pickled else f"{error}",
            case=path,
            remedy="convert it to safetensors where you trust its author"
            if pickled
            else "restore the file from a copy",
        ) from None


def save(folder: Path, step: int, checkpoint: Checkpoint) -> Path:
    """Write ``folder/step-<step>`` atomically and drop all but the newest two."""
    final = folder / f"step-{step:08d}"
    beside = folder / f".step-{step:08d}.part"
    if (final / "state.json").is_file():
        return final  # a loop that had ended goes on from here and writes the same again
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(".step-*.part"):  # a process that was killed while it wrote
            shutil.rmtree(left, ignore_errors=True)
        beside.mkdir()
        for group, tensors in checkpoint.tensors.items():
            save_tensors(beside / f"{group}.safetensors", tensors, {"step": str(step)})
        (beside / "state.json").write_text(json.dumps(dict(checkpoint.state)))
        for file in beside.iterdir():
            with open(file, "rb") as handle:
                os.fsync(handle.fileno())
        shutil.rmtree(final, ignore_errors=True)
        os.replace(beside, final)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise disk_error(error, folder) from error
    except InputError:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    for old in found(folder)[:-KEPT]:
        gone = old.with_name(f".{old.name}.part")  # a removal that is cut short leaves no half
        os.replace(old, gone)
        shutil.rmtree(gone, ignore_errors=True)
    return final


def found(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first."""
    return sorted(path for path in folder.glob("step-*") if (path / "state.json").is_file())


def load(path: Path, fingerprint: str) -> Checkpoint:
    """Read a checkpoint; raises InputError if it belongs to another recipe or is broken."""
    try:
        state = json.loads((path / "state.json").read_text())
    except (OSError, json.JSONDecodeError) as error:
        raise InputError("a whole checkpoint", came=str(error), case=path) from None
    if state.get("fingerprint") != fingerprint:
        raise InputError(
            f"a checkpoint of the recipe {fingerprint}",
            came=f"one of {state.get('fingerprint')}",
            case=path,
            remedy="run with the recipe that the run folder was made with",
        )
    tensors = {file.stem: load_tensors(file)[0] for file in sorted(path.glob("*.safetensors"))}
    return Checkpoint(tensors, state)


def flat_optimiser(state: Mapping[str, Any]) -> tuple[dict[str, Tensor], list[Any]]:
    """An optimiser's state_dict as named tensors and plain parameter groups."""
    tensors: dict[str, Tensor] = {}
    for index, entries in state["state"].items():
        for name, value in entries.items():
            tensors[f"{index}.{name}"] = (
                value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)
            )
    return tensors, state["param_groups"]


def deep_optimiser(tensors: Mapping[str, Tensor], groups: list[Any]) -> dict[str, Any]:
    """The inverse of :func:`flat_optimiser`."""
    state: dict[int, dict[str, Any]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    return {"state": state, "param_groups": groups}
