from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.physics.ct import line_integrals
from vesalius.physics.ct.line_integrals import LineIntegrals
from vesalius.physics.operator import collate
from vesalius.testing.check_operator import check_operator


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=12, deadline=None)
@given(
    st.integers(1, 9),
    st.integers(1, 9),
    st.lists(st.integers(1, 3), min_size=1, max_size=2).map(tuple),
    st.lists(st.floats(-400, 400), min_size=1, max_size=4).map(tuple),
    st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)),
    st.none() | st.integers(1, 12),
)
def test_laws(
    rows: int,
    columns: int,
    leading: tuple[int, ...],
    angles: tuple[float, ...],
    spacing: tuple[float, float],
    detectors: int | None,
) -> None:
    operator = LineIntegrals((*leading, rows, columns), angles, spacing, detectors)
    check_operator(operator, generator=generator())


def disc(n: int, spacing_mm: float, radius_mm: float, x_mm: float, y_mm: float) -> torch.Tensor:
    """A disc of ones whose edge is the share of 8 x 8 points inside."""
    fine = (torch.arange(8 * n, dtype=torch.float64) - (8 * n - 1) / 2) * spacing_mm / 8
    down, right = torch.meshgrid(-fine, fine, indexing="ij")
    inside = (right - x_mm) ** 2 + (down - y_mm) ** 2 <= radius_mm**2
    return inside.double().reshape(n, 8, n, 8).mean((1, 3))[None, None]


@pytest.mark.parametrize("spacing_mm", [0.5, 1.3])
def test_a_disc_has_chords(spacing_mm: float) -> None:
    """At distance s from its middle: 2 sqrt(r^2 - s^2), and pi r^2 in all, at every angle."""
    n, angles = 129, (0.0, 30.0, 45.0, 90.0, 133.0, 200.0)
    radius, x, y = 40 * spacing_mm, 10.0 * spacing_mm, -6.0 * spacing_mm
    operator = LineIntegrals((1, n, n), angles, (spacing_mm, spacing_mm))
    sinogram = operator.forward(disc(n, spacing_mm, radius, x, y))[0, 0]
    for found, angle in zip(sinogram, map(math.radians, angles), strict=True):
        s = operator.positions_mm() - (x * math.cos(angle) + y * math.sin(angle))
        chord = 2 * (radius**2 - s**2).clamp(min=0).sqrt()
        away = s.abs() < radius - 3 * spacing_mm  # of the edge, where pixels are coarse
        assert float((found - chord)[away].abs().max()) < 0.8 * spacing_mm
        assert float((found - chord).abs().mean()) < 0.1 * spacing_mm
        area = float(found.sum()) * spacing_mm
        assert area == pytest.approx(math.pi * radius**2, rel=3e-4)


def test_pixels_that_are_not_square() -> None:
    """The same disc on pixels of 1 x 0.5 mm."""
    fine = disc(128, 0.5, 20.0, 3.0, 4.0)
    coarse = fine.unflatten(2, (64, 2)).mean(3)
    angles, detectors = (0.0, 20.0, 70.0, 90.0, 150.0), 181
    on_fine = LineIntegrals((1, 128, 128), angles, (0.5, 0.5), detectors)
    on_coarse = LineIntegrals((1, 64, 128), angles, (1.0, 0.5), detectors)
    a, b = on_fine.forward(fine), on_coarse.forward(coarse)
    assert float((a - b).abs().mean()) < 0.15
    torch.testing.assert_close(a.sum(-1), b.sum(-1), rtol=1e-3, atol=0)


def test_rays_along_rows_and_columns_are_sums() -> None:
    image = torch.rand(1, 1, 5, 4, dtype=torch.float64, generator=generator())
    down = LineIntegrals((1, 5, 4), (0.0,), (2.0, 3.0), 4, 3.0).forward(image)
    torch.testing.assert_close(down[0, 0, 0], 2 * image[0, 0].sum(0))
    across = LineIntegrals((1, 5, 4), (90.0,), (2.0, 3.0), 5, 2.0).forward(image)
    torch.testing.assert_close(across[0, 0, 0], 3 * image[0, 0].sum(1).flip(0))


def test_against_scikit_image() -> None:
    from skimage.transform import radon

    image = np.zeros((65, 65))
    image[20:40, 15:50] = 1
    image[10:15, 30:33] = 2
    angles = (0.0, 25.0, 60.0, 90.0, 130.0)
    reference = radon(image, theta=angles, circle=False)
    operator = LineIntegrals((1, 65, 65), angles, n_detectors=reference.shape[0])
    found = operator.forward(torch.as_tensor(image)[None, None])[0, 0].T.numpy()
    assert np.abs(found - reference).mean() < 0.05 * reference.mean()
    flipped = operator.forward(torch.as_tensor(image[::-1].copy())[None, None])[0, 0].T.numpy()
    assert np.abs(flipped - reference).mean() > 0.2 * reference.mean()


def test_half_a_turn_is_a_mirror() -> None:
    image = torch.rand(1, 1, 6, 9, dtype=torch.float64, generator=generator())
    operator = LineIntegrals((1, 6, 9), (37.0, 217.0))
    first, second = operator.forward(image)[0, 0]
    torch.testing.assert_close(first, second.flip(0))


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = LineIntegrals((2, 7, 6), tuple(range(0, 180, 13)))
    x = torch.rand(1, *operator.domain.shape, dtype=torch.float64, generator=generator())
    y = torch.rand(1, *operator.codomain.shape, dtype=torch.float64, generator=generator())
    whole = operator.forward(x), operator.adjoint(y)
    monkeypatch.setattr(line_integrals, "CHUNK", 400)
    line_integrals._part.cache_clear()
    torch.testing.assert_close(operator.forward(x), whole[0])
    torch.testing.assert_close(operator.adjoint(y), whole[1])


def test_second_derivatives() -> None:
    operator = LineIntegrals((1, 3, 4), (10.0, 100.0))
    x = torch.rand(1, 1, 3, 4, dtype=torch.float64, generator=generator()).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda x: operator.forward(x).square().sum(), x)


def test_wrong_parts_are_refused() -> None:
    for make in (
        lambda: LineIntegrals((4,), (0.0,)),
        lambda: LineIntegrals((1, 4, 4), ()),
        lambda: LineIntegrals((1, 4, 4), (math.nan,)),
        lambda: LineIntegrals((1, 4, 4), (0.0,), (0.0, 1.0)),
        lambda: LineIntegrals((1, 4, 4), (0.0,), n_detectors=0),
        lambda: LineIntegrals((1, 4, 4), (0.0,), detector_spacing_mm=-1.0),
    ):
        with pytest.raises(InputError):
            make()
    operators = [LineIntegrals((1, 4, 4), (angle,)) for angle in (0.0, 1.0)]
    with pytest.raises(InputError, match="one geometry of rays"):
        collate(operators)
