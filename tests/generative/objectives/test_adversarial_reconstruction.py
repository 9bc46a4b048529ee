"""Autoencoders that critics judge: whole images, and slices of volumes."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Budget, Call, InputError, Optimiser, Recipe, Shape
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.losses import L1, L2
from vesalius.generative.objectives import (
    AdversarialReconstruction,
    Likelihood,
    Variational,
    VectorQuantised,
)
from vesalius.generative.objectives.objective import Interface
from vesalius.generative.samplers import Prior
from vesalius.generative.system import System
from vesalius.networks.codebook import Codebook
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.training.fit import Engine, Loop

BEFORE, AFTER = torch.tensor(0.1), torch.tensor(0.6)


def rng_of(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def recipe(*, dims: int = 3, latents: str = "vq", **changes: Any) -> Recipe:
    small = {"width": 8, "multipliers": (1, 2)}
    networks = {
        "encoder": Call(Encoder, **small),
        "decoder": Call(Decoder, **small),
        "critic": Call(PatchDiscriminator, width=4, n_layers=1),
    }
    if dims == 3:
        networks["slice_critic"] = Call(PatchDiscriminator, width=4, n_layers=1, dims=2)
    if latents == "vq":
        networks["codebook"] = Call(Codebook, width=4, codes=8, decay=0.9)
    settings: dict[str, Any] = {
        "features": 4,
        "codes": 8,
        "latents": latents,
        "slices": 2 if dims == 3 else 0,
        "slice_losses": (Call(L2),) if dims == 3 else (),
        "matching": 0.5,
        "begin": 0.5,
        **changes.pop("settings", {}),
    }
    size = (8,) * 3 if dims == 3 else (16, 16)
    task = tasks.get(
        "hippocampus-volumes" if dims == 3 else "mr-slices",
        Call(DigitalPatients, n=10, size=size),
    ).replace(matrix=size, shift_voxels=1)
    parts: dict[str, Any] = {
        "networks": networks,
        "objective": Call(AdversarialReconstruction, **settings),
        "sampler": Call(Prior),
        **changes,
    }
    return Recipe(
        name="r",
        summary="",
        task=task,
        optimiser=Optimiser(rate=2e-3, ema_decay=0.9, warmup_steps=2),
        budget=Budget(steps=4, batch_size=2, save_every_s=1e9),
        **parts,
    )


def built(**changes: Any) -> tuple[AdversarialReconstruction, dict[str, nn.Module]]:
    one = recipe(**changes)
    system = System.build(one, Shape(0, 1, changes.get("dims", 3)), seed=0)
    assert isinstance(system.objective, AdversarialReconstruction)
    return system.objective, dict(system.networks)


def batch(dims: int = 3, n: int = 3, seed: int = 0) -> Batch:
    size = (6, 8, 7) if dims == 3 else (12, 10)
    return Batch(wanted=torch.rand(n, 1, *size, generator=rng_of(seed)) * 2 - 1)


def test_interfaces() -> None:
    objective = AdversarialReconstruction(features=4, codes=8, slices=1)
    assert objective.interfaces(2, 1) == {
        "encoder": Interface(1, 4),
        "decoder": Interface(4, 1),
        "codebook": Interface(4, 4),
        "critic": Interface(1, 1),
        "slice_critic": Interface(1, 1),
    }
    assert objective.players()["critics"] == ("critic", "slice_critic")
    assert objective.frozen() == ("codebook",)
    assert set(objective.drawing()) == {"encoder", "decoder", "codebook"}
    gaussian = AdversarialReconstruction(latents="kl", features=4)
    assert gaussian.interfaces(0, 2) == {
        "encoder": Interface(2, 8),
        "decoder": Interface(4, 2),
        "critic": Interface(2, 1),
    }
    assert gaussian.frozen() == ()


def test_without_critics_it_is_the_autoencoder_of_vq_vae() -> None:
    _, networks = built(dims=2)
    _, others = built(dims=2)
    losses = (L2(), L1(0.5))
    mine = AdversarialReconstruction(losses, features=4, codes=8, commitment=0.3, begin=0.5)
    plain = VectorQuantised(losses, features=4, codes=8, commitment=0.3)
    done = {"done": BEFORE}
    found = mine.loss("autoencoder", networks, batch(2), rng_of(), dict(done))
    expected = plain.loss("autoencoder", others, batch(2), rng_of(), dict(done))
    assert found.values() == expected.values()
    assert float(found.total.detach()) == float(expected.total.detach())
    assert torch.equal(
        networks["codebook"].state_dict()["vectors"], others["codebook"].state_dict()["vectors"]
    )


def test_without_critics_it_is_a_variational_autoencoder() -> None:
    """L1 weighed as a Laplace likelihood's: gradients are those of the bound."""
    _, networks = built(dims=2, latents="kl")
    mine = AdversarialReconstruction((L1(10.0),), latents="kl", features=4, beta=0.3, begin=0.5)
    bound = Variational(
        channels=4,
        beta=0.3,
        likelihood=Likelihood(kind="laplace", scale=0.1),
        conditioning=Unconditional(),
    )
    found = []
    for objective in (mine, bound):
        for network in networks.values():
            network.zero_grad()
        losses = objective.loss("autoencoder", networks, batch(2), rng_of(), {"done": BEFORE})
        losses.total.backward()
        found.append([p.grad.clone() for p in networks["encoder"].parameters()])  # type: ignore[union-attr]
    for a, b in zip(*found, strict=True):
        assert torch.allclose(a, b, rtol=1e-4, atol=1e-7)


