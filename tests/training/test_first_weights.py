from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError, Recipe, Start
from vesalius.generative.system import System
from vesalius.training.checkpoint import save_tensors
from vesalius.training.first_weights import drawing_weights, identity
from vesalius.training.fit import Loop

Recipes = Callable[..., Recipe]
Loops = Callable[..., Loop]


def weights_of(recipe: Recipe, loop: Loop, seed: int = 11) -> dict[str, Tensor]:
    """Random weights for the recipe's network, unlike those that the loop would draw."""
    return dict(System.build(recipe, loop.task.shape, seed).networks["network"].state_dict())


def keep(folder: Path, weights: dict[str, Tensor], name: str = "network") -> Path:
    """A run folder as far as its weights go."""
    (folder / "model").mkdir(parents=True, exist_ok=True)
    save_tensors(folder / "model" / f"{name}.safetensors", weights, {"recipe": "r", "steps": "1"})
    return folder


@pytest.mark.parametrize("kind", ["regression", "denoising"])
def test_training_begins_exactly_at_the_weights_of_another_run(
    kind: str, tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops
) -> None:
    recipe = tiny_recipe(kind, steps=1)
    first = weights_of(recipe, make_loop(recipe, tmp_path))
    place = keep(tmp_path / "first", first)
    start = Start(run=str(place), weights=identity(first))
    recipe = dataclasses.replace(recipe, starts={"network": start})
    # a step of no length in single precision leaves the weights where they began
    still = recipe.set("optimiser.rate", "1e-60").set("optimiser.weight_decay", "0")
    fitted = make_loop(still, tmp_path / "still").run()
    found = fitted.networks["network"].state_dict()
    assert found.keys() == first.keys()
    assert all(torch.equal(found[key], first[key]) for key in first)
    moved = make_loop(recipe, tmp_path / "moved").run().networks["network"].state_dict()
    assert any(not torch.equal(moved[key], first[key]) for key in first)


def test_a_stopped_fine_tuning_goes_on_bit_for_bit_without_its_start(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops, digests: Callable[..., dict[str, str]]
) -> None:
    recipe = tiny_recipe("regression", steps=4)
    first = weights_of(recipe, make_loop(recipe, tmp_path))
    place = keep(tmp_path / "first", first)
    start = Start(run=str(place), weights=identity(first))
    recipe = dataclasses.replace(recipe, starts={"network": start})
    make_loop(recipe, tmp_path / "whole").run()
    taken = [0]
    make_loop(
        recipe,
        tmp_path / "parts",
        watch=lambda progress: taken.append(progress.step),
        stop=lambda: taken[-1] >= 2,
    ).run()
    shutil.rmtree(place)
    moved = dataclasses.replace(start, run="/elsewhere")
    recipe = dataclasses.replace(recipe, starts={"network": moved})
    assert make_loop(recipe, tmp_path / "parts").run().steps == 4
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")


def test_a_network_may_begin_like_another(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops
) -> None:
    recipe = tiny_recipe("unpaired", steps=1)
    loop = make_loop(recipe, tmp_path)
    built = System.build(recipe, loop.task.shape, 11).networks
    place = keep(tmp_path / "first", dict(built["generator"].state_dict()), "generator")
    starts = {
        "generator_back": Start(like="generator"),
        "generator": Start(run=str(place), network="generator"),
    }
    recipe = dataclasses.replace(recipe, starts=starts).set("optimiser.rate", "1e-60")
    make_loop(recipe.set("optimiser.weight_decay", "0"), tmp_path / "run").run()
    from vesalius.training.checkpoint import found, load_tensors

    last = found(tmp_path / "run" / "checkpoints")[-1]
    for name in starts:
        tensors, _ = load_tensors(last / f"weights-{name}.safetensors")
        for key, tensor in built["generator"].state_dict().items():
            if "running" not in key and "num_batches" not in key:
                assert torch.equal(tensors[key], tensor), (name, key)
    critic, _ = load_tensors(last / "weights-critic.safetensors")
    fresh = System.build(recipe, loop.task.shape, loop.seed).networks["critic"].state_dict()
    trained = [key for key in fresh if key.endswith("weight")]
    assert all(torch.equal(critic[key], fresh[key]) for key in trained), "random as ever"


def test_what_cannot_be_started_from_is_refused(
    tmp_path: Path, tiny_recipe: Recipes, make_loop: Loops
) -> None:
    recipe = tiny_recipe("regression", steps=1)
    first = weights_of(recipe, make_loop(recipe, tmp_path))
    place = keep(tmp_path / "first", first)

    def refused(match: str, recipe: Recipe, **start: str) -> None:
        asked = dataclasses.replace(recipe, starts={"network": Start(**start)})
        with pytest.raises(InputError, match=match) as caught:
            make_loop(asked, tmp_path / "run").run()
        assert "\n" not in str(caught.value)

    refused("a trained run to take weights from", recipe, run=str(tmp_path / "none"))
    refused(
        "that the run draws with: network, got critic", recipe, run=str(place), network="critic"
    )
    refused(
        "the weights 0123 that 'network' is to start from", recipe, run=str(place), weights="0123"
    )
    wider = recipe.set("networks.network.width", "8")
    refused(r"weights like those of 'network', .* more that differ", wider, run=str(place))
    (place / "model" / "network.safetensors").write_bytes(b"\x80\x04pickled")
    refused("a pickle, which can run code", recipe, run=str(place))


def test_the_identity_is_that_of_names_shapes_and_values() -> None:
    a = {"x": torch.arange(6.0).view(2, 3), "n": torch.tensor(3)}
    assert identity(a) == identity(dict(reversed(a.items())))
    others = [
        {**a, "x": a["x"].view(3, 2)},
        {**a, "x": a["x"] + 1e-6},
        {**a, "x": a["x"].double()},
        {"y": a["x"], "n": a["n"]},
        {"x": a["x"]},
    ]
    assert len({identity(weights) for weights in [a, *others]}) == 6


def test_drawing_weights_are_read_with_their_note(tmp_path: Path) -> None:
    weights, note = drawing_weights(keep(tmp_path, {"w": torch.ones(2)}), "network")
    assert torch.equal(weights["w"], torch.ones(2))
    assert note == {"recipe": "r", "steps": "1"}
