from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from vesalius.core import Recipe
from vesalius.training.fit import Loop, read_log

KINDS = ["regression", "denoising", "paired", "unpaired"]
Digests = Callable[[Path], dict[str, str]]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Sums depend on how threads cut them, and a resumed loop takes its checkpoint's number."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_loop_goes_on_bit_for_bit(
    kind: str,
    tmp_path: Path,
    tiny_recipe: Callable[..., Recipe],
    make_loop: Callable[..., Loop],
    digests: Digests,
) -> None:
    recipe = tiny_recipe(kind, accumulate=2 if kind in ("regression", "paired") else 1)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    uninterrupted = make_loop(recipe, whole).run()
    assert not uninterrupted.stopped
    taken = [0]
    for last in (2, 3, 6):
        fitted = make_loop(
            recipe,
            parts,
            watch=lambda progress: taken.append(progress.step),
            stop=lambda last=last: taken[-1] >= last,
        ).run()
        assert fitted.stopped == (last < 6)
        assert fitted.steps == last
    assert digests(parts) == digests(whole)
    for name, network in uninterrupted.networks.items():
        for a, b in zip(
            network.state_dict().values(), fitted.networks[name].state_dict().values(), strict=True
        ):
            assert torch.equal(a, b)
    losses = [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(whole)]
    again = [{k: v for k, v in line.items() if k != "seconds"} for line in read_log(parts)]
    assert losses == again
    assert [line["step"] for line in losses] == [1, 2, 3, 4, 5, 6]


def test_the_seed_matters(
    tmp_path: Path,
    tiny_recipe: Callable[..., Recipe],
    make_loop: Callable[..., Loop],
    digests: Digests,
) -> None:
    recipe = tiny_recipe("paired", steps=2)
    for seed in (3, 4):
        make_loop(recipe, tmp_path / str(seed), seed=seed).run()
    assert digests(tmp_path / "3") != digests(tmp_path / "4")


def test_a_finished_loop_that_is_run_again_changes_nothing(
    tmp_path: Path,
    tiny_recipe: Callable[..., Recipe],
    make_loop: Callable[..., Loop],
    digests: Digests,
) -> None:
    recipe = tiny_recipe("unpaired", steps=2)
    make_loop(recipe, tmp_path).run()
    before = digests(tmp_path)
    fitted = make_loop(recipe, tmp_path).run()
    assert (fitted.steps, fitted.stopped) == (2, False)
    assert digests(tmp_path) == before


@pytest.mark.parametrize(
    ("kind", "kills"), [("unpaired", 3), pytest.param("paired", 8, marks=pytest.mark.slow)]
)
def test_killed_processes_end_where_an_uninterrupted_one_does(
    kind: str,
    kills: int,
    tmp_path: Path,
    tiny_recipe: Callable[..., Recipe],
    make_loop: Callable[..., Loop],
    digests: Digests,
) -> None:
    recipe = tiny_recipe(kind, steps=14, save_every_s=0.01)
    make_loop(recipe, tmp_path / "whole").run()
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe.to_json()))
    script = Path(__file__).with_name("killed_training.py")
    out = subprocess.run(
        [sys.executable, str(script), str(file), str(tmp_path / "killed"), str(kills)],
        capture_output=True,
        text=True,
        check=False,
        timeout=250,
    )
    assert out.returncode == 0, out.stderr
    assert int(out.stdout) > 0, "no process was killed in time"
    assert digests(tmp_path / "killed") == digests(tmp_path / "whole")
    assert [line["step"] for line in read_log(tmp_path / "killed")] == list(range(1, 15))
    left = [path.name for path in (tmp_path / "killed" / "checkpoints").iterdir()]
    assert all(name.startswith("step-") for name in left)
    assert len(left) == 2
