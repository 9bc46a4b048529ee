from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.anatomy.deformation import CONTROL, Deformation, exponential, rotation
from vesalius.anatomy.grid import Grid
from vesalius.anatomy.patient import deformation, draw_patient

HEAD = Grid.of((12, 14, 12), (170.0, 190.0, 150.0), 5.0).points().reshape(-1, 3)


@given(seed=st.integers(0, 2**31), index=st.integers(0, 5000))
@settings(max_examples=15, deadline=None)
def test_every_patient_is_folded_nowhere(seed: int, index: int) -> None:
    determinant = deformation(draw_patient(seed, index)).jacobian(HEAD)
    assert float(determinant.min()) > 0.3
    assert float(determinant.max()) < 3.0


@given(index=st.integers(0, 5000))
@settings(max_examples=15, deadline=None)
def test_there_and_back_is_where_it_began(index: int) -> None:
    body = deformation(draw_patient(1, index))
    assert float((body.to_patient(body.to_standard(HEAD)) - HEAD).norm(dim=-1).max()) < 0.8
    assert float((body.to_standard(body.to_patient(HEAD)) - HEAD).norm(dim=-1).max()) < 0.8
    # and the way is not the identity
    assert float((body.to_standard(HEAD) - HEAD).norm(dim=-1).mean()) > 2.0


def test_a_uniform_velocity_shifts() -> None:
    velocity = torch.tensor([3.0, -2.0, 1.0]).expand(*CONTROL.shape, 3).contiguous()
    torch.testing.assert_close(exponential(velocity), velocity, rtol=0, atol=1e-4)


def test_a_linear_velocity_scales_exponentially() -> None:
    points = CONTROL.points()
    moved = points + exponential(-0.2 * points)
    centre = (slice(3, -3),) * 3
    # (1 - a/32)^32 for exp(-a): the error of the first Euler step is a²/64
    torch.testing.assert_close(moved[centre], math.exp(-0.2) * points[centre], rtol=2e-3, atol=1e-2)


def test_without_velocity_the_map_is_affine() -> None:
    body = Deformation(
        velocity=torch.zeros(*CONTROL.shape, 3),
        scale=(2.0, 1.0, 1.0),
        turn_degrees=(0.0, 0.0, 90.0),
        shift_mm=(0.0, 0.0, 5.0),
    )
    # twice as wide, then turned from x towards y, then raised
    found = body.to_patient(torch.tensor([[10.0, 0.0, 0.0]]))
    torch.testing.assert_close(found, torch.tensor([[0.0, 20.0, 5.0]]), atol=1e-5, rtol=0)
    assert float(body.jacobian(torch.zeros(1, 3))) == pytest.approx(0.5, abs=1e-3)


def test_rotations_are_proper() -> None:
    turn = rotation((20.0, -35.0, 70.0))
    torch.testing.assert_close(turn @ turn.T, torch.eye(3), atol=1e-6, rtol=0)
    assert float(torch.linalg.det(turn)) == pytest.approx(1.0, abs=1e-6)
