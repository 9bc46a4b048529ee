"""Diffusion of the latents of an autoencoder that stands still."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius import recipes, tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Budget, Call, InputError, Optimiser, Recipe, Shape, Start
from vesalius.generative.codecs import GreyLevels
from vesalius.generative.conditioning import Concatenation, Unconditional
from vesalius.generative.objectives import (
    AdversarialReconstruction,
    Denoising,
    LatentDenoising,
    Likelihood,
    Variational,
)
from vesalius.generative.objectives.objective import Interface
from vesalius.generative.paths import BridgePath, CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.generative.system import System
from vesalius.networks.codebook import Codebook
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.latent_scale import LatentScale
from vesalius.networks.space_to_depth import depth_to_space, space_to_depth
from vesalius.networks.unet import UNet
from vesalius.recipes.tiny import tiny
from vesalius.runner.stages import settled
from vesalius.training.checkpoint import load, save_tensors
from vesalius.training.first_weights import identity
from vesalius.training.fit import Engine, Loop

PATH = CosinePath()
SIZES = {2: (8, 6), 3: (4, 6, 4)}


class Blocks(nn.Module):
    """Encodes an image as its blocks of two voxels a side: exact, whatever the image."""

    reduction = 2

    def __init__(self, *, variance: bool) -> None:
        super().__init__()
        self.variance = variance
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, level: object = None, condition: object = None) -> Tensor:
        features = self.gain * space_to_depth(x, 2)
        return torch.cat([features, features - 100], 1) if self.variance else features


class Unblocks(nn.Module):
    """Undoes it."""

    reduction = 2

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, level: object = None, condition: object = None) -> Tensor:
        return self.gain * depth_to_space(x, 2)


class Exact(nn.Module):
    """E[latent | state] on the cosine path where latents are N(mean, std^2), channel by channel."""

    def __init__(self, mean: Tensor, std: float) -> None:
        super().__init__()
        self.mean, self.std = nn.Parameter(mean), std

    def forward(self, x: Tensor, level: Tensor, condition: object = None) -> Tensor:
        shape = (-1, *[1] * (x.ndim - 1))
        ratio = (4 * level).exp().view(shape)
        signal = 1 / (1 + ratio**2).sqrt()
        variance = (signal * self.std) ** 2 + (signal * ratio) ** 2
        mean = self.mean.view(1, -1, *[1] * (x.ndim - 2))
        return mean + signal * self.std**2 / variance * (x - signal * mean)


class Seen(nn.Module):
    """Returns the first channels of what it is shown, and remembers that."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.gain = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        self.shown, self.condition = x.detach(), condition
        return self.gain * x[:, : self.channels]


