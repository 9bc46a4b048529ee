"""An autoencoder of tokens and its prior, one after the other in one run."""

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
from vesalius.core.recipe import Start
from vesalius.generative.codecs import GreyLevels
from vesalius.generative.losses import L1, L2
from vesalius.generative.objectives import MaskedToken, NextToken, VectorQuantised
from vesalius.generative.objectives.objective import Interface
from vesalius.generative.paths import AbsorbingPath
from vesalius.generative.samplers import NextTokenSampler, Unmasking
from vesalius.generative.system import System
from vesalius.networks.codebook import Codebook
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.token_transformer import TokenTransformer
from vesalius.training.checkpoint import load
from vesalius.training.fit import Engine, Loop

DONE = {"autoencoder": {"done": torch.tensor(0.2)}, "prior": {"done": torch.tensor(0.7)}}


def recipe(kind: str = "next", **changes: Any) -> Recipe:
    small = {"width": 8, "multipliers": (1, 2, 2)}
    masked = kind == "masked"
    parts: dict[str, Any] = {
        "networks": {
            "encoder": Call(Encoder, **small),
            "decoder": Call(Decoder, **small),
            "codebook": Call(Codebook, width=4, codes=8, decay=0.9),
            "prior": Call(TokenTransformer, causal=not masked, width=16, n_layers=2),
        },
        "path": Call(AbsorbingPath) if masked else None,
        "objective": Call(
            VectorQuantised,
            prior=Call(MaskedToken if masked else NextToken),
            features=4,
            codes=8,
        ),
        "sampler": Call(Unmasking, steps=4) if masked else Call(NextTokenSampler),
        **changes,
    }
    task = tasks.get("mr-slices", Call(DigitalPatients, n=10, size=(16, 16)))
    return Recipe(
        name="r",
        summary="",
        task=task.replace(matrix=(16, 16), shift_voxels=1),
        optimiser=Optimiser(rate=2e-3, ema_decay=0.9, warmup_steps=2),
        budget=Budget(steps=6, batch_size=2, save_every_s=1e9),
        **parts,
    )


def built(kind: str = "next", given: int = 0) -> tuple[VectorQuantised, dict[str, nn.Module]]:
    system = System.build(recipe(kind), Shape(given, 1, 2), seed=0)
    assert isinstance(system.objective, VectorQuantised)
    return system.objective, dict(system.networks)


def batch(n: int = 4, size: tuple[int, int] = (8, 8), seed: int = 0) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    return Batch(wanted=torch.rand(n, 1, *size, generator=rng) * 2 - 1)


def rng_of(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weights(network: nn.Module) -> Tensor:
    return torch.cat([value.flatten().double() for value in network.state_dict().values()])


def test_interfaces() -> None:
    objective = VectorQuantised(features=4, codes=8)
    assert objective.interfaces(2, 1) == {
        "encoder": Interface(1, 4),
        "decoder": Interface(4, 1),
        "codebook": Interface(4, 4),
        "prior": Interface(8, 8, 2),
    }
    masked = VectorQuantised(prior=MaskedToken(AbsorbingPath()), codes=8)
    assert masked.interfaces(0, 1)["prior"] == Interface(9, 8)


def test_the_loss_by_hand() -> None:
    """Encoder and decoder halve and double nothing: features are voxels, vectors are -1 and 1."""

    class Same(nn.Module):
        reduction = 1

        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.ones(()))

        def forward(self, x: Tensor) -> Tensor:
            return self.gain * x

    codebook = Codebook(width=1, codes=2, decay=0.5)
    codebook.vectors.copy_(torch.tensor([[-1.0], [1.0]]))
    codebook.sums.copy_(codebook.vectors)
    codebook.started.fill_(1)
    networks = {"encoder": Same(), "decoder": Same(), "codebook": codebook, "prior": Same()}
    image = torch.tensor([[[[0.5, 0.5], [-0.5, -2.0]]]])
    objective = VectorQuantised((L2(), L1(0.5)), features=1, codes=2, commitment=0.25)
    losses = objective.loss(
        "autoencoder", networks, Batch(wanted=image), rng_of(), DONE["autoencoder"]
    )
    # nearest: 1, 1, -1, -1; differences 0.5, 0.5, 0.5, 1
    squares = (3 * 0.25 + 1) / 4
    assert losses.values() == pytest.approx(
        {"l2": squares, "l1": 2.5 / 4, "commitment": squares, "perplexity": 2.0}
    )
    assert float(losses.total.detach()) == pytest.approx(squares + 0.5 * 2.5 / 4 + 0.25 * squares)
    losses.total.backward()
    # straight through: d/dgain of decoder(encoder(x)), with the decoder at the nearest vector
    off = torch.tensor([0.5, 0.5, -0.5, 1.0])  # nearest minus image
    x = image.flatten()
    through = (2 * off * x + 0.5 * off.sign() * x).mean()
    commitment = (0.25 * 2 * -off * x).mean()
    encoder, decoder = networks["encoder"], networks["decoder"]
    assert float(encoder.gain.grad) == pytest.approx(float(through + commitment))  # type: ignore[union-attr, arg-type]
    nearest = x + off
    at_decoder = (2 * off * nearest + 0.5 * off.sign() * nearest).mean()
    assert float(decoder.gain.grad) == pytest.approx(float(at_decoder))  # type: ignore[union-attr, arg-type]
    # moving averages, half of the old: counts (1+2)/2, sums (1+1)/2 and (-1-2.5)/2
    vectors = codebook.vectors.flatten().tolist()
    assert vectors == pytest.approx([-1.75 / 1.5, 1 / 1.5], abs=1e-4)
    assert not codebook.training


