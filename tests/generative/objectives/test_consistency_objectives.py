"""Consistency on N(MEAN, STD^2), where the consistency function is a known straight line."""

from __future__ import annotations

import dataclasses
import math
from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius import recipes
from vesalius.core import Batch, Call, InputError
from vesalius.generative.conditioning import MaskAblation, Unconditional
from vesalius.generative.objectives import (
    ConsistencyDistillation,
    ConsistencyTraining,
    Denoising,
)
from vesalius.generative.objectives.adjacent_levels import AdjacentLevels
from vesalius.generative.objectives.path_denoiser import alike
from vesalius.generative.objectives.probability_flow import clean_behind, flow_step
from vesalius.generative.paths import CosinePath, FlowPath, GaussianPath, KarrasPath
from vesalius.generative.paths.path import expand
from vesalius.generative.samplers import Consistency
from vesalius.testing.exact_denoiser import exact_denoiser, exact_end

MEAN, STD = 0.3, 0.4
DATA_STD = 0.5
PATHS: dict[str, GaussianPath] = {
    "cosine": CosinePath(data_std=DATA_STD, last_angle=1.5),
    "karras": KarrasPath(data_std=DATA_STD, noise_max=10.0),
    "flow": FlowPath(data_std=DATA_STD, last=0.95),
}


def training(path: GaussianPath, **settings: Any) -> ConsistencyTraining:
    return ConsistencyTraining(path, conditioning=Unconditional(), **settings)


def distillation(path: GaussianPath, **settings: Any) -> ConsistencyDistillation:
    return ConsistencyDistillation(path, conditioning=Unconditional(), **settings)


class ExactTeacher(nn.Module):
    """The best denoiser, as a network: it sees states at unit variance and their level."""

    def __init__(self, path: GaussianPath) -> None:
        super().__init__()
        self.nothing = nn.Parameter(torch.zeros(()))

    def z(self, x: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """State over signal, and noise over signal."""
        ratio = expand(DATA_STD * torch.exp(4 * level), x)
        return x * torch.sqrt(ratio**2 + DATA_STD**2), ratio

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        z, ratio = self.z(x, level)
        return MEAN + STD**2 / (STD**2 + ratio**2) * (z - MEAN)


class ExactStudent(ExactTeacher):
    """The clean image with which a step of DDIM leads to where the probability flow does."""

    def __init__(self, path: GaussianPath, smallest: float = 0.004) -> None:
        super().__init__(path)
        self.last = smallest * DATA_STD

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        z, ratio = self.z(x, level)
        end = MEAN + (z - MEAN) * math.sqrt(STD**2 + self.last**2) / (STD**2 + ratio**2).sqrt()
        kept = self.last / ratio
        # at the smallest level itself any image will do
        return torch.where(kept < 0.999999, (end - kept * z) / (1 - kept).clamp_min(1e-6), z)


def batch(n: int = 64, seed: int = 0, dtype: torch.dtype | None = None) -> Batch:
    rng = torch.Generator().manual_seed(seed)
    wanted = MEAN + STD * torch.randn(n, 1, 4, 4, generator=rng, dtype=dtype)
    return Batch(wanted=wanted, cases=tuple(map(str, range(n))))


def loss(
    objective: Any, networks: dict[str, nn.Module], done: float = 0.0, seed: int = 1, n: int = 64
) -> float:
    rng = torch.Generator().manual_seed(seed)
    carry = {"done": torch.tensor(done)}
    values = objective.loss("network", networks, batch(n), rng, carry)
    return float(values.total.detach())


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("prediction", ["velocity", "denoised", "flow"])
def test_nothing_moves_at_the_smallest_level(path: GaussianPath, prediction: Any) -> None:
    """Whatever the network returns there."""
    objective = training(path, prediction=prediction)
    last = objective.levels.last.float().expand(3)
    assert float(path.ratio(last)[0]) == pytest.approx(0.004 * DATA_STD, rel=1e-3)
    x = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))

    class Wild(nn.Module):
        def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
            return 3 * torch.ones_like(x)

    found = objective.predictor({"network": Wild()}, batch(3))(x, last)
    assert torch.allclose(found, x / expand(path.signal(last), x), atol=1e-4)
    middle = objective.predictor({"network": Wild()}, batch(3))(x, torch.full((3,), 0.5))
    assert not torch.allclose(middle, x, atol=0.1)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_it_is_a_turn_by_the_difference_of_angles(path: GaussianPath) -> None:
    """f = cos(a - b) x - sin(a - b) v on the rotation, for the network's velocity v."""
    objective = training(path, prediction="velocity")
    v = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(1))

    class Velocity(nn.Module):
        def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
            return v

    x = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    time, last = torch.tensor([0.3, 0.8]), objective.levels.last.float().expand(2)
    turn = expand(path.angle(time) - path.angle(last), x)
    turned = torch.cos(turn) * path.normalised(x, time) - torch.sin(turn) * v
    spread = torch.sqrt(path.noise(last) ** 2 + (path.signal(last) * DATA_STD) ** 2)
    expected = turned * expand(spread / path.signal(last), x)
    found = objective.predictor({"network": Velocity()}, batch(2))(x, time)
    assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize(("solver", "order"), [("ddim", 2), ("heun", 3)])
