"""Codecs: what is encoded comes back, and a system with one draws images."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, Call, InputError, Recipe
from vesalius.core.batch import Shape
from vesalius.generative.codecs import Residual
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.generative.system import System


class Silent(nn.Module):
    """Predicts a velocity of zero: with it a path ends where its mean is."""

    def __init__(self, *, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.channels_in, self.channels_out = channels_in, channels_out
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, level: Tensor, condition: Tensor | None) -> Tensor:
        return x[:, : self.channels_out] * self.weight


def test_a_residual_comes_back() -> None:
    rng = torch.Generator().manual_seed(0)
    given, wanted = torch.randn(2, 3, 2, 5, 7, generator=rng).unbind(0)
    batch, codec = Batch(wanted=wanted, given=given), Residual(scale=0.25)
    code = codec.encode(wanted, batch)
    torch.testing.assert_close(code, (wanted - given) * 4)
    torch.testing.assert_close(codec.decode(code, batch), wanted)


@pytest.mark.parametrize("given", [None, torch.zeros(1, 2, 4, 4)])
def test_a_residual_needs_a_given_image_like_the_wanted(given: Tensor | None) -> None:
    wanted = torch.zeros(1, 1, 4, 4)
    with pytest.raises(InputError, match="expected a given image like the wanted"):
        Residual().encode(wanted, Batch(wanted=wanted, given=given))


def test_the_codec_reaches_the_objective_and_draws_are_images() -> None:
    recipe = Recipe(
        name="r",
        summary="",
        task=Call(Residual),
        networks={"network": Call(Silent)},
        path=Call(CosinePath, data_std=0.2),
        objective=Call(Denoising),
        codec=Call(Residual, scale=0.01),
        sampler=Call(Ddim, steps=3),
    )
    system = System.build(recipe, Shape(1, 1, 2), seed=0)
    assert isinstance(system.objective, Denoising)
    assert system.objective.codec == Residual(0.01)
    given = torch.full((2, 1, 6, 6), 3.0)
    batch = Batch(wanted=given, given=given, cases=("a", "b"))
    drawn = system.draw(batch, (6, 6), draws=2)
    assert drawn.shape == (2, 2, 1, 6, 6)
    # a hundredth of a path's states, none of which is far from zero, about what is given
    assert 0 < float((drawn - 3).abs().max()) < 0.05


def test_the_loss_is_that_of_the_code() -> None:
    rng = torch.Generator().manual_seed(1)
    given = torch.randn(4, 1, 8, 8, generator=rng)
    code = 0.2 * torch.randn(4, 1, 8, 8, generator=rng)
    path, codec = CosinePath(data_std=0.2), Residual(scale=0.5)
    networks = {"network": Silent(channels_in=2, channels_out=1)}

    def loss(objective: Denoising, wanted: Tensor) -> float:
        batch = Batch(wanted=wanted, given=given)
        stream = torch.Generator().manual_seed(2)
        return float(objective.loss("network", networks, batch, stream, {}).total.detach())

    coded = loss(Denoising(path, codec=codec), codec.decode(code, Batch(wanted=None, given=given)))
    assert coded == pytest.approx(loss(Denoising(path), code), rel=1e-5)
