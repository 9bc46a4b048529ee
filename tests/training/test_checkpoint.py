from __future__ import annotations

import errno
import json
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from vesalius.core import InputError
from vesalius.training import checkpoint as checkpoints
from vesalius.training.checkpoint import Checkpoint, load, load_tensors, save, save_tensors


def state(step: int, fingerprint: str = "abc") -> Checkpoint:
    tensors = {"weights-net": {"w": torch.full((2, 3), float(step)), "n": torch.tensor(step)}}
    return Checkpoint(tensors, {"fingerprint": fingerprint, "step": step})


def test_round_trip_and_only_the_newest_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 10, 100):
        save(tmp_path, step, state(step))
    assert [path.name for path in checkpoints.found(tmp_path)] == ["step-00000010", "step-00000100"]
    again = load(checkpoints.found(tmp_path)[-1], "abc")
    assert again.state["step"] == 100
    assert torch.equal(again.tensors["weights-net"]["w"], torch.full((2, 3), 100.0))
    assert again.tensors["weights-net"]["n"].dtype == torch.int64


def test_another_recipe_is_refused(tmp_path: Path) -> None:
    path = save(tmp_path, 1, state(1))
    with pytest.raises(InputError, match=r"checkpoint of the recipe other, got one of abc"):
        load(path, "other")


@pytest.mark.parametrize("damage", ["truncated", "empty", "state", "gone"])
def test_a_damaged_checkpoint_is_one_sentence(tmp_path: Path, damage: str) -> None:
    path = save(tmp_path, 1, state(1))
    weights = path / "weights-net.safetensors"
    if damage == "truncated":
        weights.write_bytes(weights.read_bytes()[:-5])
    elif damage == "empty":
        weights.write_bytes(b"")
    elif damage == "state":
        (path / "state.json").write_text('{"step": ')
    else:
        (path / "state.json").unlink()
    with pytest.raises(InputError) as caught:
        load(path, "abc")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["pickle", "torch", "old torch"])
def test_a_pickle_offered_as_weights_is_refused_and_not_run(tmp_path: Path, kind: str) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "ran"),)

    path = tmp_path / "weights.safetensors"
    if kind == "pickle":
        path.write_bytes(pickle.dumps(Bomb()))
    else:
        weights = {"w": torch.zeros(2)}
        torch.save(weights, path, _use_new_zipfile_serialization=kind == "torch")
    with pytest.raises(
        InputError, match=r"weights as safetensors, got a pickle, which can run code"
    ):
        load_tensors(path)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("where", ["tensors", "state", "replace"])
def test_a_full_disk_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    save(tmp_path, 1, state(1))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    if where == "tensors":
        monkeypatch.setattr("safetensors.torch.save_file", full)
    elif where == "state":
        monkeypatch.setattr(Path, "write_text", full)
    else:
        monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="room on the disk, got a full disk"):
        save(tmp_path, 2, state(2))
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    assert load(tmp_path / "step-00000001", "abc").state["step"] == 1


def test_the_full_disk_of_the_tensor_library_is_recognised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from safetensors import SafetensorError

    def full(*_: Any, **__: Any) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr("safetensors.torch.save_file", full)
    with pytest.raises(InputError, match="a full disk"):
        save_tensors(tmp_path / "x.safetensors", {"w": torch.zeros(1)}, {})


def test_what_a_killed_process_left_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / ".step-00000003.part").mkdir()
    (tmp_path / ".step-00000003.part" / "weights-net.safetensors").write_bytes(b"half")
    assert checkpoints.found(tmp_path) == []
    save(tmp_path, 4, state(4))
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000004"]


def test_a_checkpoint_whose_removal_was_cut_short_is_not_whole(tmp_path: Path) -> None:
    save(tmp_path, 1, state(1))
    (tmp_path / "step-00000001" / "state.json").unlink()
    assert checkpoints.found(tmp_path) == []


def test_an_optimisers_state_survives_json() -> None:
    torch.manual_seed(0)
    net = nn.Linear(3, 2)
    optimiser = torch.optim.AdamW(net.parameters(), lr=0.01, betas=(0.5, 0.9))

    def step(model: nn.Module, with_optimiser: torch.optim.Optimizer) -> None:
        with_optimiser.zero_grad()
        model(torch.arange(6.0).view(2, 3)).square().sum().backward()
        with_optimiser.step()

    step(net, optimiser)
    tensors, groups = checkpoints.flat_optimiser(optimiser.state_dict())
    tensors = {name: tensor.clone() for name, tensor in tensors.items()}
    groups = json.loads(json.dumps(groups))
    other = nn.Linear(3, 2)
    other.load_state_dict(net.state_dict())
    again = torch.optim.AdamW(other.parameters())
    again.load_state_dict(checkpoints.deep_optimiser(tensors, groups))
    for _ in range(3):
        step(net, optimiser)
        step(other, again)
    assert torch.equal(net.weight, other.weight)
