from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import ColdPath, LowPass
from vesalius.generative.samplers import Deterministic


def image(seed: int = 0, space: tuple[int, ...] = (16, 16)) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(2, 1, *space, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("space", [(16, 16), (15, 12), (8, 6, 7)])
def test_low_pass_keeps_what_a_smaller_kspace_holds(space: tuple[int, ...]) -> None:
    """A wave below the cut-off passes, one above is lost, the mean stays."""
    x = image(space=space)
    zero, one = torch.zeros(2, dtype=torch.float64), torch.ones(2, dtype=torch.float64)
    low_pass = LowPass(factor=2.0)
    assert torch.allclose(low_pass.degrade(x, zero), x)
    blurred = low_pass.degrade(x, one)
    axes = tuple(range(2, x.ndim))
    assert torch.allclose(blurred.mean(dim=axes), x.mean(dim=axes))
    line = torch.arange(space[0], dtype=torch.float64)
    for cycles, kept in ((1, 1.0), (space[0] // 2 - 1, 0.0)):
        wave = torch.cos(2 * torch.pi * cycles * line / space[0])
        wave = wave.view(1, 1, -1, *[1] * (len(space) - 1)).expand(2, 1, *space)
        assert torch.allclose(low_pass.degrade(wave, one), kept * wave, atol=1e-9)


def test_it_degrades_ever_more_and_continuously() -> None:
    x = image()
    energies = []
    for time in torch.linspace(0, 1, 200, dtype=torch.float64):
        energies.append(float(LowPass(4.0).degrade(x, time.expand(2)).square().sum()))
    steps = torch.tensor(energies).diff()
    assert (steps <= 1e-9).all()
    assert float(steps.min()) > -0.05 * energies[0], "no jump"


def test_algorithm_two_forgives_a_constant_error() -> None:
    """D(clean + c, t) - D(clean + c, s) loses a constant c: the states stay on the path."""
    path, clean = ColdPath(LowPass(4.0)), image()
    given_image = path.degradation.degrade(clean, torch.ones(2, dtype=torch.float64))
    states = []

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        assert time is not None
        states.append((x - path.degradation.degrade(clean, time.double())).abs().max())
        return clean + 0.3

    drawn = Deterministic(path, steps=6).sample(
        predict, (2, 1, 16, 16), torch.Generator(), given_image
    )
    assert max(float(state) for state in states) < 1e-9
    assert torch.allclose(drawn, clean, atol=1e-9)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match="factor"):
        LowPass(1.0)
    with pytest.raises(InputError, match="degraded image"):
        ColdPath().start((1, 1, 4, 4), torch.Generator())
