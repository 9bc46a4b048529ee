from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Batch, Call, InputError, Recipe, Shape
from vesalius.generative.objectives import DeformationRecovery
from vesalius.generative.paths import CosinePath, DeformationPath
from vesalius.generative.samplers import DeformAndRecover
from vesalius.generative.system import System
from vesalius.networks.deformation_network import DeformationNetwork

PATH = DeformationPath(disturbance=0.0, control_points=(4, 8))


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramps(n_cases: int, space: tuple[int, ...]) -> Tensor:
    """Images whose channels say where a voxel is, from -1 to 1."""
    axes = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in space), indexing="ij")
    return torch.stack(axes).expand(n_cases, -1, *space)


def batch_of(images: Tensor) -> Batch:
    return Batch(wanted=images, cases=tuple(map(str, range(len(images)))))


class Still(nn.Module):
    """Moves nothing, and remembers what it saw."""

    def forward(self, x: Tensor, level: Tensor | None = None) -> Tensor:
        self.seen, self.level = x, level
        return x.new_zeros(x.shape[0], x.ndim - 2, *x.shape[2:])


class Knowing(nn.Module):
    """Draws the numbers that the path draws, so it knows the exact inverse of every step."""

    def __init__(self, path: DeformationPath, seed: int) -> None:
        super().__init__()
        self.path, self.seed = path, seed

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        rng, space = stream(self.seed), tuple(x.shape[2:])
        levels = self.path.draw_levels(x.shape[0], rng)
        assert torch.equal(level, levels / self.path.levels)
        velocity = self.path.velocity((x.shape[0], *space), rng)
        undo = self.path.flow(velocity, -self.path.undone(levels))
        return undo / self.path.step_size(levels, space)


class Proportional(nn.Module):
    """Undoes ``share`` of the displacement that ramps show, as far as a step goes."""

    def __init__(self, path: DeformationPath) -> None:
        super().__init__()
        self.path, self.share = path, nn.Parameter(torch.tensor(0.3))

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        levels, space = level * self.path.levels, tuple(x.shape[2:])
        extent = torch.tensor([n - 1.0 for n in space]).view(1, -1, *[1] * len(space))
        displacement = (x - ramps(x.shape[0], space)) * extent / 2
        part = (self.path.undone(levels) / self.path.reached(levels)).view(-1, 1, *[1] * len(space))
        return -self.share * part * displacement / self.path.step_size(levels, space)


@pytest.mark.parametrize("space", [(32, 40), (14, 16, 18)])
def test_who_knows_the_inverse_loses_almost_nothing(space: tuple[int, ...]) -> None:
    objective = DeformationRecovery(PATH)
    knowing: dict[str, nn.Module] = {"network": Knowing(PATH, seed=3)}
    still: dict[str, nn.Module] = {"network": Still()}
    batch = batch_of(torch.zeros(4, 1, *space))
    best = objective.loss("network", knowing, batch, stream(3), {}).values()
    worst = objective.loss("network", still, batch, stream(3), {}).values()
    assert best["distanceerror"] < 0.02
    assert best["angleerror"] < 0.02
    assert best["folding"] == 0
    assert best["smoothness"] > 0
    assert worst["distanceerror"] == pytest.approx(1, abs=0.01), "nothing of the step is undone"
    assert worst["smoothness"] == worst["folding"] == 0


def test_predictions_are_read_where_the_step_leads() -> None:
    """For a long step the inverse at a voxel is not minus the step there."""
    path = DeformationPath(levels=1, disturbance=0.0, control_points=(4,), amplitude=0.05)
    objective = DeformationRecovery(path)
    networks: dict[str, nn.Module] = {"network": Knowing(path, seed=3)}
    batch = batch_of(torch.zeros(4, 1, 40, 40))
    found = objective.loss("network", networks, batch, stream(3), {}).values()
    rng = stream(3)
    path.draw_levels(4, rng)
    velocity = path.velocity((4, 40, 40), rng)
    there, back = path.flow(velocity, torch.ones(4)), path.flow(velocity, -torch.ones(4))
    unread = float((there + back).square().sum() / there.square().sum())
    assert found["distanceerror"] < 0.3 * unread


