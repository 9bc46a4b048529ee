from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import ProgressiveDistillation
from vesalius.generative.paths import CosinePath, FlowPath, GaussianPath, KarrasPath
from vesalius.generative.samplers import Ddim

PATHS: dict[str, GaussianPath] = {
    "cosine": CosinePath(data_std=0.5),
    "karras": KarrasPath(data_std=0.5, noise_max=10.0),
    "flow": FlowPath(data_std=0.5, last=0.99),
}


class Curved(nn.Module):
    """Some network."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(seed)
        self.weight = nn.Parameter(torch.randn(3, generator=rng))

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        a, b, c = self.weight
        return torch.tanh(a * x + b * level.to(x).view(-1, 1, 1, 1) + c)


def distillation(path: GaussianPath, **settings: Any) -> ProgressiveDistillation:
    return ProgressiveDistillation(path, conditioning=Unconditional(), **settings)


def batch(n: int = 8) -> Batch:
    rng = torch.Generator().manual_seed(5)
    wanted = torch.randn(n, 1, 4, 4, generator=rng)
    return Batch(wanted=wanted, cases=tuple(map(str, range(n))))


def loss(objective: Any, networks: dict[str, nn.Module], done: float) -> Tensor:
    rng = torch.Generator().manual_seed(1)
    found: Tensor = objective.loss(
        "network", networks, batch(), rng, {"done": torch.tensor(done)}
    ).total
    return found


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
@pytest.mark.parametrize("prediction", ["velocity", "denoised", "flow"])
@pytest.mark.usefixtures("in_double")
def test_the_target_leads_in_one_step_where_two_lead(path: GaussianPath, prediction: Any) -> None:
    objective = distillation(path, prediction=prediction, start_steps=8, end_steps=2)
    teacher = Curved().double()
    x = torch.randn(3, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    for stage in range(objective.stages):
        times = objective.times(stage)
        for now, end in pairwise(times):
            target = objective.target(
                teacher, x, now.expand(3), end.expand(3), batch(3), torch.Generator()
            )
            clean = path.denoised(prediction, target, x, now.expand(3))
            one = path.move(x, clean, now, end)
            two = x
            for a, b in pairwise((now, (now + end) / 2, end)):
                time = a.expand(3)
                out = teacher(path.normalised(two, time), path.level(time))
                two = path.move(two, path.denoised(prediction, out, two, time), a, b)
            assert torch.allclose(one, two, atol=1e-7)


@pytest.mark.parametrize("path", PATHS.values(), ids=PATHS)
def test_times_are_halved_down_to_those_of_the_sampler(path: GaussianPath) -> None:
    objective = distillation(path, start_steps=16, end_steps=2)
    assert objective.stages == 4
    for stage, steps in enumerate((16, 8, 4, 2)):
        times = objective.times(stage)
        assert len(times) == steps + 1
        if not isinstance(path, KarrasPath):
            assert torch.allclose(times, path.times(steps))
    for finer, coarser in pairwise(objective.times(stage) for stage in range(4)):
        assert torch.equal(finer[::2], coarser)
        assert torch.allclose(finer[1::2], (coarser[:-1] + coarser[1:]) / 2)
    assert torch.equal(objective.times(3), path.times(2))


class Perfect(nn.Module):
    """Returns what the objective wants at every time of a stage."""

    def __init__(self, objective: ProgressiveDistillation, teacher: nn.Module, stage: int) -> None:
        super().__init__()
        self.objective, self.teacher, self.stage = objective, teacher, stage

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        path = self.objective.path
        times = self.objective.times(self.stage).float()
        known = path.level(times[:-1])
        place = (known[None] - level[:, None]).abs().argmin(dim=1)
        assert torch.allclose(known[place], level, atol=1e-5), "a time of the stage"
        now, end = times[place], times[place + 1]
        variance = path.noise(now) ** 2 + (path.signal(now) * path.data_std) ** 2
        state = x * variance.sqrt().view(-1, 1, 1, 1)
        rng = torch.Generator()
        return self.objective.target(self.teacher, state, now, end, batch(len(x)), rng)


def test_a_student_that_skips_exactly_pays_nothing_and_draws_the_same() -> None:
    path = PATHS["cosine"]
    objective = distillation(path, start_steps=4, end_steps=4)
    teacher = Curved()
    perfect = Perfect(objective, teacher, 0)
    for student, paid in ((perfect, False), (Curved(1), True)):
        found = loss(objective, {"network": student, "teacher": teacher}, 0.0).detach()
        assert (float(found) > 1e-3) if paid else (float(found) < 1e-8)
    draws = []
    for network, steps in ((perfect, 4), (teacher, 8)):
        predict = objective.predictor({"network": network}, batch(2))
        rng = torch.Generator().manual_seed(0)
        with torch.no_grad():
            draws.append(Ddim(path, steps).sample(predict, (2, 1, 4, 4), rng))
    assert torch.allclose(draws[0], draws[1], atol=1e-4)


def test_students_become_teachers_when_steps_are_halved() -> None:
    objective = distillation(PATHS["cosine"], start_steps=8, end_steps=2)
    networks: dict[str, nn.Module] = {"network": Curved(1), "teacher": Curved(2)}
    student, teacher = networks["network"], networks["teacher"]
    assert isinstance(student, Curved)
    assert isinstance(teacher, Curved)
    first = teacher.weight.detach().clone()
    seen = []
    for done in (0.0, 0.3, 0.34, 0.5, 0.1, 0.7, 1.0):
        student.weight.data += 1
        teacher.requires_grad_(False)
        loss(objective, networks, done).backward()
        assert teacher.weight.grad is None
        seen.append((objective.stage, bool(torch.equal(teacher.weight, student.weight))))
    assert seen == [
        (0, False), (0, False), (1, True), (1, False), (1, False), (2, True), (2, False),
    ]  # fmt: skip
    assert not torch.equal(teacher.weight, first)
    again = distillation(PATHS["cosine"], start_steps=8, end_steps=2)
    again.restore(objective.state())
    assert again.stage == 2
    before = teacher.weight.detach().clone()
    loss(again, networks, 0.8)
    assert torch.equal(teacher.weight, before), "a resumed run does not promote twice"


@pytest.mark.parametrize(("start", "end"), [(6, 4), (2, 4), (12, 0), (10, 4)])
def test_steps_that_do_not_halve_are_refused(start: int, end: int) -> None:
    with pytest.raises(InputError, match="doubled again and again"):
        distillation(PATHS["cosine"], start_steps=start, end_steps=end)
