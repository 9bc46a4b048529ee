from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.losses import L1, L2, GaussianLikelihood
from vesalius.generative.objectives import (
    Denoising,
    Objective,
    PairedAdversarial,
    Regression,
    Segmentation,
    UnpairedCycle,
)
from vesalius.generative.objectives.objective import Interface, require_networks
from vesalius.generative.objectives.unpaired_cycle import ImagePool
from vesalius.generative.paths import CosinePath, KarrasPath


class Convolutions(nn.Module):
    """Any interface with two convolutions, and feature maps for critics."""

    def __init__(self, interface: Interface) -> None:
        super().__init__()
        self.first = nn.Conv2d(
            interface.channels_in + interface.condition_channels + interface.takes_level,
            8,
            3,
            padding=1,
        )
        self.last = nn.Conv2d(8, interface.channels_out, 1)

    def features(self, x: Tensor) -> list[Tensor]:
        inner = torch.relu(self.first(x))
        return [inner, self.last(inner)]

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        if condition is not None:
            x = torch.cat([x, condition], dim=1)
        if level is not None:
            plane = level.to(x).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
            x = torch.cat([x, plane], dim=1)
        return self.features(x)[-1]


def networks_of(objective: Objective, given: int, wanted: int) -> dict[str, nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return {k: Convolutions(v) for k, v in objective.interfaces(given, wanted).items()}


def pairs(n: int = 8, seed: int = 0) -> Batch:
    """Wanted is given, mirrored in value: a map that is learnt in a moment."""
    rng = torch.Generator().manual_seed(seed)
    given = torch.rand(n, 1, 8, 8, generator=rng) * 2 - 1
    return Batch(wanted=-0.5 * given, given=given, cases=tuple(map(str, range(n))))


def play(
    objective: Objective,
    networks: dict[str, nn.Module],
    batch: Batch,
    steps: int,
    rate: float = 1e-2,
) -> list[dict[str, float]]:
    """Train as the loop does."""
    players = objective.players()
    optimisers = {
        player: torch.optim.Adam([p for name in names for p in networks[name].parameters()], rate)
        for player, names in players.items()
    }
    history = []
    for step in range(steps):
        carry: dict[str, Tensor] = {}
        values: dict[str, float] = {}
        for player, names in players.items():
            for name, network in networks.items():
                network.requires_grad_(name in names)
            rng = torch.Generator().manual_seed(step)
            losses = objective.loss(player, networks, batch, rng, carry)
            optimisers[player].zero_grad()
            losses.total.backward()
            optimisers[player].step()
            values |= losses.values()
        history.append(values)
    return history


OBJECTIVES: dict[str, Callable[[], Objective]] = {
    "regression": Regression,
    "paired": lambda: PairedAdversarial(losses=(L1(10.0), L2())),
    "paired, features, image alone": lambda: PairedAdversarial(matching=1.0, critic_sees="image"),
    "paired, hinge": lambda: PairedAdversarial(kind="hinge"),
    "unpaired": lambda: UnpairedCycle(pool=4),
    "denoising": lambda: Denoising(CosinePath(data_std=0.5)),
    "segmentation": Segmentation,
}


def batch_for(name: str) -> Batch:
    batch = pairs()
    if name == "segmentation":
        assert batch.given is not None
        inside = (batch.given > 0).float()
        return Batch(wanted=torch.cat([1 - inside, inside], dim=1), given=batch.given)
    return batch


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_players_loss_reaches_all_of_its_own_networks(name: str) -> None:
    objective, batch = OBJECTIVES[name](), batch_for(name)
    assert batch.wanted is not None
    networks = networks_of(objective, 1, batch.wanted.shape[1])
    require_networks(objective, networks)
    assert set(objective.drawing()) <= set(networks)
    carry: dict[str, Tensor] = {}
    for player, names in objective.players().items():
        for other, network in networks.items():
            network.zero_grad(set_to_none=True)
            network.requires_grad_(other in names)
        losses = objective.loss(player, networks, batch, torch.Generator().manual_seed(0), carry)
        losses.total.backward()
        for other, network in networks.items():
            for parameter in network.parameters():
                if other in names:
                    assert parameter.grad is not None
                    # a bias before a hinge may be pulled both ways alike
                    assert parameter.ndim == 1 or parameter.grad.abs().sum() > 0
                else:
                    assert parameter.grad is None
    assert all(not tensor.requires_grad for tensor in carry.values()), "players share values alone"


@pytest.mark.parametrize("name", ["regression", "segmentation", "paired"])
def test_a_known_map_is_learnt_in_a_few_dozen_steps(name: str) -> None:
    objective, batch = OBJECTIVES[name](), batch_for(name)
    assert batch.wanted is not None
    networks = networks_of(objective, 1, batch.wanted.shape[1])
    before = objective.predictor(networks, batch)(None, None)
    play(objective, networks, batch, 60, rate=2e-2)
    after = objective.predictor(networks, batch)(None, None)
    first, last = (float((image - batch.wanted).detach().abs().mean()) for image in (before, after))
    assert last < 0.35 * first


def test_a_shift_is_learnt_without_pairs() -> None:
    """Given in [-1, 0], wanted in [0, 1]: critics see the range, cycles keep what is in it.

    Values are uniform, so their mirror image is as good: no critic could tell.
    """
    rng = torch.Generator().manual_seed(0)
    given = torch.rand(8, 1, 8, 8, generator=rng) - 1
    batch = Batch(wanted=given + 1, given=given)
    objective = UnpairedCycle(identity=0.0)
    networks = networks_of(objective, 1, 1)
    play(objective, networks, batch, 200, rate=1e-2)
    drawn = objective.predictor(networks, batch)(None, None).detach()
    assert float(drawn.mean()) == pytest.approx(0.5, abs=0.15)
    assert float(drawn.std()) == pytest.approx(float(given.std()), rel=0.3)
    both = torch.stack([drawn.flatten(), given.flatten()])
    assert abs(float(torch.corrcoef(both)[0, 1])) > 0.9


@pytest.mark.parametrize("prediction", ["velocity", "noise", "denoised"])
@pytest.mark.parametrize("path", [CosinePath(data_std=0.5), KarrasPath()], ids=["cosine", "karras"])
def test_the_exact_denoiser_has_the_least_loss_there_is(
    prediction: Any, path: CosinePath | KarrasPath, exact: Callable[..., Any]
) -> None:
    """For N(0, s^2) voxels with s = data_std the velocity is orthogonal to the state: its best
    prediction is zero, and its loss is its variance, one. From Salimans & Ho 2022, appendix D.
    """
    std = path.data_std
    objective = Denoising(path, prediction=prediction)
    rng = torch.Generator().manual_seed(0)
    clean = std * torch.randn(4000, 1, 4, 4, generator=rng)
    batch = Batch(wanted=clean, given=torch.zeros_like(clean))
    denoise = exact(path, ((1.0, 0.0, std),))
    seen: dict[str, Tensor] = {}

    class Exact(nn.Module):
        """The exact prediction, from the state at unit variance and its level."""

        def __init__(self, off: float) -> None:
            super().__init__()
            self.off = off

        def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
            seen["x"], seen["level"] = x[:, :1], level
            a = torch.atan(torch.exp(4 * level)).view(-1, 1, 1, 1)
            state = x[:, :1]
            if prediction == "velocity":
                best = torch.zeros_like(state)
            elif prediction == "noise":
                best = torch.sin(a) * state
            else:
                best = std * torch.cos(a) * state
            return best + self.off

    def loss(off: float) -> float:
        rng = torch.Generator().manual_seed(1)
        found = objective.loss("network", {"network": Exact(off)}, batch, rng, {})
        return float(found.total)

    least = loss(0.0)
    a = torch.atan(torch.exp(4 * seen["level"]))
    known = {
        "velocity": 1.0,
        "noise": float((torch.cos(a) ** 2).mean()),
        "denoised": std**2 * float((torch.sin(a) ** 2).mean()),
    }[prediction]
    assert least == pytest.approx(known, rel=0.03)
    assert loss(0.2) == pytest.approx(least + 0.04, abs=0.01)
    assert float(seen["x"].var()) == pytest.approx(1.0, rel=0.03), "inputs have unit variance"
    time = torch.linspace(0.1, 0.9, 4000)
    state = path.perturb(clean, time, torch.randn(clean.shape, generator=rng))
    predicted = objective.predictor({"network": Exact(0.0)}, batch)(state, time)
    assert torch.allclose(predicted, denoise(state, time), atol=1e-3)


def test_denoising_learns_an_image_that_is_always_the_same() -> None:
    path = CosinePath(data_std=0.5)
    objective = Denoising(path)
    image = torch.zeros(16, 1, 8, 8)
    image[..., 2:6, 2:6] = 0.8
    batch = Batch(wanted=image, given=image)
    history = play(objective, networks_of(objective, 1, 1), batch, 80)
    first, last = (sum(h["velocity"] for h in part) for part in (history[:10], history[-10:]))
    assert last < 0.5 * first


def test_segmentation_by_hand() -> None:
    class Same(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return torch.cat([torch.zeros_like(x), x], dim=1)

    # logits (0, 0) everywhere: chance 1/2; two of four voxels are inside
    truth = torch.tensor([[[[1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]]])
    batch = Batch(wanted=truth, given=torch.zeros(1, 1, 2, 2))
    losses = Segmentation().loss("network", {"network": Same()}, batch, torch.Generator(), {})
    values = losses.values()
    assert values["crossentropy"] == pytest.approx(0.693147, abs=1e-5)
    assert values["dice"] == pytest.approx(1 - (2 * 1 + 1) / (2 + 2 + 1))


@pytest.mark.parametrize("objective", [Regression, PairedAdversarial], ids=lambda o: o.__name__)
def test_two_losses_of_one_class_both_count(objective: type[Any]) -> None:
    several = objective((L1(1.0), L1(2.0)))
    networks = networks_of(several, 1, 1)
    batch = Batch(wanted=torch.rand(2, 1, 8, 8), given=torch.rand(2, 1, 8, 8))
    player = next(iter(several.players()))
    found = several.loss(player, networks, batch, torch.Generator(), {}).terms
    assert {name: weight for name, (weight, _) in found.items() if name != "adversarial"} == {
        "l1": 1.0,
        "l1-2": 2.0,
    }


def test_twofold_losses_see_two_maps_and_the_image_is_the_first() -> None:
    class Known(nn.Module):
        def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
            return torch.cat([x + 1, torch.full_like(x, 2.0)], dim=1)

    objective = Regression((L1(),), twofold=(GaussianLikelihood(0.5),))
    assert objective.interfaces(1, 1)["network"].channels_out == 2
    assert Regression().interfaces(1, 1)["network"].channels_out == 1
    given = torch.rand(2, 1, 4, 4)
    batch = Batch(wanted=given - 2, given=given)
    networks: dict[str, nn.Module] = {"network": Known()}
    found = objective.loss("network", networks, batch, torch.Generator(), {})
    # an error of 3 everywhere, and a log variance of 2
    likelihood = (9 * math.exp(-2.0) + 2 + math.log(2 * math.pi)) / 2
    expected = {"l1": 3.0, "gaussianlikelihood": likelihood}
    assert found.values() == pytest.approx(expected, rel=1e-5)
    assert float(found.total) == pytest.approx(3 + likelihood / 2, rel=1e-5)
    drawn = objective.predictor(networks, batch)(None, None)
    torch.testing.assert_close(drawn, given + 1)


def test_segmentation_is_cross_entropy_and_dice_of_monai() -> None:
    from monai.losses import DiceLoss

    rng = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 3, 4, 5, 6, generator=rng)
    labels = torch.randint(0, 3, (2, 4, 5, 6), generator=rng)
    truth = torch.nn.functional.one_hot(labels, 3).movedim(-1, 1).float()
    batch = Batch(wanted=truth, given=torch.zeros(2, 1, 4, 5, 6))

    class Known(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return logits

    found = Segmentation().loss("network", {"network": Known()}, batch, torch.Generator(), {})
    dice = DiceLoss(include_background=False, softmax=True, smooth_nr=1.0, smooth_dr=1.0)
    expected = {
        "dice": float(dice(logits, truth)),
        "crossentropy": float(torch.nn.functional.cross_entropy(logits, labels)),
    }
    assert found.values() == pytest.approx(expected, rel=1e-5)
    assert float(found.total) == pytest.approx(sum(expected.values()))


def test_the_pair_that_a_critic_sees() -> None:
    seen: list[int] = []

    class Watching(Convolutions):
        def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
            seen.append(x.shape[1])
            return super().forward(x)

    for sees, channels in (("pair", 2), ("image", 1)):
        objective = PairedAdversarial(critic_sees=sees)  # type: ignore[arg-type]
        interfaces = objective.interfaces(1, 1)
        networks = {
            "generator": Convolutions(interfaces["generator"]),
            "critic": Watching(interfaces["critic"]),
        }
        seen.clear()
        objective.loss("generator", networks, pairs(), torch.Generator(), {})
        assert seen == [channels]


def test_unpaired_training_never_sees_a_pair() -> None:
    batch = pairs(4)
    assert batch.wanted is not None
    met: list[Tensor] = []

    class Recording(Convolutions):
        def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
            met.append(x)
            return super().forward(x)

    objective = UnpairedCycle(pool=0)
    networks = {k: Recording(v) for k, v in objective.interfaces(1, 1).items()}
    carry: dict[str, Tensor] = {}
    objective.loss("generators", networks, batch, torch.Generator(), carry)
    forward_of, back_of = met[0], met[1]
    assert torch.equal(forward_of, batch.given)  # type: ignore[arg-type]
    assert sorted(back_of.flatten().tolist()) == sorted(batch.wanted.flatten().tolist())
    assert all(not torch.equal(back_of[k], batch.wanted[k]) for k in range(4))


def test_unpaired_training_says_what_it_needs() -> None:
    objective = UnpairedCycle()
    with pytest.raises(InputError, match="at least two cases in a batch, got 1 cases"):
        objective.loss("generators", networks_of(objective, 1, 1), pairs(1), torch.Generator(), {})
    with pytest.raises(InputError, match=r"set objective\.identity=0"):
        objective.interfaces(2, 1)
    assert set(UnpairedCycle(identity=0.0).interfaces(2, 1)) == set(objective.interfaces(1, 1))


def test_networks_that_do_not_fit_the_objective_are_refused() -> None:
    with pytest.raises(InputError, match=r"networks named critic, generator for Paired"):
        require_networks(PairedAdversarial(), {"network": 1})


def test_the_pool_keeps_its_law() -> None:
    pool, rng = ImagePool(5), torch.Generator().manual_seed(0)
    numbers = iter(range(10_000))

    def fresh(n: int) -> Tensor:
        return torch.tensor([float(next(numbers)) for _ in range(n)]).view(n, 1)

    first = fresh(5)
    assert torch.equal(pool.exchange(first, rng), first), "a pool that fills gives back what it got"
    old = 0
    for _ in range(500):
        drawn, held = fresh(4), torch.stack(pool.images).flatten().tolist()
        seen = pool.exchange(drawn, rng)
        new_held = torch.stack(pool.images).flatten().tolist()
        assert len(new_held) == 5
        before = sorted(held + drawn.flatten().tolist())
        kept_or_seen = set(new_held) | set(seen.flatten().tolist())
        assert kept_or_seen <= set(before)
        old += int((seen != drawn).sum())
    # an older one half of the time: four standard errors of 2000 coins
    assert old / 2000 == pytest.approx(0.5, abs=4 * 0.5 / 2000**0.5)
    empty = ImagePool(0)
    assert torch.equal(empty.exchange(first, rng), first)
    assert empty.images == []


def test_pools_are_saved_and_restored() -> None:
    objective, other = UnpairedCycle(pool=4), UnpairedCycle(pool=4)
    networks = networks_of(objective, 1, 1)
    play(objective, networks, pairs(3), 3)
    state = objective.state()
    assert {k: v.shape[0] for k, v in state.items()} == {"drawn": 4, "drawn_back": 4}
    other.restore(state)
    for a, b in zip(
        play(objective, networks_of(objective, 1, 1), pairs(3), 3),
        play(other, networks_of(other, 1, 1), pairs(3), 3),
        strict=True,
    ):
        assert a == b
    other.restore({})
    assert other.state() == {}
