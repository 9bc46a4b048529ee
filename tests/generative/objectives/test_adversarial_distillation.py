from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.conditioning import Concatenation, Unconditional
from vesalius.generative.objectives import AdversarialDistillation
from vesalius.generative.objectives.adversarial import critic_loss, generator_loss
from vesalius.generative.objectives.objective import require_networks
from vesalius.generative.paths import CosinePath, GaussianPath, KarrasPath

PATHS: list[GaussianPath] = [CosinePath(data_std=0.5), KarrasPath(data_std=0.5, noise_max=10.0)]


class Constant(nn.Module):
    """The same image, whatever it is shown; remembers what that was."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))
        self.levels: list[Tensor] = []

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        self.levels.append(level)
        return self.value.expand(x.shape[0], 1, *x.shape[2:])


class Mean(nn.Module):
    """Logits: a weight times the mean of the image and of what is given."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.7))
        self.seen: list[Tensor] = []

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        self.seen.append(x)
        more = 0.0 if condition is None else condition.mean(dim=(1, 2, 3))
        return self.weight * x.mean(dim=(1, 2, 3)) + more


def batch(n: int = 16, given: bool = False) -> Batch:
    rng = torch.Generator().manual_seed(5)
    wanted = torch.randn(n, 1, 4, 4, generator=rng)
    return Batch(wanted=wanted, given=torch.ones(n, 2, 4, 4) if given else None)


def made(path: GaussianPath, **settings: Any) -> AdversarialDistillation:
    settings = {"prediction": "denoised", "conditioning": Unconditional(), **settings}
    return AdversarialDistillation(path, **settings)


@pytest.mark.parametrize("path", PATHS, ids=["cosine", "karras"])
def test_losses_by_hand(path: GaussianPath) -> None:
    objective = made(path, kind="hinge", steps=4)
    networks = {"network": Constant(0.3), "teacher": Constant(-0.2), "critic": Mean()}
    require_networks(objective, networks)
    case, carry = batch(), {"done": torch.tensor(0.0)}
    student = objective.loss("network", networks, case, torch.Generator().manual_seed(0), carry)
    terms = student.values()
    weights = 1 / torch.sqrt(1 + torch.exp(4 * networks["teacher"].levels[0]) ** 2)
    assert terms["distillation"] == pytest.approx(float(0.5**2 * weights.mean()), rel=1e-4)
    assert terms["adversarial"] == pytest.approx(-0.7 * 0.3, rel=1e-5)
    assert float(student.total.detach()) == pytest.approx(
        terms["adversarial"] + 2.5 * terms["distillation"], rel=1e-5
    )
    student.total.backward()
    value = networks["network"].value
    # -0.7 from the critic and 2 (0.3 + 0.2) from the teacher, whose own turn it is not
    assert float(value.grad) == pytest.approx(-0.7 + 2.5 * float(weights.mean()), rel=1e-4)
    assert networks["teacher"].value.grad is None
    networks["critic"].zero_grad()
    value.grad = None
    rng = torch.Generator().manual_seed(1)
    critic = objective.loss("critic", networks, case, rng, carry)
    assert case.wanted is not None
    logits = 0.7 * case.wanted.mean(dim=(1, 2, 3))
    expected = critic_loss("hinge", logits, torch.full((16,), 0.21))
    assert float(critic.total.detach()) == pytest.approx(float(expected), rel=1e-5)
    critic.total.backward()
    assert value.grad is None
    assert networks["critic"].weight.grad is not None


class Echo(Constant):
    """What it is shown."""

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
        self.levels.append(level)
        return x


def test_the_teacher_is_shown_the_draw_noised_again() -> None:
    """States at unit variance of a constant draw: their mean is the draw's share of them."""
    path, teacher = PATHS[0], Echo(0.0)
    rng = torch.Generator().manual_seed(0)
    drawn = torch.full((64, 1, 16, 16), 2.0)
    shown, weights = made(path).taught({"teacher": teacher}, drawn, batch(64), rng, rng)
    angle = torch.atan(torch.exp(4 * teacher.levels[0]))
    assert torch.allclose(weights, torch.cos(angle), atol=1e-5)
    share = 2.0 * torch.cos(angle) / 0.5
    assert torch.allclose(shown.mean(dim=(1, 2, 3)), share, atol=0.3)
    assert torch.allclose(shown.std(dim=(1, 2, 3)), torch.sin(angle), atol=0.15)


@pytest.mark.parametrize("path", PATHS, ids=["cosine", "karras"])
def test_the_student_is_asked_at_the_times_of_its_sampler(path: GaussianPath) -> None:
    objective = made(path, steps=4)
    networks = {"network": Constant(0.3), "teacher": Constant(-0.2), "critic": Mean()}
    for seed in range(4):
        rng = torch.Generator().manual_seed(seed)
        objective.loss("network", networks, batch(), rng, {"done": torch.tensor(0.0)})
    asked = {round(float(level), 4) for levels in networks["network"].levels for level in levels}
    known = path.level(torch.tensor([1.0, 0.75, 0.5, 0.25]))
    assert asked == {round(float(level), 4) for level in known}
    told = torch.cat(networks["teacher"].levels)
    assert len(told.unique()) > 40, "the teacher is asked anywhere"


def test_the_critic_is_told_what_the_student_is() -> None:
    objective = made(PATHS[0], conditioning=Concatenation(), kind="logistic")
    interfaces = objective.interfaces(2, 1)
    assert interfaces["network"].channels_in == 3
    assert interfaces["network"] == interfaces["teacher"]
    assert interfaces["critic"].condition_channels == 2
    assert made(PATHS[0]).interfaces(2, 1)["critic"].condition_channels == 0
    networks = {"network": Constant(0.3), "teacher": Constant(-0.2), "critic": Mean()}
    rng = torch.Generator().manual_seed(0)
    case = batch(given=True)
    losses = objective.loss("network", networks, case, rng, {"done": torch.tensor(0.0)})
    told = generator_loss("logistic", torch.full((16,), 1.21))
    assert losses.values()["adversarial"] == pytest.approx(float(told), rel=1e-5)


def test_what_cannot_be_is_refused() -> None:
    from vesalius import recipes

    with pytest.raises(InputError, match="at least one step"):
        made(PATHS[0], steps=0)
    gan = recipes.get("pix2pix")
    AdversarialDistillation.check_start({}, "critic", gan)
    with pytest.raises(InputError, match="a start of 'teacher' that predicts 'velocity'"):
        AdversarialDistillation.check_start({}, "teacher", gan)