def rng_of(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def batch(dims: int, n: int = 4, seed: int = 0) -> Batch:
    images = 3 + 0.2 * torch.randn(n, 1, *SIZES[dims], generator=rng_of(seed))
    return Batch(wanted=images, cases=tuple(map(str, range(n))))


def parts(kind: str, dims: int, **settings: Any) -> tuple[LatentDenoising, dict[str, nn.Module]]:
    """The objective, with an autoencoder that loses nothing."""
    features = 2**dims
    objective = LatentDenoising(
        PATH,
        kind=kind,  # type: ignore[arg-type]
        features=features,
        conditioning=settings.pop("conditioning", Unconditional()),
        **settings,
    )
    networks: dict[str, nn.Module] = {
        "network": Seen(features),
        "encoder": Blocks(variance=kind == "kl"),
        "decoder": Unblocks(),
    }
    if kind == "kl":
        networks["scale"] = LatentScale(
            channels_in=features,
            channels_out=features,
            dims=dims,
            n_batches=1,  # type: ignore[arg-type]
        )
    else:
        codebook = Codebook(width=features, codes=6)
        codebook.vectors.copy_(torch.randn(6, features, generator=rng_of(9)) + 2)
        networks["codebook"] = codebook
    for name in objective.frozen():
        networks[name].requires_grad_(False).eval()
    return objective, networks


def test_interfaces_and_players() -> None:
    objective = LatentDenoising(PATH, features=3)
    assert objective.interfaces(2, 1) == {
        "network": Interface(3 + 2, 3, takes_level=True),
        "encoder": Interface(1, 6),
        "decoder": Interface(3, 1),
        "scale": Interface(3, 3),
    }
    assert objective.players() == {"network": ("network",)}
    assert set(objective.frozen()) == {"encoder", "decoder", "scale"}
    assert objective.drawing() == ("network", "decoder", "scale")
    quantised = LatentDenoising(PATH, kind="vq", features=3, conditioning=Unconditional())
    assert quantised.interfaces(2, 1) == {
        "network": Interface(3, 3, takes_level=True),
        "encoder": Interface(1, 3),
        "decoder": Interface(3, 1),
        "codebook": Interface(3, 3),
    }
    assert quantised.drawing() == ("network", "decoder", "codebook")


@pytest.mark.parametrize("dims", [2, 3])
def test_latents_of_images_are_of_unit_size_and_go_round(dims: int) -> None:
    objective, networks = parts("kl", dims)
    images = batch(dims)
    assert images.wanted is not None
    unseen = objective.latents(networks, images, rng_of())
    assert float(unseen.mean()) > 2.5, "a scale that has seen nothing changes nothing"
    latents = objective.latents(networks, images, rng_of(), observe=True)
    assert tuple(latents.shape) == objective.code_shape(networks, tuple(images.wanted.shape))
    by_channel = latents.transpose(0, 1).flatten(1)
    assert by_channel.mean(1).abs().max() < 1e-3
    assert torch.allclose(by_channel.std(1, correction=0), torch.ones(2**dims), atol=1e-3)
    again = objective.images(networks, latents, SIZES[dims])
    assert torch.allclose(again, images.wanted, atol=2e-3)
    other = objective.latents(networks, batch(dims, seed=1), rng_of(), observe=True)
    assert other.mean().abs() > 1e-5, "the scale stands still after its first batches"


@pytest.mark.parametrize("dims", [2, 3])
def test_quantised_latents_lie_within_the_codebook_and_are_quantised_when_decoded(
    dims: int,
) -> None:
    objective, networks = parts("vq", dims)
    codebook = networks["codebook"]
    assert isinstance(codebook, Codebook)
    grid = tuple(size // 2 for size in SIZES[dims])
    tokens = torch.randint(6, (4, *grid), generator=rng_of())
    tokens.view(-1)[:6] = torch.arange(6)
    images = Batch(wanted=depth_to_space(codebook.look_up(tokens), 2))
    assert images.wanted is not None
    latents = objective.latents(networks, images, rng_of())
    assert float(latents.min()) == pytest.approx(-1, abs=1e-6)
    assert float(latents.max()) == pytest.approx(1, abs=1e-6)
    again = objective.images(networks, latents, SIZES[dims])
    assert torch.allclose(again, images.wanted, atol=1e-5)
    near = objective.images(networks, latents + 0.01, SIZES[dims])
    assert torch.allclose(near, images.wanted, atol=1e-5), "drawn to the nearest vector"


@pytest.mark.parametrize("kind", ["kl", "vq"])
def test_the_loss_is_that_of_denoising_latents(kind: str) -> None:
    settings: dict[str, Any] = {"prediction": "noise", "distance": "l1", "weighting": "min-snr"}
    objective, networks = parts(kind, 2, **settings)
    images = batch(2)
    if kind == "kl":
        networks["scale"].observe(space_to_depth(images.wanted, 2))  # type: ignore[operator, arg-type]
    done = {"done": torch.tensor(0.5)}
    first = rng_of(3)
    latents = objective.latents(networks, images, first)
    plain = Denoising(PATH, conditioning=Unconditional(), **settings)
    expected = plain.loss("network", networks, Batch(wanted=latents), first, dict(done)).values()
    assert expected["noise"] > 0.1
    found = objective.loss("network", networks, images, rng_of(3), dict(done)).values()
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["kl", "vq"])
def test_gradients_reach_the_network_alone(kind: str) -> None:
    objective, networks = parts(kind, 2)
    networks["network"] = UNet(
        channels_in=4, channels_out=4, takes_level=True, width=4, multipliers=(1, 2)
    )
    with torch.no_grad():
        for parameter in networks["network"].parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=rng_of()))
    for name in objective.frozen():
        networks[name].requires_grad_(True)  # even so
    before = {k: v.clone() for k, v in networks["decoder"].state_dict().items()}
    losses = objective.loss("network", networks, batch(2), rng_of(), {"done": torch.tensor(0.0)})
    losses.total.backward()
    assert all(
        p.grad is not None and p.grad.abs().sum() > 0 for p in networks["network"].parameters()
    )
    for name in objective.frozen():
        assert all(p.grad is None for p in networks[name].parameters())
    assert all(torch.equal(v, before[k]) for k, v in networks["decoder"].state_dict().items())