@pytest.mark.usefixtures("in_double")
def test_the_exact_student_of_an_exact_teacher_is_wrong_by_a_step_alone(
    path: GaussianPath, solver: Any, order: int
) -> None:
    """The loss at the solution is the solver's error of one step: h^2 and h^3."""
    networks = {"network": ExactStudent(path), "teacher": ExactTeacher(path)}
    losses = []
    for steps in (40, 80, 160):
        made = distillation(
            path, prediction="denoised", solver=solver, start_steps=steps, end_steps=steps, huber=0
        )
        # by the time of a level in single precision
        made.levels.__dict__["draw"] = exact_levels(made.levels)
        losses.append(loss(made, networks, n=400))
    measured = [math.log2(a / b) for a, b in pairwise(losses)]
    assert measured[-1] == pytest.approx(order, abs=0.35), losses
    assert losses[-1] < 1e-3


def exact_levels(levels: AdjacentLevels) -> Any:
    """Interval after interval away from the noisy end, in double precision."""

    def draw(n: int, steps: int, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        times = levels.times(steps)
        middle = (times[:-1] > 0.3) & (times[:-1] < 0.8)
        above, below = times[:-1][middle], times[1:][middle]
        place = torch.arange(n) * len(above) // n
        return above[place], below[place], torch.ones(n)

    return draw


def test_other_students_pay_more() -> None:
    path = PATHS["cosine"]
    objective = distillation(path, prediction="denoised", start_steps=40, end_steps=40)
    exact = loss(objective, {"network": ExactStudent(path), "teacher": ExactTeacher(path)})
    for wrong in (ExactTeacher(path), ExactStudent(path, 0.3)):
        assert loss(objective, {"network": wrong, "teacher": ExactTeacher(path)}) > 3 * exact


class Line(nn.Module):
    """clean = a(level) + b(level) x with little networks a and b: holds the exact student."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Linear(1, 32), nn.SiLU(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 2)
        )

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        offset, slope = self.inner(level[:, None].to(x)).unbind(dim=1)
        return expand(offset, x) + expand(slope, x) * x


def trained(objective: Any, networks: dict[str, nn.Module], steps: int) -> None:
    optimiser = torch.optim.Adam(networks["network"].parameters(), 3e-3)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * 0.5 * (1 + math.cos(math.pi * step / steps))
        rng = torch.Generator().manual_seed(step)
        carry = {"done": torch.tensor(step / steps)}
        losses = objective.loss("network", networks, batch(128, step), rng, carry)
        optimiser.zero_grad()
        losses.total.backward()
        optimiser.step()


class Velocity(ExactTeacher):
    """The same teacher that predicts the velocity of the rotation."""

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        angle = expand(torch.atan(torch.exp(4 * level)), x)
        clean = super().forward(x, level)
        return (torch.cos(angle) * x - clean / DATA_STD) / torch.sin(angle)


class Pupil(Line):
    """A line that starts as the teacher."""

    def __init__(self, teacher: nn.Module) -> None:
        super().__init__()
        self.teacher = teacher
        nn.init.zeros_(self.inner[-1].weight)  # type: ignore[arg-type]
        nn.init.zeros_(self.inner[-1].bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.teacher(x, level) + super().forward(x, level)


@pytest.mark.parametrize("kind", ["distillation", pytest.param("training", marks=pytest.mark.slow)])
def test_a_student_learns_the_consistency_function(kind: str) -> None:
    path = PATHS["cosine"]
    teacher = Velocity(path)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks: dict[str, nn.Module] = {"network": Pupil(teacher), "teacher": teacher}
    # squared distance, for which the expectation over images is exact
    objective: Any = training(path, start_steps=8, end_steps=64, huber=10.0)
    if kind == "distillation":
        objective = distillation(path, huber=0.03)
    x = path.start((500, 1, 4, 4), torch.Generator().manual_seed(9))
    time = torch.ones(500)
    exact = exact_end(path, x, time, MEAN, STD)

    def error() -> float:
        with torch.no_grad():
            found = objective.predictor(networks, batch(500))(x, time)
        return float((found - exact).square().mean().sqrt())

    before = error()
    trained(objective, networks, 200 if kind == "distillation" else 500)
    assert error() < 0.2 * STD < 0.8 * STD < before


def test_the_teacher_and_the_target_get_no_gradients() -> None:
    path = PATHS["cosine"]
    networks = {"network": Line(), "teacher": ExactTeacher(path)}
    for objective in (
        distillation(path, prediction="denoised"),
        training(path, prediction="denoised"),
    ):
        calls: list[bool] = []
        hook = networks["network"].register_forward_hook(
            lambda module, args, out: calls.append(out.requires_grad)  # noqa: B023
        )
        carry = {"done": torch.tensor(0.0)}
        rng = torch.Generator().manual_seed(0)
        objective.loss("network", networks, batch(8), rng, carry).total.backward()
        hook.remove()
        assert calls == [False, True]
        assert networks["teacher"].nothing.grad is None


def test_dropout_is_the_same_at_both_times() -> None:
    """Random numbers of a student at both calls, and elsewhere as if none had been drawn."""
    path, seen = PATHS["cosine"], []

    class Noisy(Line):
        def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
            seen.append(torch.rand(()))
            return super().forward(x, level, condition)

    for objective in (
        training(path),
        distillation(path, prediction="denoised"),
    ):
        seen.clear()
        networks = {"network": Noisy(), "teacher": ExactTeacher(path)}
        loss(objective, networks)
        assert len(seen) == 2
        assert torch.equal(seen[0], seen[1])


def test_what_is_dropped_of_a_condition_is_dropped_for_teacher_and_student() -> None:
    given = torch.ones(16, 3, 4, 4)
    inside: list[Tensor] = []

    class Seen(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(()))

        def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
            inside.append(x[:, 1:])
            return self.weight * x[:, :1]

    objective = ConsistencyDistillation(PATHS["cosine"], conditioning=MaskAblation(drop=0.5))
    case = Batch(wanted=batch(16).wanted, given=given)
    carry = {"done": torch.tensor(0.0)}
    rng = torch.Generator().manual_seed(0)
    objective.loss("network", {"network": Seen(), "teacher": Seen()}, case, rng, carry)
    assert len(inside) == 4
    assert all(torch.equal(one, inside[0]) for one in inside)
    assert len({float(one.max()) for one in inside[0]}) > 1, "something was dropped"
    again = alike(torch.Generator().manual_seed(3))
    assert torch.equal(torch.rand(5, generator=again()), torch.rand(5, generator=again()))
    assert (
        objective.interfaces(3, 1)["teacher"]
        == Denoising(PATHS["cosine"], conditioning=MaskAblation()).interfaces(3, 1)["network"]
    )


def test_more_and_more_levels() -> None:
    levels = AdjacentLevels(PATHS["cosine"], 10, 80)
    assert [levels.steps(done) for done in (0, 0.24, 0.25, 0.5, 0.75, 0.99, 1.0)] == [
        10, 10, 20, 40, 80, 80, 80,
    ]  # fmt: skip
    fixed = AdjacentLevels(PATHS["cosine"], 18, 18)
    assert [fixed.steps(done) for done in (0, 0.5, 1.0)] == [18, 18, 18]
    with pytest.raises(InputError, match="start_steps <= end_steps"):
        AdjacentLevels(PATHS["cosine"], 20, 10)
    with pytest.raises(InputError, match="a smallest level"):
        AdjacentLevels(PATHS["cosine"], 10, 20, smallest=0.0)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("emphasis", ["even", "log-normal"])
def test_levels_are_neighbours_and_cover_the_path(path: GaussianPath, emphasis: Any) -> None:
    levels = AdjacentLevels(path, 10, 80, emphasis=emphasis)
    times = levels.times(20)
    assert float(times[0]) == 1
    assert len(times) in (20, 21)
    assert bool((times[:-1] > times[1:]).all())
    above, below, weights = levels.draw(4000, 20, torch.Generator().manual_seed(0))
    pairs = {(round(a, 6), round(b, 6)) for a, b in pairwise(times.tolist())}
    drawn = [
        (round(a, 6), round(b, 6)) for a, b in zip(above.tolist(), below.tolist(), strict=True)
    ]
    assert set(drawn) <= pairs
    if emphasis == "even":
        assert set(drawn) == pairs
        assert bool((weights == 1).all())
        return
    gap = (path.ratio(above) - path.ratio(below)) / (2 * DATA_STD)
    assert torch.allclose(weights, 1 / gap, rtol=1e-2)
    normal = torch.distributions.Normal(-1.1, 2.0)
    edges = normal.cdf((path.ratio(times) / (2 * DATA_STD)).log())
    shares = (edges[:-1] - edges[1:]) / (edges[0] - edges[-1])
    for share, (a, b) in zip(shares.tolist(), pairwise(times.tolist()), strict=True):
        found = drawn.count((round(a, 6), round(b, 6))) / 4000
        assert found == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.usefixtures("in_double")
def test_steps_of_the_probability_flow(path: GaussianPath) -> None:
    """Cases at different times: DDIM's is undone by clean_behind, Heun's is of third order."""
    exact = exact_denoiser(path, ((1.0, MEAN, STD),))
    x = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    now = torch.tensor([0.3, 0.5, 0.7])
    for solver, order in (("ddim", 2), ("heun", 3)):
        errors = []
        for gap in (0.02, 0.01, 0.005):
            then = now - gap
            moved = flow_step(exact, path, x, now, then, solver)  # type: ignore[arg-type]
            end = exact_end(path, moved, then, MEAN, STD)
            errors.append((end - exact_end(path, x, now, MEAN, STD)).abs().amax(dim=(1, 2, 3)))
        for a, b in pairwise(errors):
            assert torch.log2(a / b).tolist() == pytest.approx([order] * 3, abs=0.4)
    then = torch.tensor([0.1, 0.0, 0.3])
    clean = exact(x, now)
    assert torch.allclose(clean_behind(path, x, path.move(x, clean, now, then), now, then), clean)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("steps", [1, 2, 4])
def test_draws_of_the_exact_student_have_the_right_law(path: GaussianPath, steps: int) -> None:
    objective = training(path, prediction="denoised")
    calls: list[float] = []
    inner = objective.predictor({"network": ExactStudent(path)}, batch(4))

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert time is not None
        calls.append(float(time[0]))
        return inner(x, time)

    sampler = Consistency(path, steps)
    drawn = sampler.sample(predict, (4, 1, 100, 100), torch.Generator().manual_seed(0))
    assert calls == pytest.approx([1 - k / steps for k in range(steps)])
    assert sampler.calls == steps
    assert float(drawn.mean()) == pytest.approx(MEAN, abs=0.03)
    assert float(drawn.std()) == pytest.approx(STD, rel=0.03)


def test_what_does_not_fit_is_refused() -> None:
    base = recipes.get("class-diffusion")
    network = base.networks["network"]
    student = dataclasses.replace(
        base,
        networks={"network": network, "teacher": network},
        objective=Call(ConsistencyDistillation),
        sampler=Call(Consistency),
    )
    with pytest.raises(InputError, match=r"'velocity', 'denoised', 'flow'.*, got 'noise'"):
        dataclasses.replace(student, objective=Call(ConsistencyTraining, prediction="noise"))
    with pytest.raises(InputError, match="a GaussianPath for ConsistencyDistillation, got none"):
        dataclasses.replace(student, path=None)
    check = ConsistencyDistillation.check_start
    check({}, "teacher", base)
    with pytest.raises(InputError, match=r"predicts 'velocity' .* which predicts 'noise'"):
        check({}, "teacher", base.set("objective.prediction", "noise"))
    with pytest.raises(InputError, match=r"predicts 'denoised'"):
        check({"prediction": "denoised"}, "teacher", base)
    with pytest.raises(InputError, match="predicts None"):
        check({}, "teacher", recipes.get("unet-regression"))
