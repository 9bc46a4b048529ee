from __future__ import annotations

import pytest
import torch

from vesalius.anatomy.lattice import Lattice
from vesalius.anatomy.shapes import blend, ellipsoid, tube


def test_a_sphere_has_exact_distances() -> None:
    points = torch.tensor([[5.0, 0, 0], [0, 3.0, 0], [0, 0, -1.0], [3.0, 4.0, 0]])
    found = ellipsoid(points, (0, 0, 0), (3, 3, 3))
    torch.testing.assert_close(found, torch.tensor([2.0, 0.0, -2.0, 2.0]))


def test_an_ellipsoid_turns_counter_clockwise() -> None:
    tip = torch.tensor([[0.0, 10.0, 0.0]])
    assert float(ellipsoid(tip, (0, 0, 0), (10, 2, 2), turn_degrees=90)) == pytest.approx(
        0.0, abs=1e-4
    )
    assert float(ellipsoid(tip, (0, 0, 0), (10, 2, 2))) > 2.0


def test_a_tube_narrows_along_its_path() -> None:
    path = ((0.0, 0.0, 0.0, 4.0), (10.0, 0.0, 0.0, 2.0))
    points = torch.tensor([[0.0, 4.0, 0], [5.0, 0.0, 3.0], [10.0, 2.0, 0], [13.0, 0, 0]])
    torch.testing.assert_close(tube(points, path), torch.tensor([0.0, 0.0, 0.0, 1.0]))


def test_a_blend_is_the_union_away_from_the_joint() -> None:
    first, second = torch.tensor([-1.0, 20.0]), torch.tensor([20.0, -2.0])
    torch.testing.assert_close(blend(first, second, 5.0), torch.tensor([-1.0, -2.0]))
    # where both are equal the fillet is a quarter of its width deep
    assert float(blend(torch.tensor(0.0), torch.tensor(0.0), 4.0)) == pytest.approx(-1.0)


def test_a_lattice_reads_linear_fields_exactly_and_clamps_outside() -> None:
    lattice = Lattice((-4.0, 0.0, 2.0), 1.5, (6, 7, 8))
    slope = torch.tensor([0.5, -2.0, 3.0])
    field = (lattice.points() @ slope)[..., None]
    rng = torch.Generator().manual_seed(0)
    inside = torch.tensor(lattice.low_mm) + 1.5 * 5 * torch.rand(50, 3, generator=rng)
    torch.testing.assert_close(lattice.read(field, inside)[:, 0], inside @ slope)
    outside = torch.tensor([[-100.0, 3.0, 5.0]])
    edge = torch.tensor([-4.0, 3.0, 5.0])
    torch.testing.assert_close(lattice.read(field, outside)[0, 0], edge @ slope)
    torch.testing.assert_close(
        lattice.gradient(field[..., 0])[2, 2, 2], slope, rtol=1e-4, atol=1e-4
    )