class Mean(nn.Module):
    """A critic with one hidden layer that can be worked out by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(2.0))

    def features(self, x: Tensor) -> list[Tensor]:
        return [self.gain * x, self.gain * x.flatten(1).mean(1)]

    def forward(self, x: Tensor) -> Tensor:
        return self.features(x)[-1]


def by_hand(**settings: Any) -> tuple[AdversarialReconstruction, dict[str, nn.Module], Tensor]:
    objective = AdversarialReconstruction(
        (L1(),), features=4, codes=8, begin=0.5, slices=1, adversarial=0.7, **settings
    )
    _, networks = built()
    networks |= {"critic": Mean(), "slice_critic": Mean()}
    image = batch().wanted
    assert image is not None
    with torch.no_grad():
        drawn = networks["decoder"](networks["codebook"](networks["encoder"](image))[0])
    return objective, networks, drawn[:, :, :6, :8, :7]


def test_what_the_critics_cost_and_pay_by_hand() -> None:
    objective, networks, _ = by_hand(matching=0.5, axis=1)
    carry = {"done": AFTER}
    image = batch().wanted
    assert image is not None
    losses = objective.loss("autoencoder", networks, batch(), rng_of(), carry)
    drawn, places = carry["drawn"], carry["places"]
    slices = {
        name: torch.stack([volume[k, :, :, places[k, 0]] for k in range(3)])
        for name, volume in (("real", image), ("drawn", drawn))
    }
    values = losses.values()
    assert values["adversarial"] == pytest.approx(-2 * float(drawn.mean()), rel=1e-4)
    assert values["slice_adversarial"] == pytest.approx(
        -2 * float(slices["drawn"].mean()), rel=1e-4
    )
    assert values["matching"] == pytest.approx(2 * float((drawn - image).abs().mean()), rel=1e-4)
    apart = (slices["drawn"] - slices["real"]).abs().mean()
    assert values["slice_matching"] == pytest.approx(2 * float(apart), rel=1e-4)
    weights = {name: weight for name, (weight, _) in losses.terms.items()}
    assert weights["adversarial"] == weights["slice_adversarial"] == 0.7
    assert weights["matching"] == weights["slice_matching"] == 0.5
    paid = objective.loss("critics", networks, batch(), rng_of(), carry).values()
    for name, real, fake in (
        ("critic", image, drawn),
        ("slice_critic", slices["real"], slices["drawn"]),
    ):
        hinge = torch.relu(1 - 2 * real.flatten(1).mean(1)).mean()
        hinge = (hinge + torch.relu(1 + 2 * fake.flatten(1).mean(1)).mean()) / 2
        assert paid[name] == pytest.approx(float(hinge), rel=1e-4)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_are_drawn_anew_from_the_given_stream(axis: Any) -> None:
    objective, networks = built(settings={"axis": axis, "slices": 3})
    image = batch().wanted
    assert image is not None

    def places(seed: int) -> tuple[Tensor, Tensor]:
        carry = {"done": BEFORE}
        objective.loss("autoencoder", networks, batch(), rng_of(seed), carry)
        return carry["places"], objective._sliced(image, carry)

    (one, seen), (same, _), (other, _) = places(0), places(0), places(1)
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
    assert one.shape == (3, 3)
    many = torch.stack([places(seed)[0] for seed in range(30)])
    assert set(many.flatten().tolist()) == set(range(image.shape[2 + axis])), "every slice comes"
    for case in range(3):
        for k in range(3):
            expected = image[case].select(1 + axis, int(one[case, k]))
            assert torch.equal(seen[3 * case + k], expected)


@pytest.mark.parametrize("latents", ["vq", "kl"])
@pytest.mark.parametrize("dims", [2, 3])
def test_gradients_reach_every_parameter_of_a_player_and_no_other(latents: str, dims: int) -> None:
    # the gradients of a hinge by the last bias cancel while no logit is beyond it
    objective, networks = built(dims=dims, latents=latents, settings={"kind": "logistic"})
    carry = {"done": AFTER}
    for player, names in objective.players().items():
        for name, network in networks.items():
            network.zero_grad()
            network.requires_grad_(name in names)  # as the loop does
        losses = objective.loss(player, networks, batch(dims), rng_of(), carry)
        losses.total.backward()
        for name, network in networks.items():
            reached = [
                p.grad is not None and bool(p.grad.abs().sum() > 0) for p in network.parameters()
            ]
            assert all(reached) if name in names else not any(reached)


def test_critics_rest_at_first() -> None:
    objective, networks = built()
    carry = {"done": BEFORE}
    losses = objective.loss("autoencoder", networks, batch(), rng_of(), carry)
    assert set(losses.terms) == {"l1", "commitment", "perplexity", "slice_l2"}
    assert objective.loss("critics", networks, batch(), rng_of(), carry).terms == {}
    judged = objective.loss("autoencoder", networks, batch(), rng_of(), {"done": AFTER})
    assert {"adversarial", "matching", "slice_adversarial", "slice_matching"} < set(judged.terms)


def test_alone_it_draws_tokens_as_frequent_as_they_were() -> None:
    objective, networks = built(dims=2)
    codebook = networks["codebook"]
    assert isinstance(codebook, Codebook)
    codebook.counts.copy_(torch.tensor([4.0, 0, 1, 0, 0, 2, 0, 1]))
    codebook.vectors.copy_(torch.arange(8.0)[:, None].expand(8, 4))

    class First(nn.Module):
        reduction = 2

        def forward(self, x: Tensor) -> Tensor:
            return x[:, :1]

    networks["decoder"] = First()
    n = 500
    nobody = Batch(wanted=None, cases=tuple(map(str, range(n))))
    shape = objective.code_shape(networks, (n, 1, 9, 7))
    assert shape == (n, 1, 5, 4)
    drawn = Prior().sample(objective.predictor(networks, nobody), shape, rng_of())
    shares = torch.bincount(drawn.flatten().long(), minlength=8) / drawn.numel()
    assert torch.allclose(shares, codebook.counts / 8, atol=0.02)
    assert float(shares[codebook.counts == 0].sum()) == 0
    gaussian = AdversarialReconstruction(latents="kl", features=4)
    assert gaussian.code_shape(networks, (n, 1, 9, 7)) == (n, 4, 5, 4)


def test_parts_that_do_not_fit_are_refused() -> None:
    fine = recipe()
    with pytest.raises(InputError, match=r"critic of slices in two dimensions, got as many"):
        recipe(networks={**fine.networks, "slice_critic": Call(PatchDiscriminator)})
    with pytest.raises(InputError, match=r"codebook.codes and objective.codes.*got 9 and 8"):
        recipe(networks={**fine.networks, "codebook": Call(Codebook, width=4, codes=9)})
    with pytest.raises(InputError, match="slices of every volume for losses of slices"):
        AdversarialReconstruction(slice_losses=(L1(),))
    with pytest.raises(InputError, match="critics that begin within the budget"):
        AdversarialReconstruction(begin=1.0)
    objective, networks = built()
    flat = Batch(wanted=torch.zeros(2, 1, 8, 8))
    networks |= built(dims=2)[1]
    with pytest.raises(InputError, match="volumes, for a critic of their slices, got images of 2"):
        objective.loss("autoencoder", networks, flat, rng_of(), {"done": BEFORE})


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one = recipe()
    one = dataclasses.replace(one, budget=dataclasses.replace(one.budget, steps=4))

    def loop(folder: Path, stop_after: int) -> Any:
        taken = [0]
        return Loop(
            one,
            one.task.build(),
            folder,
            seed=3,
            engine=Engine("cpu"),
            watch=lambda progress: taken.append(progress.step),
            stop=lambda: taken[-1] >= stop_after,
        ).run()

    def digests(folder: Path) -> dict[str, str]:
        files = sorted((folder / "checkpoints" / "step-00000004").glob("*.safetensors"))
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    fitted = loop(tmp_path / "whole", 99)
    for last in (3, 99):
        loop(tmp_path / "parts", last)
    torch.set_num_threads(threads)
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")
    assert {"weights-codebook.safetensors", "weights-slice_critic.safetensors"} < set(
        digests(tmp_path / "whole")
    )
    assert set(fitted.networks) == {"encoder", "decoder", "codebook"}