@pytest.mark.parametrize("dims", [2, 3])
def test_an_exact_denoiser_draws_images_whose_mean_is_the_decoded_mean(dims: int) -> None:
    objective, networks = parts("kl", dims, prediction="denoised")
    networks["scale"].observe(  # type: ignore[operator]
        space_to_depth(batch(dims, 64).wanted, 2)  # type: ignore[arg-type]
    )
    mean = torch.linspace(-1, 1, 2**dims)
    networks["network"] = Exact(mean, 0.3)
    n = 400
    nobody = Batch(wanted=None, cases=tuple(map(str, range(n))))
    predict = objective.predictor(networks, nobody)
    shape = objective.code_shape(networks, (n, 1, *SIZES[dims]))
    with torch.no_grad():
        code = Ddim(PATH, steps=200).sample(predict, shape, rng_of(1))
        drawn = objective.decode(networks, code, nobody, SIZES[dims])
    everywhere = mean.view(1, -1, *[1] * dims).expand(1, *shape[1:])
    expected = objective.images(networks, everywhere, SIZES[dims])
    assert tuple(drawn.shape) == (n, 1, *SIZES[dims])
    assert torch.allclose(drawn.mean(0, keepdim=True), expected, atol=0.02)
    deviation = networks["scale"].moments()[1].mean()  # type: ignore[operator]
    assert float(drawn.std(0).mean()) == pytest.approx(0.3 * float(deviation), rel=0.05)


def test_images_of_any_size_come_back_at_their_size() -> None:
    small = {"width": 4, "multipliers": (1, 2)}
    objective = LatentDenoising(PATH, features=3, conditioning=Unconditional())
    networks: dict[str, nn.Module] = {
        "network": UNet(channels_in=3, channels_out=3, takes_level=True, **small),
        "encoder": Encoder(channels_in=1, channels_out=6, patch=2, **small),
        "decoder": Decoder(channels_in=3, channels_out=1, patch=2, **small),
        "scale": LatentScale(channels_in=3, channels_out=3),
    }
    assert objective.code_shape(networks, (2, 1, 9, 7)) == (2, 3, 3, 2)
    odd = Batch(wanted=torch.randn(2, 1, 9, 7, generator=rng_of()))
    assert objective.latents(networks, odd, rng_of()).shape == (2, 3, 3, 2)
    assert objective.decode(networks, torch.zeros(2, 3, 3, 2), odd, (9, 7)).shape == (2, 1, 9, 7)


def test_what_is_given_comes_on_the_grid_and_vectors_as_they_are() -> None:
    objective, networks = parts("vq", 2, conditioning=Concatenation())
    given = torch.randn(4, 2, *SIZES[2], generator=rng_of(2))
    known = dataclasses.replace(batch(2), given=given)
    objective.loss("network", networks, known, rng_of(), {"done": torch.tensor(0.0)})
    network = networks["network"]
    assert isinstance(network, Seen)
    means = torch.nn.functional.avg_pool2d(given, 2)
    assert torch.allclose(network.shown[:, 4:], means)
    state, time = torch.randn(4, 4, 4, 3, generator=rng_of()), torch.full((4,), 0.5)
    objective.predictor(networks, known)(state, time)
    assert torch.allclose(network.shown[:, 4:], means)

    class Vector(Concatenation):
        def arrange(self, x: Any, batch: Batch, *, rng: Any = None) -> tuple[Tensor, Any]:
            return x, batch.given

    objective, networks = parts("vq", 2, conditioning=Vector())
    vector = torch.randn(4, 5, generator=rng_of())
    told = dataclasses.replace(batch(2), given=vector)
    objective.loss("network", networks, told, rng_of(), {"done": torch.tensor(0.0)})
    assert torch.equal(networks["network"].condition, vector)  # type: ignore[arg-type]


def trained_autoencoder(networks: Mapping[str, Call], folder: Path) -> dict[str, Start]:
    """Random weights in ``folder`` as a run's, and starts from them."""
    starts = {}
    (folder / "model").mkdir(parents=True)
    for name, channels in (("encoder", (1, 6)), ("decoder", (3, 1))):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(5)
            made = networks[name].build(channels_in=channels[0], channels_out=channels[1], dims=2)
        save_tensors(folder / "model" / f"{name}.safetensors", made.state_dict(), {})
        starts[name] = Start(run=str(folder), network=name, weights=identity(made.state_dict()))
    return starts


def recipe(folder: Path, **changes: Any) -> Recipe:
    small = {"width": 4, "multipliers": (1, 2)}
    networks = {
        "network": Call(UNet, **small),
        "encoder": Call(Encoder, **small),
        "decoder": Call(Decoder, **small),
        "scale": Call(LatentScale, n_batches=4),
    }
    starts = trained_autoencoder(networks, folder) if not folder.exists() else {}
    task = tasks.get("mr-slices", Call(DigitalPatients, n=10, size=(16, 16)))
    settings: dict[str, Any] = {
        "networks": networks,
        "starts": starts,
        "path": Call(CosinePath),
        "objective": Call(LatentDenoising, features=3, conditioning=Call(Unconditional)),
        "sampler": Call(Ddim, steps=2),
        **changes,
    }
    return Recipe(
        name="r",
        summary="",
        task=task.replace(matrix=(16, 16), shift_voxels=1),
        optimiser=Optimiser(rate=2e-3, ema_decay=0.9, warmup_steps=2),
        budget=Budget(steps=6, batch_size=2, save_every_s=1e9),
        **settings,
    )


