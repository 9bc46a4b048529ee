"""A jointly Gaussian image of two voxels, one of them known: its posterior is in closed form."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.core import Batch, InputError
from vesalius.generative.guidance import Replacement, Scene
from vesalius.generative.paths import CosinePath, GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers import Ancestral, Repaint
from vesalius.physics.masking import Masking
from vesalius.physics.operator import Identity

CORRELATION, VALUE, N = 0.95, 0.8, 4000
STD = 0.5
COVARIANCE = STD**2 * torch.tensor([[1.0, CORRELATION], [CORRELATION, 1.0]], dtype=torch.float64)


def exact(path: GaussianPath) -> Predictor:
    """E[x | state] of images (batch, 1, 1, 2) of N(0, COVARIANCE)."""

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        assert time is not None
        signal, noise = float(path.signal(time[:1])), float(path.noise(time[:1]))
        spread = signal**2 * COVARIANCE + noise**2 * torch.eye(2, dtype=torch.float64)
        gain = signal * COVARIANCE @ torch.linalg.inv(spread)
        return (x.view(-1, 2).double() @ gain.T).view_as(x).to(x.dtype)

    return predict


def scene() -> Scene:
    known = torch.tensor([True, False]).view(1, 1, 1, 2).expand(N, 1, 1, 2)
    measurement = torch.tensor([VALUE, 0.0]).view(1, 1, 1, 2).expand(N, 1, 1, 2)
    batch = Batch(wanted=None, measurement=measurement, operator=Masking(known))
    return Scene(batch, {}, lambda other: pytest.fail("not asked for"))


def hidden(sampler: Ancestral | Repaint) -> Tensor:
    """Draws of the voxel that is not known."""
    guided = Replacement().guide(exact(sampler.path), scene())
    drawn = sampler.sample(guided, (N, 1, 1, 2), torch.Generator().manual_seed(0))
    assert bool((drawn[..., 0] == torch.tensor(VALUE)).all()), "what is known is kept"
    return drawn[..., 1]


def test_replacement_is_biased_and_resampling_repairs_it() -> None:
    path = CosinePath(data_std=STD, last_angle=1.5)
    wanted_mean, wanted_std = CORRELATION * VALUE, STD * (1 - CORRELATION**2) ** 0.5
    plain = hidden(Ancestral(path, 100))
    some = hidden(Repaint(path, 100, 3, 5))
    much = hidden(Repaint(path, 100, 20, 5))
    errors = [abs(float(drawn.mean()) - wanted_mean) for drawn in (plain, some, much)]
    assert errors[0] > 0.04, "replacement alone is biased"
    assert errors[1] < 0.6 * errors[0]
    assert errors[2] < 0.02
    wide = [float(drawn.std()) / wanted_std for drawn in (plain, some, much)]
    assert wide[0] > 1.15
    assert wide[0] > wide[1] > wide[2]
    assert wide[2] == pytest.approx(1.0, abs=0.15)


def test_the_schedule_jumps_back() -> None:
    path = CosinePath()
    assert list(Repaint(path, 4, 2, 2).schedule()) == [0, 1, 2, 3, 4, 2, 3, 4]
    assert list(Repaint(path, 5, 1, 2).schedule()) == [0, 1, 2, 3, 4, 5]
    assert list(Repaint(path, 3, 3, 2).schedule()) == [0, 1, 2, 3, 2, 3, 2, 3]
    assert Repaint(path, 4, 2, 2).calls == 6
    assert Repaint(path, 250, 10, 10).calls == 10 + 240 * 10
    with pytest.raises(InputError):
        Repaint(path, 5, 0, 2)


@pytest.mark.usefixtures("in_double")
def test_without_jumps_it_is_ancestral() -> None:
    path = CosinePath(data_std=STD)
    first, second = (
        sampler.sample(exact(path), (3, 1, 1, 2), torch.Generator().manual_seed(0))
        for sampler in (Repaint(path, 9, 1, 2), Ancestral(path, 9))
    )
    assert torch.equal(first, second)


def test_other_operators_know_no_voxels() -> None:
    image = torch.zeros(1, 1, 2, 2)
    for operator in (None, Identity((1, 2, 2))):
        batch = Batch(wanted=None, measurement=image, operator=operator)
        with pytest.raises(InputError, match="inpainting"):
            Replacement().guide(
                lambda x, time: image, Scene(batch, {}, lambda other: pytest.fail("not asked for"))
            )
