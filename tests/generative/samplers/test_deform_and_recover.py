from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.core import InputError
from vesalius.generative.paths import DeformationPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers import DeformAndRecover
from vesalius.generative.samplers.deformation import warped_classes
from vesalius.physics.deformation import compose, warp

PATH = DeformationPath(disturbance=0.0, control_points=(4, 8))


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def smooth_image(space: tuple[int, ...]) -> Tensor:
    axes = torch.meshgrid(*(torch.linspace(-3, 3, n) for n in space), indexing="ij")
    return (
        torch.stack([axis.cos() for axis in axes])
        .prod(dim=0)[None, None]
        .repeat(2, 1, *[1] * len(space))
    )


def still(x: Tensor | None, time: Tensor | None) -> Tensor:
    assert x is not None
    return x.new_zeros(x.shape[0], x.ndim - 2, *x.shape[2:])


@pytest.mark.parametrize("space", [(48, 40), (18, 20, 16)])
def test_who_knows_the_flow_leads_back_to_the_given_image(space: tuple[int, ...]) -> None:
    given = smooth_image(space)
    velocity = PATH.velocity((2, *space), stream(4))
    begin = DeformAndRecover(PATH, begin_level=40, steps=4)
    time = PATH.reached(torch.full((2,), 40.0))

    def knowing(x: Tensor | None, level: Tensor | None) -> Tensor:
        return PATH.flow(velocity, -time / 4)

    found = begin.sample(knowing, tuple(given.shape), stream(4), given)
    deformed = begin.sample(still, tuple(given.shape), stream(4), given)
    inside = (slice(None), slice(None), *(slice(n // 4, n - n // 4) for n in space))
    lost = (deformed - given)[inside].square().mean().sqrt()
    left = (found - given)[inside].square().mean().sqrt()
    assert lost > 0.03
    assert left < 0.15 * lost


def test_fields_are_composed_and_always_the_given_image_is_warped() -> None:
    given = torch.rand(2, 1, 24, 20, generator=stream())
    sampler = DeformAndRecover(PATH, begin_level=48, steps=3)
    fields = [0.7 * torch.randn(2, 2, 24, 20, generator=stream(k)) for k in range(3)]
    seen: list[Tensor] = []
    levels: list[Tensor] = []

    def predict(x: Tensor | None, level: Tensor | None) -> Tensor:
        assert x is not None
        assert level is not None
        seen.append(x)
        levels.append(level)
        return fields[len(seen) - 1]

    found = sampler.sample(predict, tuple(given.shape), stream(1), given)
    field, _ = PATH.displacement(torch.full((2,), 48.0), (2, 24, 20), stream(1))
    for x, step in zip(seen, fields, strict=True):
        assert torch.allclose(x, warp(given, field), atol=1e-6), "never a warped image again"
        field = compose(field, step)
    assert torch.allclose(found, warp(given, field), atol=1e-6)
    assert [level.tolist() for level in levels] == [[48, 48], [24, 24], [1, 1]]


@pytest.mark.parametrize("steps", [0, 1, 48])
def test_levels_fall_one_by_one_and_calls_are_counted(steps: int) -> None:
    sampler, levels = DeformAndRecover(PATH, begin_level=48, steps=steps), []

    def predict(x: Tensor | None, level: Tensor | None) -> Tensor:
        assert level is not None
        levels.append(int(level[0]))
        return still(x, level)

    given = torch.rand(1, 1, 8, 8, generator=stream())
    sampler.sample(predict, (1, 1, 8, 8), stream(), given)
    assert levels == list(range(48, 48 - steps, -1))
    assert sampler.calls == len(levels)


def test_classes_stay_disjoint_and_go_with_the_image() -> None:
    labels = torch.zeros(1, 2, 32, 32)
    labels[:, 0, 8:16, 10:22] = 1
    labels[:, 1, 16:24, 10:22] = 1
    image = labels[:, :1] + 2 * labels[:, 1:]
    sampler = DeformAndRecover(PATH, begin_level=60, steps=1)
    given = torch.cat([image, labels], dim=1)
    drawn = sampler.sample(still, tuple(given.shape), stream(2), given)
    classes = drawn[:, 1:]
    assert set(classes.unique().tolist()) == {0, 1}
    assert float(classes.sum(dim=1).max()) == 1
    assert not torch.equal(classes, labels), "deformed"
    for k, value in enumerate((1.0, 2.0)):
        core = classes[:, k] * (drawn[:, 0] - value).abs()
        assert float(core.sum() / classes[:, k].sum()) < 0.15, "where the image has the value"
    # whole voxels are moved exactly, also in labels below and above zero and one
    field = torch.zeros(1, 2, 32, 32)
    field[:, 0] = 3
    assert torch.equal(warped_classes(2 * labels - 1, field)[:, :, :-3], labels[:, :, 3:])


def test_draws_are_made_again_by_their_stream() -> None:
    given = torch.rand(2, 1, 16, 16, generator=stream())
    sampler = DeformAndRecover(PATH, steps=2)

    def draw(seed: int, predict: Predictor = still) -> Tensor:
        return sampler.sample(predict, (2, 1, 16, 16), stream(seed), given)

    assert torch.equal(draw(1), draw(1))
    assert not torch.allclose(draw(1), draw(2))


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(InputError, match="gives an image like the wanted one"):
        DeformAndRecover(PATH).sample(still, (1, 1, 8, 8), stream())
    with pytest.raises(InputError, match="a level from 1 to 80"):
        DeformAndRecover(PATH, begin_level=81)
    with pytest.raises(InputError, match="steps"):
        DeformAndRecover(PATH, steps=-1)
