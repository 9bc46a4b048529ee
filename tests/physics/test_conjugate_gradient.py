from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.physics import conjugate_gradient


def positive_definite(seed: int, batch: int, size: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    factor = torch.randn(batch, size, size, dtype=torch.complex128, generator=generator)
    return factor @ factor.mH + torch.eye(size)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 8), st.booleans())
def test_dense_solution_in_as_many_steps_as_unknowns(
    seed: int, batch: int, size: int, warm: bool
) -> None:
    matrix = positive_definite(seed, batch, size)
    generator = torch.Generator().manual_seed(seed + 1)
    right = torch.randn(batch, size, dtype=torch.complex128, generator=generator)
    start = torch.randn(batch, size, dtype=torch.complex128, generator=generator) if warm else None
    found = conjugate_gradient(
        lambda x: torch.einsum("bij,bj->bi", matrix, x), right, start=start, iterations=size + 4
    )
    torch.testing.assert_close(found, torch.linalg.solve(matrix, right), rtol=1e-6, atol=1e-8)


def test_a_solved_case_stays_finite_beside_a_hard_one() -> None:
    matrix = torch.stack([torch.eye(6), torch.diag(torch.tensor([1.0, 5, 9, 20, 50, 90]))]).double()
    right = torch.stack([torch.zeros(6), torch.ones(6)]).double()
    found = conjugate_gradient(
        lambda x: torch.einsum("bij,bj->bi", matrix, x), right, iterations=20
    )
    torch.testing.assert_close(found, right / matrix.diagonal(dim1=1, dim2=2))


def test_tolerance_stops_early_and_keeps_its_word() -> None:
    matrix = positive_definite(3, 1, 40)
    right = torch.ones(1, 40, dtype=torch.complex128)
    calls = 0

    def apply(x: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return torch.einsum("bij,bj->bi", matrix, x)

    found = conjugate_gradient(apply, right, iterations=500, tolerance=1e-3)
    assert calls < 200
    residual = right - torch.einsum("bij,bj->bi", matrix, found)
    assert float(residual.norm() / right.norm()) <= 1.1e-3


def test_gradient_is_that_of_the_solution() -> None:
    matrix = torch.tensor([[[2.0, 0.3], [0.3, 1.0]]], dtype=torch.float64)
    right = torch.tensor([[1.0, -2.0]], dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(1.5, dtype=torch.float64, requires_grad=True)

    def solution(right: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return conjugate_gradient(
            lambda x: scale * torch.einsum("bij,bj->bi", matrix, x), right, iterations=2
        )

    wanted = torch.linalg.inv(matrix[0]) / 1.5
    jacobian = torch.autograd.functional.jacobian(lambda r: solution(r, scale.detach()), right)
    # two unknowns, two steps: exact, and so is its gradient with respect to the system
    torch.testing.assert_close(solution(right, scale), (wanted @ right[0])[None])
    (slope,) = torch.autograd.grad(solution(right, scale).sum(), scale)
    assert float(slope) == pytest.approx(float(-(wanted @ right[0]).sum().detach() / 1.5))
    torch.testing.assert_close(jacobian[0, :, 0], wanted)
