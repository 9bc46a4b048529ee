from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from vesalius.core import Recipe
from vesalius.training.fit import Engine, Loop, read_log


@pytest.mark.parametrize("kind", ["regression", pytest.param("paired", marks=pytest.mark.slow)])
@pytest.mark.filterwarnings("ignore")
def test_two_processes_give_the_weights_of_one(
    kind: str,
    tmp_path: Path,
    tiny_recipe: Callable[..., Recipe],
    make_loop: Callable[..., Loop],
) -> None:
    """Without dropout: each process draws its own."""
    recipe = tiny_recipe(kind, steps=3, batch_size=4)
    if kind == "paired":
        recipe = recipe.set("networks.generator.dropout", "0.0")
    one = make_loop(recipe, tmp_path / "one").run()
    two = make_loop(recipe, tmp_path / "two", engine=Engine("cpu", devices=2)).run()
    assert two.steps == 3
    for name, network in one.networks.items():
        for a, b in zip(
            network.state_dict().values(), two.networks[name].state_dict().values(), strict=True
        ):
            assert torch.allclose(a, b, atol=1e-5)
    assert [line["step"] for line in read_log(tmp_path / "two")] == [1, 2, 3]
