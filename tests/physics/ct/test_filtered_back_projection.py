"""Filtered back-projection against a disc, scikit-image and its own laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.physics.ct import LineIntegrals, filtered_back_projection
from vesalius.physics.ct.low_dose import WATER_PER_MM, LowDoseCT


def half_a_turn(n: int) -> tuple[float, ...]:
    return tuple(180 * view / n for view in range(n))


def disc(n: int, radius: float, row: float = 0, column: float = 0) -> torch.Tensor:
    """A disc of ones whose edge is the share of 8 x 8 points inside, ``(1, 1, n, n)`` float64."""
    place = (torch.arange(8 * n, dtype=torch.float64) + 0.5) / 8 - n / 2
    inside = ((place[:, None] - row) ** 2 + (place - column) ** 2 <= radius**2).double()
    return inside.reshape(n, 8, n, 8).mean((1, 3))[None, None]


@pytest.mark.parametrize("pixel_mm", [1.0, 0.4])
def test_a_disc_comes_back_where_it_was(pixel_mm: float) -> None:
    """In the image's own unit, whatever the pixel size; rows and columns are not exchanged."""
    image = disc(64, 12, row=-9, column=6)
    rays = LineIntegrals((1, 64, 64), half_a_turn(96), (pixel_mm, pixel_mm))
    found = filtered_back_projection(rays, rays.forward(image))[0, 0]
    inside, outside = disc(64, 9, -9, 6)[0, 0] == 1, disc(64, 15, -9, 6)[0, 0] == 0
    assert float(found[inside].mean()) == pytest.approx(1.0, abs=0.01)
    assert abs(float(found[outside].mean())) < 0.02
    assert float(found[inside].min()) > 0.9


def test_chords_of_a_disc_give_a_disc() -> None:
    """From the closed form of its line integrals, not from our projector."""
    n, radius = 65, 20.0
    rays = LineIntegrals((1, n, n), half_a_turn(120))
    chords = 2 * (radius**2 - rays.positions_mm().square()).clamp(min=0).sqrt()
    found = filtered_back_projection(rays, chords.expand(1, 1, 120, -1))[0, 0]
    away = (disc(n, 22) - disc(n, 18))[0, 0] == 0  # of the edge
    within = disc(n, 31)[0, 0] == 1
    assert float((found - disc(n, radius)[0, 0])[away & within].abs().max()) < 0.03


def test_against_scikit_image() -> None:
    from skimage.transform import iradon

    n, views = 33, 20
    rays = LineIntegrals((1, n, n), half_a_turn(views), n_detectors=n)
    sinogram = np.random.default_rng(0).standard_normal((views, n))
    ours = filtered_back_projection(rays, torch.from_numpy(sinogram)[None, None])[0, 0].numpy()
    theirs = iradon(
        sinogram.T, theta=np.array(rays.angles_degrees), circle=True, filter_name="ramp"
    )
    rows, columns = np.mgrid[:n, :n] - (n - 1) / 2
    inside = rows**2 + columns**2 < 14**2
    assert np.allclose(ours[inside], theirs[inside], atol=1e-5)


def test_it_is_linear_in_every_slice_alone_and_has_gradients() -> None:
    rays = LineIntegrals((2, 5, 7), half_a_turn(6), (1.0, 2.0), 11, 0.8)
    stream = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 3, *rays.codomain.shape, dtype=torch.float64, generator=stream)
    found = filtered_back_projection(rays, 2 * a - b)
    assert found.shape == (3, 2, 5, 7)
    parts = 2 * filtered_back_projection(rays, a) - filtered_back_projection(rays, b)
    torch.testing.assert_close(found, parts)
    alone = LineIntegrals((1, 5, 7), *list(vars(rays).values())[1:])
    torch.testing.assert_close(
        filtered_back_projection(alone, a[1:2, 1:]), filtered_back_projection(rays, a)[1:2, 1:]
    )
    assert torch.autograd.gradcheck(
        lambda y: filtered_back_projection(rays, y), a[:1].requires_grad_()
    )
    single = filtered_back_projection(rays, a.detach().float())
    torch.testing.assert_close(single, filtered_back_projection(rays, a.detach()).float())


def test_parts_of_the_views_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    module = importlib.import_module("vesalius.physics.ct.filtered_back_projection")
    rays = LineIntegrals((1, 6, 7), half_a_turn(9))
    stream = torch.Generator().manual_seed(0)
    y = torch.rand(1, *rays.codomain.shape, dtype=torch.float64, generator=stream)
    whole = filtered_back_projection(rays, y)
    monkeypatch.setattr(module, "CHUNK", 2 * 42 * 4)
    module._places.cache_clear()
    torch.testing.assert_close(filtered_back_projection(rays, y), whole)
    module._places.cache_clear()


def test_the_order_of_views_and_whole_turns_change_nothing() -> None:
    image = disc(16, 4, 2, -3)
    angles = half_a_turn(12)
    turned = tuple(angle - 360 * (view % 2) for view, angle in enumerate(reversed(angles)))
    a, b = (
        filtered_back_projection(rays, rays.forward(image))
        for rays in (LineIntegrals((1, 16, 16), angles), LineIntegrals((1, 16, 16), turned))
    )
    torch.testing.assert_close(a, b)


@pytest.mark.parametrize("angles", [(0.0, 90.0, 100.0), tuple(range(0, 90, 10))])
def test_other_views_are_refused(angles: tuple[float, ...]) -> None:
    rays = LineIntegrals((1, 4, 4), angles)
    with pytest.raises(InputError, match="half a turn"):
        filtered_back_projection(rays, torch.zeros(1, *rays.codomain.shape))


def test_low_dose_has_these_rays() -> None:
    """The scan whose noise statistics are on record: 96 views, 93 rays of one pixel at 64 x 64."""
    rays = LowDoseCT().rays((64, 64))
    assert rays.angles_degrees == half_a_turn(96)
    assert rays.detectors == 93
    assert (rays.pitch_mm, *rays.spacing_mm) == (1, 1, 1)
    x, y = 8.5, 21.5
    water = 1000 * disc(64, 6, -y, x)[0].float() - 1000
    missing = -(LowDoseCT().mean_quanta(water, 2.0)[0] / (0.05 * 5e4 * 2)).log()
    centres = (missing * rays.positions_mm()).sum(1) / missing.sum(1)
    theta = torch.tensor(rays.angles_degrees).deg2rad()
    expected = (x * theta.cos() + y * theta.sin()).double()
    torch.testing.assert_close(centres, expected, atol=0.02, rtol=0)
    assert float(missing[0].max()) == pytest.approx(WATER_PER_MM * 2 * 12, rel=0.02)