def test_a_stopped_run_goes_on_bit_for_bit_and_the_autoencoder_stands_still(
    tmp_path: Path,
) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    one = recipe(tmp_path / "first")

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

    fitted = loop(tmp_path / "whole", 99)
    for last in (1, 3, 99):
        loop(tmp_path / "parts", last)
    torch.set_num_threads(threads)
    assert digests(tmp_path / "parts") == digests(tmp_path / "whole")
    saved = load(tmp_path / "whole" / "checkpoints" / "step-00000006", one.fingerprint()).tensors
    for name in ("encoder", "decoder"):
        assert identity(saved[f"weights-{name}"]) == one.starts[name].weights
        assert f"average-{name}" not in saved
    assert float(saved["weights-scale"]["seen"]) == 4
    assert set(fitted.networks) == {"network", "decoder", "scale"}
    system = System.build(one, Shape(0, 1, 2), 3).with_networks(fitted.networks)
    nobody = Batch(wanted=None, cases=("a", "b"))
    assert system.draw(nobody, (15, 16), seed=1).shape == (1, 2, 1, 15, 16)
    scale = fitted.networks["scale"]
    assert isinstance(scale, LatentScale)
    assert float(scale.moments()[1].min()) != 1, "what draws knows the scale"


def test_parts_that_do_not_fit_are_refused_when_a_recipe_is_written(tmp_path: Path) -> None:
    fine = recipe(tmp_path / "first")
    with pytest.raises(InputError, match="no start of decoder, encoder"):
        dataclasses.replace(fine, starts={})
    with pytest.raises(InputError, match=r"a path that starts in noise, .*got BridgePath"):
        dataclasses.replace(
            fine,
            path=Call(BridgePath),
            objective=fine.objective.replace(prediction="denoised"),
        )
    with pytest.raises(InputError, match="a prediction that CosinePath knows"):
        dataclasses.replace(fine, objective=fine.objective.replace(prediction="displacement"))
    with pytest.raises(InputError, match="no codec beside LatentDenoising"):
        dataclasses.replace(fine, codec=Call(GreyLevels))
    quantised = {n: c for n, c in fine.networks.items() if n != "scale"}
    with pytest.raises(InputError, match=r"codebook.width and objective.features.*got 5 and 3"):
        dataclasses.replace(
            fine,
            networks={**quantised, "codebook": Call(Codebook, width=5)},
            starts={**fine.starts, "codebook": Start(recipe="vq-vae")},
            objective=fine.objective.replace(kind="vq"),
        )
    with pytest.raises(InputError, match="at least one feature"):
        LatentDenoising(PATH, features=0)


def test_autoencoders_that_are_read_otherwise_are_refused_when_a_run_is_made() -> None:
    small = tiny(recipes.get("latent-diffusion"))
    assert settled(small)

    def check(kind: str, first: Recipe) -> None:
        LatentDenoising.check_start({"kind": kind}, "encoder", first)

    gaussian = recipes.get("latent-diffusion-autoencoder")
    quantised = recipes.get("medicaldiffusion-autoencoder")
    check("kl", gaussian)
    check("vq", quantised)
    with pytest.raises(InputError, match="from an autoencoder of 'vq' latents"):
        check("vq", gaussian)
    with pytest.raises(InputError, match="'kl' latents, got medicaldiffusion-autoencoder"):
        check("kl", quantised)
    with pytest.raises(InputError, match="'kl' latents, got unet-regression"):
        check("kl", recipes.get("unet-regression"))
    told = dataclasses.replace(
        gaussian, objective=Call(Variational, conditioning=Call(Concatenation))
    )
    with pytest.raises(InputError, match=r"sees images alone, got .*Concatenation"):
        check("kl", told)
    for likelihood in (Call(Likelihood, kind="bernoulli"), Call(Likelihood, scale=None)):
        other = gaussian.objective.replace(likelihood=likelihood)
        with pytest.raises(InputError, match="decodes images"):
            check("kl", dataclasses.replace(gaussian, objective=other))
    judged = Call(AdversarialReconstruction, latents="kl", features=4)
    networks = {**gaussian.networks, "critic": quantised.networks["critic"]}
    check("kl", dataclasses.replace(gaussian, objective=judged, networks=networks))
    LatentDenoising.check_start({}, "network", recipes.get("unet-regression"))
