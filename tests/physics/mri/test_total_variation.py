from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.restoration import denoise_tv_chambolle

from vesalius.core.errors import InputError
from vesalius.physics import Identity, LinearOperator, as_channels, as_complex
from vesalius.physics.mri import CartesianMRI, total_variation
from vesalius.physics.mri.total_variation import differences, differences_adjoint, objective

MakeMRI = Callable[[int, int, int, tuple[int, ...]], CartesianMRI]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 6), min_size=2, max_size=3).map(tuple), st.integers(0, 99))
def test_differences_and_their_adjoint(space: tuple[int, ...], seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(2, 2, *space, dtype=torch.float64, generator=g)
    u = torch.randn(2, len(space), 2, *space, dtype=torch.float64, generator=g)
    torch.testing.assert_close((differences(x) * u).sum(), (x * differences_adjoint(u)).sum())
    assert float(differences(torch.ones(1, 2, *space)).abs().max()) == 0


def test_differences_by_hand() -> None:
    x = torch.tensor([[1.0, 4.0], [0.0, 2.0]])[None, None]
    down, right = differences(x)[0, :, 0]
    assert down.tolist() == [[-1, -2], [0, 0]]
    assert right.tolist() == [[3, 0], [2, 0]]


def test_a_step_is_lowered_by_the_known_amount() -> None:
    # two plateaus of widths n and m: each moves by strength / width towards the other
    left, right, strength = 6, 4, 0.3
    signal = torch.cat([torch.zeros(left), torch.ones(right)]).double()
    y = torch.zeros(1, 2, 3, left + right, dtype=torch.float64)
    y[:, 0] = signal
    found = total_variation(y, Identity((2, 3, 10)), strength=strength, iterations=4000)
    wanted = torch.cat(
        [torch.full((left,), strength / left), torch.full((right,), 1 - strength / right)]
    ).double()
    torch.testing.assert_close(found[0, 0], wanted.expand(3, -1), rtol=0, atol=1e-5)
    assert float(found[0, 1].abs().max()) == 0


def test_a_complex_step_keeps_its_phase() -> None:
    # the common length of both channels makes TV blind to a constant phase
    phase = torch.polar(torch.ones(()).double(), torch.tensor(0.7).double())
    step = torch.zeros(1, 1, 4, 8, dtype=torch.complex128)
    step[..., 3:] = 1
    operator = Identity((2, 4, 8))
    plain = total_variation(as_channels(step), operator, strength=0.2, iterations=50)
    turned = total_variation(as_channels(step * phase), operator, strength=0.2, iterations=50)
    torch.testing.assert_close(as_complex(turned), as_complex(plain) * phase)


@pytest.mark.parametrize("strength", [0.02, 0.05])
def test_agrees_with_an_independent_denoiser(strength: float) -> None:
    g = torch.Generator().manual_seed(0)
    image = torch.zeros(20, 24, dtype=torch.float64)
    image[5:15, 8:18] = 1
    noisy = image + 0.2 * torch.randn(20, 24, dtype=torch.float64, generator=g)
    y = torch.stack([noisy, torch.zeros_like(noisy)])[None]
    found = total_variation(y, Identity((2, 20, 24)), strength=strength, iterations=1000)[0, 0]
    other = denoise_tv_chambolle(noisy.numpy(), weight=strength, eps=1e-12, max_num_iter=5000)
    torch.testing.assert_close(found, torch.from_numpy(other), rtol=0, atol=1e-3)


def test_duality_gap_closes() -> None:
    # min_x |x - y|^2/2 + s TV(x) = max_{|u| <= s} |y|^2/2 - |y - D^T u|^2/2; u from optimality
    g = torch.Generator().manual_seed(3)
    y = torch.randn(2, 2, 9, 7, dtype=torch.float64, generator=g)
    strength = 0.2
    operator = Identity((2, 9, 7))
    found = total_variation(y, operator, strength=strength, iterations=1500)
    primal = objective(found, y, operator, strength)
    u = torch.zeros_like(differences(y))
    for _ in range(1500):  # projected gradient on the dual problem
        u = u + differences(y - differences_adjoint(u)) / 8
        length = u.square().sum((1, 2), keepdim=True).sqrt()
        u = u / (length / strength).clamp_min(1)
    dual = (y.square() - (y - differences_adjoint(u)).square()).flatten(1).sum(1) / 2
    gap = (primal - dual) / primal
    assert float(gap.min()) > -1e-9
    assert float(gap.max()) < 1e-5


def test_mri_solution_is_optimal_and_reached_from_above(random_mri: MakeMRI) -> None:
    operator: LinearOperator = 0.4 * random_mri(2, 2, 3, (8, 9))
    g = torch.Generator().manual_seed(5)
    x = torch.zeros(2, 2, 8, 9, dtype=torch.float64)
    x[:, :, 2:6, 3:7] = 1
    noise = torch.randn(2, 3, 8, 9, dtype=torch.complex128, generator=g)
    y = operator.forward(x) + 0.05 * noise
    values = [
        objective(total_variation(y, operator, strength=0.1, iterations=n), y, operator, 0.1)
        for n in (1, 10, 100, 500)
    ]
    assert all(bool((b < a).all()) for a, b in pairwise(values))
    best = total_variation(y, operator, strength=0.1, iterations=2500)
    lowest = objective(best, y, operator, 0.1)
    assert bool((values[-1] - lowest < 5e-3 * lowest).all())
    for seed in range(20):  # convex: a minimum among near points is the minimum
        step = torch.randn(x.shape, dtype=torch.float64, generator=g.manual_seed(seed))
        for size in (1e-3, 1e-2, 1e-1):
            moved = objective(best + size * step, y, operator, 0.1)
            assert bool((moved > lowest - 1e-8).all())
        towards = best + 0.1 * (x - best)
        assert bool((objective(towards, y, operator, 0.1) > lowest - 1e-8).all())


def test_a_case_does_not_see_its_batch(random_mri: MakeMRI) -> None:
    operator = random_mri(2, 3, 2, (6, 7))
    g = torch.Generator().manual_seed(5)
    y = torch.randn(3, 2, 6, 7, dtype=torch.complex128, generator=g)
    together = total_variation(y, operator, strength=0.1, iterations=20)
    alone = total_variation(y[1:2], operator.take([1]), strength=0.1, iterations=20)
    torch.testing.assert_close(together[1:2], alone)


def test_no_strength_is_least_squares() -> None:
    y = torch.randn(1, 2, 5, 6, generator=torch.Generator().manual_seed(0))
    found = total_variation(y, Identity((2, 5, 6)), strength=0.0, iterations=50)
    torch.testing.assert_close(found, y)
    with pytest.raises(InputError, match="zero or more"):
        total_variation(y, Identity((2, 5, 6)), strength=-1.0)
