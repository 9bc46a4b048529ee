from __future__ import annotations

import math

import pytest
import torch

from vesalius.core import Batch, InputError
from vesalius.generative.losses import L1, L2, Kspace, Losses
from vesalius.generative.losses.loss import terms
from vesalius.generative.objectives.adversarial import critic_loss, generator_loss

WANTED = torch.tensor([[[[0.0, 1.0], [2.0, 3.0]]]])
DRAWN = torch.tensor([[[[1.0, 1.0], [0.0, 3.0]]]])


def test_pixel_losses_by_hand() -> None:
    batch = Batch(wanted=WANTED)
    assert float(L1()(DRAWN, batch)) == pytest.approx((1 + 0 + 2 + 0) / 4)
    assert float(L2()(DRAWN, batch)) == pytest.approx((1 + 0 + 4 + 0) / 4)


def test_kspace_by_hand() -> None:
    """A difference of one everywhere is n at frequency zero after an orthonormal transform."""
    wanted = torch.zeros(1, 2, 4, 4)
    drawn = wanted.clone()
    drawn[:, 1] = 1.0
    # sqrt(16) at one of 16 frequencies
    assert float(Kspace()(drawn, Batch(wanted=wanted))) == pytest.approx(4 / 16, abs=1e-6)
    point = wanted.clone()
    point[:, 0, 1, 2] = 1.0
    assert float(Kspace()(point, Batch(wanted=wanted))) == pytest.approx(1 / 4, abs=1e-6)
    with pytest.raises(InputError, match="complex images in 2 channels, got 1 channels"):
        Kspace()(DRAWN, Batch(wanted=WANTED))


def test_a_weighted_sum_of_named_terms() -> None:
    losses = Losses({"a": (2.0, torch.tensor(3.0)), "b": (0.5, torch.tensor(4.0))})
    assert float(losses.total) == 8.0
    assert losses.values() == {"a": 3.0, "b": 4.0}
    assert (L1().name, L2().name, Kspace().name) == ("l1", "l2", "kspace")


def test_training_without_wanted_images_is_refused() -> None:
    with pytest.raises(InputError, match="wanted images to train on"):
        L1()(DRAWN, Batch(wanted=None, given=DRAWN))


def test_adversarial_losses_by_hand() -> None:
    real, drawn = torch.tensor([2.0, 0.5]), torch.tensor([-2.0, 0.0])
    soft = lambda x: math.log1p(math.exp(x))  # noqa: E731
    critic = (soft(-2) + soft(-0.5)) / 2 + (soft(-2) + soft(0)) / 2
    assert float(critic_loss("logistic", real, drawn)) == pytest.approx(critic / 2)
    assert float(generator_loss("logistic", drawn)) == pytest.approx((soft(2) + soft(0)) / 2)
    least = ((1 + 0.25) / 2 + (4 + 0) / 2) / 2
    assert float(critic_loss("least-squares", real, drawn)) == pytest.approx(least)
    assert float(generator_loss("least-squares", drawn)) == pytest.approx((9 + 1) / 2)
    hinge = ((0 + 0.5) / 2 + (0 + 1) / 2) / 2
    assert float(critic_loss("hinge", real, drawn)) == pytest.approx(hinge)
    assert float(generator_loss("hinge", drawn)) == pytest.approx(1.0)


@pytest.mark.parametrize("kind", ["logistic", "least-squares", "hinge"])
def test_adversaries_pull_in_opposite_directions(kind: str) -> None:
    logit = torch.zeros(3, requires_grad=True)
    generator_loss(kind, logit).backward()  # type: ignore[arg-type]
    assert logit.grad is not None
    assert (logit.grad < 0).all(), "the generator raises the critic's logits"
    other = torch.zeros(3, requires_grad=True)
    critic_loss(kind, torch.ones(3), other).backward()  # type: ignore[arg-type]
    assert other.grad is not None
    assert (other.grad > 0).all() or kind == "least-squares"


def test_two_losses_of_one_class_are_two_terms() -> None:
    batch = Batch(wanted=WANTED)
    found = terms((L1(1.0), L1(2.0), L2(), L1(3.0)), DRAWN, batch, beside=("l2",))
    assert list(found) == ["l1", "l1-2", "l2-2", "l1-3"]
    assert [weight for weight, _ in found.values()] == [1.0, 2.0, 1.0, 3.0]
    assert float(Losses(found).total) == pytest.approx(6 * 0.75 + 1.25)