@pytest.mark.parametrize("kind", ["next", "masked"])
def test_one_rests_while_the_other_plays(kind: str) -> None:
    objective, networks = built(kind)
    assert objective.loss("prior", networks, batch(), rng_of(), DONE["autoencoder"]).terms == {}
    assert objective.loss("autoencoder", networks, batch(), rng_of(), DONE["prior"]).terms == {}
    for player, names in objective.players().items():
        before = weights(networks["codebook"])
        for network in networks.values():
            network.zero_grad()
        losses = objective.loss(player, networks, batch(), rng_of(), DONE[player])
        losses.total.backward()
        for name, network in networks.items():
            found = [p.grad is not None for p in network.parameters()]
            assert all(found) if name in names else not any(found)
        moved = not torch.equal(before, weights(networks["codebook"]))
        assert moved == (player == "autoencoder"), "the codebook learns with the autoencoder"


def test_without_a_share_the_autoencoder_stands_still_from_the_start() -> None:
    objective = VectorQuantised(features=4, codes=8, share=0.0)
    _, networks = built()
    networks["codebook"].eval()  # as the loop has whom nobody trains
    start = {"done": torch.tensor(0.0)}
    before = {name: weights(network) for name, network in networks.items()}
    assert objective.loss("autoencoder", networks, batch(), rng_of(), start).terms == {}
    assert "bits" in objective.loss("prior", networks, batch(), rng_of(), start).terms
    assert all(torch.equal(before[name], weights(network)) for name, network in networks.items())


def test_without_a_share_a_recipe_says_where_the_autoencoder_comes_from() -> None:
    plain = recipe()
    bare = plain.objective.replace(share=0.0)
    with pytest.raises(InputError, match=r"none for encoder, decoder, codebook.*add it to starts"):
        dataclasses.replace(plain, objective=bare)
    own = ("encoder", "decoder", "codebook")
    starts = {name: Start(recipe="vqgan-autoencoder", network=name) for name in own}
    assert dataclasses.replace(plain, objective=bare, starts=starts).objective is bare


def test_images_of_any_size_come_back_at_their_size() -> None:
    objective, networks = built()
    assert objective.code_shape(networks, (3, 1, 9, 7)) == (3, 3, 2)
    tokens = torch.randint(0, 8, (3, 3, 2), generator=rng_of())
    assert objective.decode(networks, tokens, batch(), (9, 7)).shape == (3, 1, 9, 7)
    losses = objective.loss(
        "autoencoder", networks, batch(3, (9, 7)), rng_of(), DONE["autoencoder"]
    )
    assert torch.isfinite(losses.total)


