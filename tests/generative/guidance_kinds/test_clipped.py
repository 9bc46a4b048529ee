"""A noise that is predicted a little wrongly is a clean image that is very wrong."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from torch import Tensor

from vesalius import recipes
from vesalius.core import Batch, Call, InputError
from vesalius.generative.guidance import Clipped, Scene
from vesalius.generative.paths import LinearBetaPath
from vesalius.generative.samplers import Ddim

SCENE = Scene(Batch(wanted=None), {}, lambda other: pytest.fail("not asked for"))
PATH = LinearBetaPath(data_std=0.5)
TRUTH = 0.4


def slightly_wrong(x: Tensor | None, time: Tensor | None) -> Tensor:
    """The clean image that follows from a noise predicted 2 % too small; the truth is 0.4."""
    assert x is not None
    assert time is not None
    signal, noise = (part.view(-1, 1, 1, 1) for part in (PATH.signal(time), PATH.noise(time)))
    return (x - 0.98 * (x - signal * TRUTH)) / signal if bool((noise > 0).all()) else x


def test_values_inside_stay_and_those_outside_go_to_the_limit() -> None:
    given = torch.tensor([-3.0, -1.0, 0.2, 1.0, 7.0]).view(1, 1, 1, 5)
    guide = Clipped().guide(lambda x, time: given, SCENE)
    assert guide(None, None).flatten().tolist() == pytest.approx([-1.0, -1.0, 0.2, 1.0, 1.0])
    narrow = Clipped(low=0.0, high=0.1).guide(lambda x, time: given, SCENE)
    assert narrow(None, None).flatten().tolist() == pytest.approx([0.0, 0.0, 0.1, 0.1, 0.1])


def test_the_first_expected_image_is_far_outside_without_it() -> None:
    rng = torch.Generator().manual_seed(0)
    time = torch.ones(64)
    state = PATH.draw_noise((64, 1, 1, 1), rng)
    free, kept = slightly_wrong(state, time), Clipped().guide(slightly_wrong, SCENE)(state, time)
    assert float(free.abs().max()) > 2, "the error is multiplied by noise over signal"
    assert float(kept.abs().max()) <= 1


def test_draws_end_inside_the_range() -> None:
    sampler = Ddim(PATH, 20, eta=1.0)
    guide = Clipped().guide(slightly_wrong, SCENE)
    drawn = sampler.sample(guide, (32, 1, 1, 1), torch.Generator().manual_seed(1))
    assert float(drawn.abs().max()) <= 1


def test_limits_are_in_order_and_codes_have_none() -> None:
    with pytest.raises(InputError, match="low below high"):
        Clipped(low=1.0, high=-1.0)
    with pytest.raises(InputError, match="over the images themselves for Clipped"):
        dataclasses.replace(recipes.get("mri-diffusion"), guidance=(Call(Clipped),))
    assert [call.name for call in recipes.get("vm-ddpm").guidance] == ["Clipped"]