def test_weights_are_the_published_ones() -> None:
    objective = DeformationRecovery(PATH)
    networks: dict[str, nn.Module] = {"network": Knowing(PATH, seed=3)}
    losses = objective.loss("network", networks, batch_of(torch.zeros(2, 1, 24, 24)), stream(3), {})
    weights = {name: weight for name, (weight, _) in losses.terms.items()}
    assert weights == {"distanceerror": 1, "angleerror": 1, "smoothness": 10, "folding": 20}


def test_a_shown_displacement_is_learnt_to_be_undone() -> None:
    gentle = DeformationPath(amplitude=0.02, disturbance=0.0, control_points=(3,))
    objective = DeformationRecovery(gentle, regularisation=(), image_channels=2, jitter=0.0)
    network = Proportional(gentle)
    optimiser = torch.optim.Adam(network.parameters(), 0.1)
    rng, batch = stream(), batch_of(ramps(8, (16, 16)))
    for _ in range(30):
        loss = objective.loss("network", {"network": network}, batch, rng, {})
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
    assert float(network.share.detach()) == pytest.approx(1, abs=0.2)


def test_labels_are_not_seen_and_darkness_stays_dark() -> None:
    network = Still()
    images = torch.full((3, 1, 16, 16), -1.0)
    images[:, :, 4:12] = 1
    wanted = torch.cat([images, torch.rand(3, 2, 16, 16, generator=stream())], dim=1)
    objective = DeformationRecovery(PATH, jitter=0.1)
    objective.loss("network", {"network": network}, batch_of(wanted), stream(), {})
    assert network.seen.shape == (3, 1, 16, 16)
    assert float(network.seen.min()) == pytest.approx(-1)
    brightest = network.seen.flatten(1).amax(dim=1) + 1
    assert (brightest / 2 - 1).abs().max() <= 0.1 + 1e-6
    assert brightest.std() > 1e-3, "every case has its own factor"
    assert objective.interfaces(3, 3)["network"].channels_in == 1


@pytest.mark.parametrize("dims", [2, 3])
def test_a_recipe_builds_a_network_of_fields_and_draws_variants(dims: int) -> None:
    recipe = Recipe(
        name="variants",
        summary="",
        task=tasks.get("mr-slices", Call(DigitalPatients)),
        networks={"network": Call(DeformationNetwork, width=4, n_blocks=1)},
        path=Call(DeformationPath, control_points=(4,)),
        objective=Call(DeformationRecovery),
        sampler=Call(DeformAndRecover, begin_level=40, steps=2),
    )
    space = (16, 12, 10)[:dims]
    system = System.build(recipe, Shape(given=3, wanted=3, dims=dims), seed=0)
    given = torch.rand(2, 3, *space, generator=stream()) * 2 - 1
    given[:, 1:] = (given[:, 1:].softmax(dim=1) > 0.6).float()
    drawn = system.draw(Batch(wanted=None, given=given, cases=("a", "b")), space, draws=2)
    assert drawn.shape == (2, 2, 3, *space)
    assert not torch.allclose(drawn[0], drawn[1])
    assert set(drawn[:, :, 1:].unique().tolist()) == {0, 1}


def test_what_does_not_fit_is_refused() -> None:
    recipe = {
        "name": "variants",
        "summary": "",
        "task": tasks.get("mr-slices", Call(DigitalPatients)),
        "networks": {"network": Call(DeformationNetwork)},
    }
    recovery, sampler = Call(DeformationRecovery), Call(DeformAndRecover)
    with pytest.raises(InputError, match="a DeformationPath for DeformationRecovery"):
        Recipe(**recipe, path=Call(CosinePath), objective=recovery, sampler=sampler)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="a DeformationPath for DeformAndRecover"):
        DeformAndRecover.check_recipe(
            {},
            Recipe(  # its own check is passed by a sampler of another kind
                **recipe,  # type: ignore[arg-type]
                path=None,
                objective=Call(object),
                sampler=Call(object),
            ),
        )
    with pytest.raises(InputError, match="image_channels"):
        DeformationRecovery(PATH, image_channels=2).interfaces(1, 1)
    with pytest.raises(InputError, match="one image channel"):
        DeformationRecovery(PATH, image_channels=0)
    with pytest.raises(InputError, match="jitter"):
        DeformationRecovery(PATH, jitter=1.0)