@pytest.mark.parametrize("kind", ["next", "masked"])
def test_images_are_drawn_as_often_as_they_were_seen(kind: str) -> None:
    """Two patterns, one three times as frequent; each draw is nearly one of them."""
    one, second = -torch.ones(1, 8, 8), -torch.ones(1, 8, 8)
    one[:, :4] = 1.0
    second[:, :, 4:] = 0.5
    images = torch.stack([one, one, one, second] * 4)
    objective, networks = built(kind)
    for player, steps in (("autoencoder", 120), ("prior", 200)):
        names = objective.players()[player]
        trained = [p for name in names for p in networks[name].parameters()]
        optimiser = torch.optim.Adam(trained, 5e-3)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for step in range(steps):
            # times are laid over a batch in its order, so that is another each time
            seen = Batch(wanted=images[torch.randperm(16, generator=rng_of(step))])
            losses = objective.loss(player, networks, seen, rng_of(step), DONE[player])
            optimiser.zero_grad()
            losses.total.backward()
            optimiser.step()
            falling.step()
    nobody = Batch(wanted=None, cases=tuple(f"c{k}" for k in range(400)))
    system = System.build(recipe(kind), Shape(0, 1, 2), seed=0).with_networks(networks)
    drawn = system.draw(nobody, (8, 8), seed=1)[0]
    distance = torch.stack([(drawn - image).abs().mean(dim=(1, 2, 3)) for image in (one, second)])
    assert float((distance.min(dim=0).values < 0.15).double().mean()) > 0.9
    assert float((distance[0] < distance[1]).double().mean()) == pytest.approx(0.75, abs=0.08)


def test_parts_that_do_not_fit_are_refused_when_a_recipe_is_written() -> None:
    networks = dict(recipe().networks)
    with pytest.raises(InputError, match=r"codebook.codes and objective.codes.*got 9 and 8"):
        recipe(networks={**networks, "codebook": Call(Codebook, width=4, codes=9)})
    with pytest.raises(InputError, match=r"codebook.width and objective.features.*got 5 and 4"):
        recipe(networks={**networks, "codebook": Call(Codebook, width=5, codes=8)})
    with pytest.raises(InputError, match="sampler Unmasking for MaskedToken"):
        recipe("masked", sampler=Call(NextTokenSampler))
    with pytest.raises(InputError, match="AbsorbingPath for MaskedToken, got none"):
        recipe("masked", path=None)
    with pytest.raises(InputError, match="no codec beside VectorQuantised"):
        recipe(codec=Call(GreyLevels))
    with pytest.raises(InputError, match="a prior of tokens: NextToken or MaskedToken"):
        recipe(objective=Call(VectorQuantised, prior=Call(L2), features=4, codes=8))
    with pytest.raises(InputError, match="share of the budget from 0 to below 1"):
        VectorQuantised(share=1.0)


def test_a_stopped_run_goes_on_bit_for_bit_and_draws_with_the_current_codebook(
    tmp_path: Path,
) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    one = recipe()

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
        files = sorted((folder / "checkpoints" / "step-00000006").glob("*.safetensors"))
        return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    fitted = loop(whole, 99)
    for last in (1, 2, 4, 99):
        again = loop(parts, last)
    torch.set_num_threads(threads)
    assert again.steps == fitted.steps == 6
    assert digests(parts) == digests(whole)
    assert "weights-codebook.safetensors" in digests(whole)
    saved = load(whole / "checkpoints" / "step-00000006", one.fingerprint()).tensors
    codebook = fitted.networks["codebook"].state_dict()
    assert set(fitted.networks) == {"decoder", "codebook", "prior"}
    assert float(codebook["started"]) == 1
    for name, value in codebook.items():
        assert torch.equal(value, saved["weights-codebook"][name])
    start = System.build(one, Shape(0, 1, 2), 3).networks["codebook"].state_dict()
    assert not torch.equal(start["vectors"], codebook["vectors"])


def test_the_standing_network_does_not_move(tmp_path: Path) -> None:
    """The prior's half of a run leaves the autoencoder as it was, moments of Adam included."""
    one = recipe()
    short = dataclasses.replace(one, budget=dataclasses.replace(one.budget, steps=6))
    seen: list[dict[str, Tensor]] = []

    class Watched(Loop):
        def _step(self, *arguments: Any) -> dict[str, float]:
            values = super()._step(*arguments)
            networks = arguments[1].networks
            seen.append({name: weights(network) for name, network in networks.items()})
            return values

    Watched(short, short.task.build(), tmp_path, seed=0, engine=Engine("cpu")).run()
    for k in range(1, 6):
        moved = {n for n in seen[k] if not torch.equal(seen[k][n], seen[k - 1][n])}
        assert moved == ({"encoder", "decoder", "codebook"} if k < 3 else {"prior"})
