from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.losses import jacobian_determinant
from vesalius.generative.paths import DeformationPath
from vesalius.generative.paths.deformation import spline_weights
from vesalius.physics.deformation import compose, warp

SPACES = [(64, 64), (28, 40), (16, 20, 14)]


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def relative(field: Tensor) -> Tensor:
    """Displacements in units of the image's size along each axis."""
    space = field.shape[2:]
    return field / torch.tensor(space).view(1, -1, *[1] * len(space))


@settings(max_examples=30)
@given(st.integers(2, 40), st.integers(2, 20))
def test_splines_pass_through_what_they_hold_exactly(n: int, points: int) -> None:
    """Cubic B-splines reproduce straight lines: coefficients k give the place itself."""
    weights = spline_weights(n, points)
    assert weights.shape == (n, points + 2)
    assert torch.allclose(weights.sum(dim=1), torch.ones(n, dtype=torch.float64))
    line = weights @ torch.arange(-1, points + 1, dtype=torch.float64)
    assert torch.allclose(line, torch.linspace(0, points - 1, n, dtype=torch.float64), atol=1e-12)


def test_a_spline_on_a_knot_is_the_known_third() -> None:
    weights = spline_weights(5, 5)
    expected = torch.tensor([0, 1, 4, 1, 0, 0, 0], dtype=torch.float64) / 6
    assert torch.allclose(weights[1], expected)


def test_steps_are_those_of_the_paper() -> None:
    """2 t^1.3 / 3 compositions warp, t^0.6 are undone, of 198.6 at the last of 80 levels."""
    path = DeformationPath(levels=80)
    level = torch.tensor([8.0, 48.0, 80.0])
    whole = 2 / 3 * 80**1.3
    assert whole == pytest.approx(198.6, abs=0.1)
    assert torch.allclose(path.reached(level) * whole, 2 / 3 * level**1.3)
    assert torch.allclose(path.undone(level) * whole, level**0.6)
    first = torch.ones(1)
    assert torch.equal(path.undone(first), path.reached(first)), "no more is undone than was done"
    assert path.told(torch.tensor(80)) == 1
    drawn = path.draw_levels(4000, stream())
    assert set(drawn.tolist()) == set(range(1, 81))


@pytest.mark.parametrize("space", SPACES)
def test_displacements_have_the_stated_size_and_hardly_fold(space: tuple[int, ...]) -> None:
    path, n = DeformationPath(amplitude=0.06), 12
    last = torch.full((n,), float(path.levels))
    velocity = path.velocity((50, *space), stream(3))
    assert float(relative(velocity).square().mean().sqrt()) == pytest.approx(0.06, rel=0.08)
    field, _ = path.displacement(last, (n, *space), stream())
    size = relative(field)
    for axis in range(len(space)):
        assert 0.04 < float(size[:, axis].square().mean().sqrt()) < 0.08
    assert float(size.abs().flatten(1).amax(dim=1).mean()) > 0.1, "a tenth of the image and more"
    folded = jacobian_determinant(field) <= 0
    assert float(folded.float().mean()) < 0.01
    # what is measured can see folds: the same field taken straight, five times as far
    straight = jacobian_determinant(5 * path.velocity((n, *space), stream())) <= 0
    assert float(straight.float().mean()) > 0.05


def test_all_scales_strain_alike() -> None:
    strains = []
    for points in (4, 8, 16):
        one = DeformationPath(control_points=(points,)).velocity((100, 65, 65), stream())
        # alone, a scale has the whole amplitude: divide it among the scales as the path does
        strains.append(float(one.diff(dim=-1).square().mean().sqrt()) / (points - 1))
    assert max(strains) / min(strains) < 1.1


@pytest.mark.parametrize("space", [(64, 64), (20, 22, 20)])
def test_a_flow_back_undoes_a_flow(space: tuple[int, ...]) -> None:
    path = DeformationPath(amplitude=0.04, control_points=(4, 8))
    velocity = path.velocity((2, *space), stream())
    time = torch.tensor([0.3, 1.0])
    there, back = path.flow(velocity, time), path.flow(velocity, -time)
    left = compose(there, back)
    inside = (slice(None), slice(None), *(slice(n // 5, n - n // 5) for n in space))
    assert float(left[inside].square().mean().sqrt()) < 0.1
    assert float(there[inside].square().mean().sqrt()) > 0.5
    half = path.flow(velocity, time / 2)
    twice = compose(half, half)[inside]
    assert float((twice - there[inside]).abs().max()) < 0.05, "one flow: half and half is whole"


@pytest.mark.parametrize("space", [(32, 48), (12, 16, 14)])
def test_an_image_is_read_where_the_field_points(space: tuple[int, ...]) -> None:
    path = DeformationPath(disturbance=0.0)
    clean = torch.randn(4, 2, *space, generator=stream(1))
    level = torch.tensor([1, 20, 50, 80])
    made = path.perturb(clean, level, stream(2))
    assert torch.equal(made.image, warp(clean, made.displacement))
    assert made.displacement.shape == made.step.shape == (4, len(space), *space)
    again = path.perturb(clean, level, stream(2))
    assert torch.equal(again.image, made.image)
    grown = made.displacement.square().flatten(1).mean(dim=1)
    assert (grown.diff() > 0).all(), "levels deform more and more"
    # without disturbance the first level is one step
    assert torch.allclose(made.displacement[0], made.step[0])
    # undoing a step, the same flow is left, shorter
    velocity = path.velocity((4, *space), stream(2))
    shorter = path.flow(velocity, path.reached(level) - path.undone(level))
    undone = compose(made.displacement, path.flow(velocity, -path.undone(level)))
    before = (made.displacement - shorter).square().mean()
    assert (undone - shorter).square().mean() < 0.1 * before


def test_disturbance_is_what_a_step_cannot_undo() -> None:
    shape, level = (20, 32, 32), torch.full((20,), 80.0)
    plain, step = DeformationPath(disturbance=0.0).displacement(level, shape, stream())
    disturbed, same = DeformationPath(disturbance=0.08).displacement(level, shape, stream())
    assert torch.equal(step, same), "the step is that of the undisturbed velocity"
    share = (disturbed - plain).square().mean() / plain.square().mean()
    assert 0.04 < float(share.sqrt()) < 0.16


@pytest.mark.parametrize("space", [(3, 4), (2, 2, 5)])
def test_the_smallest_images_are_deformed(space: tuple[int, ...]) -> None:
    made = DeformationPath().perturb(torch.zeros(2, 1, *space), torch.tensor([1, 80]), stream())
    assert torch.isfinite(made.displacement).all()
    assert float(made.displacement.abs().max()) > 0


@pytest.mark.parametrize(
    "broken",
    [{"levels": 0}, {"amplitude": 0.6}, {"control_points": (1,)}, {"disturbance": -0.1}],
)
def test_impossible_paths_are_refused(broken: dict[str, object]) -> None:
    with pytest.raises(InputError, match="expected"):
        DeformationPath(**broken)  # type: ignore[arg-type]
