"""Critics whose slope is known, and augmentation that can be counted."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.objectives import PairedAdversarial
from vesalius.generative.objectives.adaptive_augmentation import AdaptiveAugmentation
from vesalius.generative.objectives.adversarial import critic_loss, generator_loss
from vesalius.generative.objectives.critic_terms import critic_terms
from vesalius.generative.objectives.gradient_penalties import (
    between,
    one_centred,
    squared_slopes,
    zero_centred,
)


def rng_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(n: int, *shape: int, seed: int = 0) -> Tensor:
    return torch.randn(n, *shape, generator=rng_of(seed), dtype=torch.float64)


def smooth_critic(x: Tensor) -> Tensor:
    """A critic of patches without a constant slope: (batch, 1, 2, 2)."""
    kernel = torch.linspace(-1, 1, 9, dtype=x.dtype).view(1, 1, 3, 3)
    return torch.nn.functional.conv2d(x, kernel).sin() + x[:, :, 1:-1, 1:-1].square()


def test_wasserstein_by_hand() -> None:
    real, drawn = torch.tensor([3.0, 1.0]), torch.tensor([-1.0, 0.0])
    assert float(critic_loss("wasserstein", real, drawn)) == pytest.approx((-0.5 - 2.0) / 2)
    assert float(generator_loss("wasserstein", drawn)) == pytest.approx(0.5)
    moved = critic_loss("wasserstein", real + 5, drawn + 5)
    assert float(moved) == pytest.approx(-1.25), "an offset is worth nothing"


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 4), st.integers(0, 1000), st.floats(0.1, 3.0))
def test_penalties_of_a_linear_critic(n: int, seed: int, norm: float) -> None:
    """A logit w x has slope |w| everywhere: (|w| - 1)^2 and |w|^2 / 2."""
    weight = images(1, 2, 3, 4, seed=seed)
    weight *= norm / weight.norm()
    x = images(n, 2, 3, 4, seed=seed + 1).requires_grad_()

    def logits() -> Tensor:
        return (weight * x).flatten(1).sum(dim=1, keepdim=True)

    assert squared_slopes(logits(), x).detach().tolist() == pytest.approx([norm**2] * n)
    assert float(one_centred(logits(), x).detach()) == pytest.approx((norm - 1) ** 2, abs=1e-9)
    assert float(zero_centred(logits(), x).detach()) == pytest.approx(norm**2 / 2)


def test_slopes_are_those_of_finite_differences_case_by_case() -> None:
    x = images(3, 1, 4, 4).requires_grad_()
    found = squared_slopes(smooth_critic(x), x).detach()
    step = 1e-6
    for case in range(3):
        total, alone = 0.0, x[case].detach()
        for place in range(16):
            ahead, behind = alone.clone(), alone.clone()
            ahead.view(-1)[place] += step
            behind.view(-1)[place] -= step
            rise = smooth_critic(ahead[None]).mean() - smooth_critic(behind[None]).mean()
            total += float(rise / (2 * step)) ** 2
        assert float(found[case]) == pytest.approx(total, rel=1e-6)


def test_the_penalty_teaches_the_critic() -> None:
    """d(|w|^2 / 2)/dw = w, and d(|w| - 1)^2/dw = 2 (|w| - 1) w / |w|."""
    weight = images(1, 1, 2, 2)[0].requires_grad_()
    x = images(5, 1, 2, 2, seed=1).requires_grad_()
    size = float(weight.detach().norm())
    for penalty, known in (
        (zero_centred, weight.detach()),
        (one_centred, 2 * (size - 1) * weight.detach() / size),
    ):
        (slope,) = torch.autograd.grad(penalty((weight * x).flatten(1).sum(1), x), weight)
        assert torch.allclose(slope, known)


def test_a_flat_critic_has_a_finite_penalty() -> None:
    weight = torch.zeros(1, 2, 2, requires_grad=True)
    x = torch.randn(3, 1, 2, 2, requires_grad=True)
    value = one_centred((weight * x).flatten(1).sum(1), x)
    assert float(value.detach()) == pytest.approx(1.0, abs=1e-5)
    (slope,) = torch.autograd.grad(value, weight)
    assert bool(slope.isfinite().all())


def test_points_between_lie_on_the_line() -> None:
    real, drawn = images(400, 2, 3, 3), images(400, 2, 3, 3, seed=1)
    part = (between(real, drawn, rng_of(2)) - drawn) / (real - drawn)
    assert torch.allclose(part, part[:, :1, :1, :1].expand_as(part), atol=1e-6)
    assert float(part.min()) >= 0
    assert float(part.max()) <= 1
    # uniform: the standard error of the mean of 400 is 0.29 / 20
    assert float(part.mean()) == pytest.approx(0.5, abs=0.06)


def test_all_that_a_critic_pays() -> None:
    weight = images(1, 1, 2, 2)
    size = float(weight.norm())
    real, drawn = images(4, 1, 2, 2, seed=1), images(4, 1, 2, 2, seed=2)

    def critic(x: Tensor) -> Tensor:
        return (weight * x).flatten(1).sum(1, keepdim=True)

    terms, logits = critic_terms(
        "wasserstein", critic, real, drawn, rng_of(0), r1=3.0, gradient_penalty=10.0
    )
    assert torch.equal(logits, critic(real))
    total = sum(share * float(value.detach()) for share, value in terms.values())
    distance = float(critic(real).mean() - critic(drawn).mean())
    # the papers' L = -distance + lambda (|w| - 1)^2 + gamma / 2 |w|^2, halved
    assert total == pytest.approx((-distance + 10 * (size - 1) ** 2 + 1.5 * size**2) / 2)
    plain, _ = critic_terms("hinge", critic, real, drawn, rng_of(0))
    assert set(plain) == {"critic"}


def test_a_paired_critic_pays_for_the_image_alone() -> None:
    """It sees (given, image), but its slope is held in the image."""

    class Linear(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([7.0, 2.0]))

        def forward(self, x: Tensor, *_: object, condition: Tensor | None = None) -> Tensor:
            return (self.weight.view(1, 2, 1, 1) * x).flatten(1).sum(1, keepdim=True)

    objective = PairedAdversarial(kind="wasserstein", r1=1.0, gradient_penalty=10.0)
    x = torch.randn(2, 1, 2, 2)
    losses = objective.loss(
        "critic",
        {"critic": Linear()},
        Batch(wanted=x, given=x),
        rng_of(0),
        {"drawn": torch.zeros_like(x)},
    )
    assert losses.values()["r1"] == pytest.approx(4 * 4 / 2)  # four voxels of slope 2
    assert losses.values()["gradient_penalty"] == pytest.approx((4 - 1) ** 2)


def certain(**changes: float) -> AdaptiveAugmentation:
    """Each change befalls every image, and none but those named."""
    still = {"translation": 0.0, "brightness": 0.0, "contrast": 0.0, "cutout": 0.0}
    augmentation = AdaptiveAugmentation(**(still | changes))  # type: ignore[arg-type]
    augmentation.probability = 1.0
    return augmentation


def test_nothing_happens_at_probability_zero_or_strength_zero() -> None:
    x = images(3, 1, 6, 5)
    for augmentation in (AdaptiveAugmentation(), certain()):
        changed, beside = augmentation(x, rng_of(0), x)
        assert torch.equal(changed, x)
        assert beside is not None
        assert torch.equal(beside, x)


@pytest.mark.parametrize("space", [(9, 12), (8, 7, 10)])
def test_shifts_are_whole_mirrored_and_shared_with_what_lies_beside(space: tuple[int, ...]) -> None:
    grid = torch.meshgrid(*[torch.arange(float(n)) for n in space], indexing="ij")
    x = torch.stack(grid)[None].repeat(64, *[1] * (len(space) + 1))
    moved, beside = certain(translation=0.25)(x, rng_of(0), 2 * x)
    assert beside is not None
    assert torch.equal(beside, 2 * moved)
    seen = set()
    for case in moved:
        for axis, size in enumerate(space):
            line = case[axis].movedim(axis, 0).flatten(1)
            assert torch.equal(line, line[:, :1].expand_as(line)), "axes do not mix"
            places = line[:, 0].tolist()
            reach = int(0.25 * size)
            shift = places[size // 2] - size // 2
            assert abs(shift) <= reach
            period = 2 * (size - 1)
            known = [(place + shift) % period for place in range(size)]
            assert places == [min(place, period - place) for place in known]
            seen.add((axis, shift))
    assert seen == {(a, s) for a, n in enumerate(space) for s in range(-(n // 4), n // 4 + 1)}


def test_flips_are_half_of_what_is_chosen() -> None:
    x = torch.arange(6.0).view(1, 1, 2, 3).repeat(2000, 1, 1, 1)
    augmentation = AdaptiveAugmentation(
        flip_axes=(1,), translation=0.0, brightness=0.0, contrast=0.0, cutout=0.0
    )
    augmentation.probability = 0.6
    changed, _ = augmentation(x, rng_of(0))
    flipped = (changed == x.flip(3)).flatten(1).all(1)
    assert bool((flipped | (changed == x).flatten(1).all(1)).all())
    assert float(flipped.float().mean()) == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 2000))


def test_grey_values_by_their_laws() -> None:
    x = images(4000, 1, 2, 2)
    brighter, _ = certain(brightness=0.2)(x, rng_of(0))
    added = (brighter - x).flatten(1)
    assert torch.allclose(added, added[:, :1].expand_as(added))
    assert float(added[:, 0].std()) == pytest.approx(0.2, rel=0.06)
    stronger, _ = certain(contrast=0.5)(x, rng_of(0))
    factor = (stronger / x).flatten(1)
    assert torch.allclose(factor, factor[:, :1].expand_as(factor))
    assert float(factor[:, 0].log2().std()) == pytest.approx(0.5, rel=0.06)
    assert float(factor[:, 0].log2().mean()) == pytest.approx(0.0, abs=0.04)


@pytest.mark.parametrize("space", [(16, 20), (8, 12, 8)])
def test_a_box_is_cut_out(space: tuple[int, ...]) -> None:
    cut, _ = certain(cutout=0.5)(torch.ones(300, 2, *space), rng_of(0))
    away = cut == 0
    assert torch.equal(away[:, 0], away[:, 1])
    share = float(away.float().mean())
    # along an axis, 1/2 less what lies beyond the edges: 2 * (1/4)^2 / 2
    assert share == pytest.approx((7 / 16) ** len(space), rel=0.1)
    for case in away[:20, 0]:
        for axis in range(len(space)):
            line = case.movedim(axis, 0).flatten(1).any(1).int()
            assert int((line.diff() != 0).sum()) <= 2, "one box"
            assert int(line.sum()) <= space[axis] // 2


@settings(max_examples=20, deadline=None)
@given(st.floats(0.1, 1.0), st.integers(0, 100), st.sampled_from([(6, 5), (4, 5, 3)]))
def test_gradients_pass_augmentation(chance: float, seed: int, space: tuple[int, ...]) -> None:
    """What comes out is linear in the image but for an offset: the gradient tells all of it."""
    augmentation = AdaptiveAugmentation(flip_axes=(0,))
    augmentation.probability = chance
    x, dx, weight = (images(3, 1, *space, seed=seed + k) for k in range(3))
    x.requires_grad_()
    before = (weight * augmentation(x, rng_of(seed))[0]).sum()
    (slope,) = torch.autograd.grad(before, x)
    after = (weight * augmentation(x.detach() + dx, rng_of(seed))[0]).sum()
    assert float(after - before.detach()) == pytest.approx(float((slope * dx).sum()))


def test_the_probability_heeds_the_critic() -> None:
    augmentation = AdaptiveAugmentation(target=0.6, pace_images=100, limit=0.5)
    sure = torch.ones(10, 1, 3, 3)
    for n in range(1, 8):
        augmentation.heed("logistic", sure)
        assert augmentation.probability == pytest.approx(min(0.1 * n, 0.5))
    mixed = torch.cat([torch.ones(7), -torch.ones(3)]).view(10, 1)  # mean sign 0.4
    augmentation.heed("hinge", mixed)
    assert augmentation.probability == pytest.approx(0.4)
    augmentation.heed("least-squares", 0.4 * sure)  # below one half: drawn, it thinks
    assert augmentation.probability == pytest.approx(0.3)
    augmentation.heed("least-squares", 0.6 * sure)
    assert augmentation.probability == pytest.approx(0.4)
    for _ in range(9):
        augmentation.heed("logistic", -sure)
    assert augmentation.probability == 0
    other = AdaptiveAugmentation()
    augmentation.probability = 0.1 + 0.2
    other.restore(augmentation.state())
    assert other.probability == 0.1 + 0.2


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: AdaptiveAugmentation(target=1.5),
        lambda: AdaptiveAugmentation(limit=0.0),
        lambda: AdaptiveAugmentation(pace_images=0),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: Callable[[], object]) -> None:
    with pytest.raises(InputError, match="a target within"):
        wrong()
