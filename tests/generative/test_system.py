from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Call, InputError, Recipe, Shape
from vesalius.generative.conditioning import SpatialCondition
from vesalius.generative.guidance import DataConsistency
from vesalius.generative.objectives import Denoising, PairedAdversarial
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.samplers import Ddim, Direct
from vesalius.generative.system import System, seeded
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.pix2pix_unet import Pix2PixUNet
from vesalius.networks.spade_generator import SpadeGenerator
from vesalius.networks.unet import UNet

TASK = tasks.get("t1-to-t2", Call(DigitalPatients, n=10, size=(16, 16)))
SHAPE = Shape(given=1, wanted=1, dims=2)


def diffusion() -> Recipe:
    return Recipe(
        name="diffusion",
        summary="",
        task=TASK,
        networks={"network": Call(UNet, width=4, multipliers=(1, 2))},
        path=Call(CosinePath, data_std=0.5),
        objective=Call(Denoising),
        sampler=Call(Ddim, steps=2),
    )


def adversarial() -> Recipe:
    return Recipe(
        name="gan",
        summary="",
        task=TASK,
        networks={
            "generator": Call(Pix2PixUNet, width=4, levels=2),
            "critic": Call(PatchDiscriminator, width=4, n_layers=1),
        },
        objective=Call(PairedAdversarial),
        sampler=Call(Direct),
    )


def batch(*cases: str) -> Batch:
    given = torch.randn(len(cases), 1, 16, 16, generator=torch.Generator().manual_seed(0))
    return Batch(wanted=None, given=given, cases=cases)


@pytest.mark.parametrize("recipe", [diffusion, adversarial])
def test_draws_are_made_again_by_their_seed_and_differ(recipe: Callable[[], Recipe]) -> None:
    system = System.build(recipe(), SHAPE, seed=0)
    torch.manual_seed(1)
    first = system.draw(batch("a", "b"), (16, 16), draws=3, seed=5)
    torch.manual_seed(2)
    assert first.shape == (3, 2, 1, 16, 16)
    assert torch.equal(first, system.draw(batch("a", "b"), (16, 16), draws=3, seed=5))
    assert torch.equal(first[:1], system.draw(batch("a", "b"), (16, 16), seed=5))
    assert not torch.allclose(first[0], first[1], atol=1e-4), "noise or dropout varies"
    assert not torch.allclose(
        first, system.draw(batch("a", "b"), (16, 16), draws=3, seed=6), atol=1e-4
    )
    other = system.draw(batch("a", "c"), (16, 16), draws=3, seed=5)
    assert not torch.allclose(first, other, atol=1e-4), "streams are named after the cases"


def test_weights_are_the_seeds_and_the_global_stream_stays() -> None:
    before = torch.random.get_rng_state().clone()
    one, two, three = (System.build(adversarial(), SHAPE, seed) for seed in (0, 0, 1))
    assert torch.equal(before, torch.random.get_rng_state())
    for name in ("generator", "critic"):
        a, b, c = (
            torch.cat([p.flatten() for p in system.networks[name].parameters()])
            for system in (one, two, three)
        )
        assert torch.equal(a, b)
        assert not torch.allclose(a, c)


def test_the_path_is_one_object_for_all_parts() -> None:
    recipe = diffusion()
    guided = Recipe.from_json({**recipe.to_json(), "guidance": [Call(DataConsistency).to_json()]})
    system = System.build(guided, SHAPE, 0)
    assert isinstance(system.objective, Denoising)
    assert isinstance(system.sampler, Ddim)
    assert system.objective.path == system.sampler.path == CosinePath(data_std=0.5)
    assert system.guidance == (DataConsistency(CosinePath(data_std=0.5)),)
    karras = Recipe.from_json({**recipe.to_json(), "path": Call(KarrasPath).to_json()})
    assert isinstance(System.build(karras, SHAPE, 0).objective.path, KarrasPath)  # type: ignore[attr-defined]


def test_conditioning_reaches_the_networks() -> None:
    recipe = adversarial()
    networks = {**recipe.networks, "generator": Call(SpadeGenerator, width=4, levels=1, hidden=4)}
    spade = Recipe.from_json(
        {
            **recipe.to_json(),
            "networks": {name: call.to_json() for name, call in networks.items()},
            "conditioning": Call(SpatialCondition).to_json(),
        }
    )
    drawn = System.build(spade, SHAPE, 0).draw(batch("a"), (16, 16))
    assert drawn.shape == (1, 1, 1, 16, 16)


def test_other_weights_draw_other_images() -> None:
    system = System.build(adversarial(), SHAPE, 0)
    other = System.build(adversarial(), SHAPE, 1)
    swapped = system.with_networks(other.networks)
    drawn = [s.draw(batch("a"), (16, 16), seed=2) for s in (system, other, swapped)]
    assert torch.equal(drawn[1], drawn[2])
    assert not torch.allclose(drawn[0], drawn[1], atol=1e-4)


def test_networks_of_another_objective_are_refused() -> None:
    recipe = adversarial()
    wrong = {**recipe.to_json(), "networks": {"network": Call(UNet).to_json()}}
    with pytest.raises(InputError, match="networks named critic, generator"):
        System.build(Recipe.from_json(wrong), SHAPE, 0)


def test_seeded_gives_the_stream_back() -> None:
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    with seeded(7):
        inside = torch.rand(1)
    with seeded(7):
        assert torch.equal(inside, torch.rand(1))
    assert torch.equal(torch.rand(2), expected)
