"""HA-GAN: slabs of what drawing makes, and who learns from what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Budget, Call, InputError, Optimiser, Recipe, Shape
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import HierarchicalAdversarial
from vesalius.generative.samplers import Prior
from vesalius.generative.system import System
from vesalius.networks.encoder import Encoder
from vesalius.networks.hierarchical_generator import HierarchicalHead, HierarchicalTrunk
from vesalius.networks.slab_discriminator import SlabDiscriminator
from vesalius.training.checkpoint import load
from vesalius.training.fit import Engine, Loop


def recipe(dims: int = 3, first_grid: int = 4, **options: Any) -> Recipe:
    """A generator of 4 * ``first_grid`` voxels a side."""
    matrix = (16,) * dims
    task = tasks.get(
        "hippocampus-volumes" if dims == 3 else "mr-slices",
        Call(DigitalPatients, n=10, size=(16, 24, 16) if dims == 3 else matrix),
    )
    return Recipe(
        name="r",
        summary="",
        task=task.replace(matrix=matrix, shift_voxels=1),
        networks={
            "trunk": Call(HierarchicalTrunk, width=8, multipliers=(1,), first_grid=(first_grid,)),
            "head": Call(HierarchicalHead, width=6, doublings=2),
            "small_head": Call(HierarchicalHead, width=6, doublings=0),
            "slab_critic": Call(SlabDiscriminator, width=4, levels=2),
            "small_critic": Call(SlabDiscriminator, width=4, levels=2),
            "slab_encoder": Call(Encoder, width=4, multipliers=(1, 2, 2)),
            "code_encoder": Call(Encoder, width=4, multipliers=(1, 2, 2)),
        },
        objective=Call(HierarchicalAdversarial, channels=6, features=8, **options),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=2e-3, ema_decay=0.9, warmup_steps=2),
        budget=Budget(steps=6, batch_size=2, save_every_s=1e9),
    )


def built(
    dims: int = 3, given: int = 0, **options: Any
) -> tuple[HierarchicalAdversarial, dict[str, nn.Module]]:
    system = System.build(recipe(dims, **options), Shape(given, 1, dims), seed=0)
    assert isinstance(system.objective, HierarchicalAdversarial)
    return system.objective, dict(system.networks)


def batch(dims: int = 3, n: int = 4, size: int = 16, given: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(0)
    images = torch.rand(n, 1, *(size,) * dims, generator=rng) * 2 - 1
    told = torch.eye(given)[torch.arange(n) % given] if given else None
    if told is not None:
        told = told.reshape(n, given, *[1] * dims).expand(-1, -1, *images.shape[2:])
    return Batch(wanted=images, given=told)


def rng_of(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def carry(**parts: Tensor) -> dict[str, Tensor]:
    return {"done": torch.tensor(0.5), **parts}


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("given", [0, 2])
def test_every_player_moves_all_of_its_networks_and_no_others(dims: int, given: int) -> None:
    objective, networks = built(dims, given)
    for player, names in objective.players().items():
        for network in networks.values():
            network.zero_grad()
        for name, network in networks.items():
            network.requires_grad_(name in names)
        cases = batch(dims, given=given)
        torch.autograd.backward(objective.loss(player, networks, cases, rng_of(), carry()).total)
        for name, network in networks.items():
            for where, parameter in network.named_parameters():
                moved = parameter.grad is not None and bool(parameter.grad.abs().max() > 0)
                assert moved == (name in names), f"{player}: {name}.{where}"


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("start", [0, 1, 3])
def test_a_slab_is_what_drawing_makes_there(dims: int, start: int) -> None:
    """The critic of slabs is shown the slab of the full pass, and told where it lies."""
    objective, networks = built(dims)
    shown: list[tuple[Tensor, Tensor]] = []

    class Critic(nn.Module):
        def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
            shown.append((x, level))
            return x.flatten(1).mean(1, keepdim=True)

    seen = {**networks, "slab_critic": Critic()}
    cases, place = batch(dims), carry(start=torch.tensor(start))
    objective.loss("generator", seen, cases, rng_of(7), place)
    code = torch.randn(objective.code_shape(networks, (4, 1, *(16,) * dims)), generator=rng_of(7))
    whole = objective.predictor(networks, cases)(code, None)
    slab, level = shown[0]
    assert torch.allclose(slab, whole[:, :, 4 * start : 4 * start + 4], atol=1e-6)
    assert torch.allclose(level, torch.full((4,), start / 3))
    objective.loss("critics", seen, cases, rng_of(7), place)
    assert cases.wanted is not None
    assert torch.equal(shown[1][0], cases.wanted[:, :, 4 * start : 4 * start + 4])


def test_the_small_volume_is_compared_with_averages() -> None:
    objective, networks = built()
    shown: list[Tensor] = []

    class Critic(nn.Module):
        def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
            shown.append(x)
            return x.flatten(1).mean(1, keepdim=True)

    cases = batch()
    objective.loss("critics", {**networks, "small_critic": Critic()}, cases, rng_of(), carry())
    assert cases.wanted is not None
    wanted = cases.wanted.reshape(4, 1, 4, 4, 4, 4, 4, 4).mean(dim=(3, 5, 7))
    assert torch.allclose(shown[0], wanted, atol=1e-6)
    assert shown[1].shape == wanted.shape


def test_reconstructions_by_hand() -> None:
    """An encoder and a head that halve and double nothing: L1 distances in closed form."""

    class Scaled(nn.Module):
        reduction, margin = 1, 0
        grid = (4, 4)

        def __init__(self, factor: float) -> None:
            super().__init__()
            self.factor = factor

        def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
            return (self.factor * x).expand(len(x), 1, -1 if x.shape[2] > 1 else 4, 4)

    networks = {
        "head": Scaled(0.5),
        "small_head": Scaled(0.25),
        "slab_encoder": Scaled(1.0),
        "code_encoder": Scaled(1.0),
        "trunk": Scaled(2.0),
    }
    objective = HierarchicalAdversarial(channels=1, features=1, slab=0.5)
    image = torch.arange(16.0).reshape(1, 1, 4, 4)
    start = carry(start=torch.tensor(1))
    slab = objective.loss("slab_encoder", networks, Batch(wanted=image), rng_of(), start)
    # half of rows 1 and 2, whose mean is 7.5
    assert slab.values() == {"slab_reconstruction": pytest.approx(3.75)}
    code = objective.loss("code_encoder", networks, Batch(wanted=image), rng_of(), start)
    # the code is the mean, 7.5; the slab is all 7.5, the small image all 3.75
    rows = image[:, :, 1:3]
    assert code.values() == {
        "reconstruction": pytest.approx(float((rows - 7.5).abs().mean())),
        "small_reconstruction": pytest.approx(float((image - 3.75).abs().mean())),
    }
    assert [weight for weight, _ in code.terms.values()] == [0.5, 0.5]


def test_encoders_learn_from_a_part_of_the_batch() -> None:
    objective, networks = built(encoded=0.25)
    cases, place = batch(), carry(start=torch.tensor(0))
    assert cases.wanted is not None
    first = Batch(wanted=cases.wanted[:1])
    for player in ("slab_encoder", "code_encoder"):
        found = objective.loss(player, networks, cases, rng_of(), place).values()
        assert found == pytest.approx(
            objective.loss(player, networks, first, rng_of(), place).values()
        )


def test_every_start_is_drawn_and_the_players_of_a_step_share_it() -> None:
    objective, networks = built(dims=2)
    cases, starts = batch(dims=2, n=1), set()
    for seed in range(20):
        place = carry()
        objective.loss("slab_encoder", networks, cases, rng_of(seed), place)
        start = int(place["start"])
        objective.loss("code_encoder", networks, cases, rng_of(seed + 100), place)
        assert int(place["start"]) == start
        starts.add(start)
    assert starts == {0, 1, 2, 3}


def test_smaller_images_are_continued_and_draws_cut() -> None:
    objective, networks = built()
    for player in objective.players():
        losses = objective.loss(player, networks, batch(size=11), rng_of(), carry())
        assert losses.total.isfinite()
    code = torch.randn(2, 6, 1, 1, 1, generator=rng_of())
    drawn = objective.predictor(networks, batch())(code, None)
    assert drawn.shape == (2, 1, 16, 16, 16)
    cut = objective.decode(networks, drawn, batch(size=11), (11, 11, 11))
    assert torch.equal(cut, drawn[:, :, 2:13, 2:13, 2:13])
    assert objective.drawing() == ("trunk", "head")


def test_what_does_not_fit_is_named() -> None:
    objective, networks = built()
    with pytest.raises(InputError, match=r"at most \(16, 16, 16\) voxels.*networks.trunk"):
        objective.loss("critics", networks, batch(size=17), rng_of(), carry())
    wrong = {
        **networks,
        "slab_encoder": Encoder(channels_in=1, channels_out=8, dims=3, width=4, multipliers=(1, 2)),
    }
    with pytest.raises(InputError, match=r"the head's grid \(1, 4, 4\).*one multiplier more"):
        objective.loss("slab_encoder", wrong, batch(), rng_of(), carry())
    with pytest.raises(InputError, match="slab and encoded above 0"):
        HierarchicalAdversarial(slab=0.0)
    told = HierarchicalAdversarial(conditioning=Unconditional()).interfaces(3, 1)
    assert {interface.condition_channels for interface in told.values()} == {0}


def test_training_resumes_bit_for_bit(tmp_path: Path) -> None:
    """Weights, moments and the power iterations of the spectral norms."""
    whole = recipe(dims=2)

    def stopped_after(n: int) -> Any:
        left = iter(range(n))
        return lambda: next(left, None) is None

    task = whole.task.build()
    Loop(whole, task, tmp_path / "a", seed=0, engine=Engine("cpu")).run()
    first = Loop(whole, task, tmp_path / "b", seed=0, engine=Engine("cpu"), stop=stopped_after(3))
    assert first.run().steps == 3
    assert Loop(whole, task, tmp_path / "b", seed=0, engine=Engine("cpu")).run().steps == 6
    a, b = (
        load(tmp_path / name / "checkpoints" / "step-00000006", whole.fingerprint()).tensors
        for name in "ab"
    )
    assert a.keys() == b.keys()
    for part in a:
        assert all(torch.equal(a[part][name], b[part][name]) for name in a[part]), part
