"""The operator check must see every law that an operator can break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vesalius.physics.operator import LinearOperator, TensorSpace
from vesalius.testing.check_operator import check_operator


@dataclass(frozen=True, eq=False)
class Matrix(LinearOperator):
    """A matrix for every case, right unless ``fault`` says otherwise."""

    matrices: Tensor
    fault: str = ""

    @property
    def domain(self) -> TensorSpace:
        return TensorSpace((self.matrices.shape[2],), True, self.matrices.shape[0])

    @property
    def codomain(self) -> TensorSpace:
        return TensorSpace((self.matrices.shape[1],), True, self.matrices.shape[0])

    def _forward(self, x: Tensor) -> Tensor:
        y = torch.einsum("bij,bj->bi", self.matrices.to(x.dtype), x)
        if self.fault == "offset":
            return y + 1
        if self.fault == "real-linear only":
            return y + x.real.sum(1, keepdim=True)
        if self.fault == "batch":
            return y + 0.1 * y.mean(0, keepdim=True)
        if self.fault == "always double":
            return y.to(torch.complex128)
        if self.fault == "detached":
            return y.detach() + 0 * y
        return y

    def _adjoint(self, y: Tensor) -> Tensor:
        matrices = self.matrices.to(y.dtype)
        if self.fault == "transpose":
            return torch.einsum("bij,bi->bj", matrices, y)
        if self.fault == "scale":
            return 1.001 * torch.einsum("bij,bi->bj", matrices.conj(), y)
        return torch.einsum("bij,bi->bj", matrices.conj(), y)

    def _gram(self, x: Tensor) -> Tensor:
        gram = self._adjoint(self._forward(x))
        return gram.conj() if self.fault == "gram" else gram

    def take(self, cases: Sequence[int] | Tensor) -> Matrix:
        index = torch.as_tensor(cases)
        if self.fault == "take":
            index = torch.zeros_like(index)
        return Matrix(self.matrices[index], self.fault)

    @classmethod
    def collate(cls, operators: Sequence[Any]) -> Matrix:
        fault = operators[0].fault
        order = reversed(operators) if fault == "collate" else operators
        return Matrix(torch.cat([each.matrices for each in order]), fault)

    def to(self, device: torch.device | str) -> Matrix:
        return Matrix(self.matrices.to(device), self.fault)


def matrices(seed: int, batch: int, rows: int, columns: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(batch, rows, columns, dtype=torch.complex128, generator=generator)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 3), st.integers(2, 5), st.integers(2, 5))
def test_a_right_operator_passes(seed: int, batch: int, rows: int, columns: int) -> None:
    operator = Matrix(matrices(seed, batch, rows, columns))
    check_operator(operator, generator=torch.Generator().manual_seed(seed))
    check_operator(operator.H, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("fault", "law"),
    [
        ("offset", "linearity"),
        ("real-linear only", "linearity"),
        ("transpose", "adjoint"),
        ("scale", "adjoint"),
        ("batch", "adjoint|alone"),
        ("always double", "single precision"),
        ("detached", "gradient"),
        ("gram", "gram"),
        ("take", "case 1 alone"),
        ("collate", "collate"),
    ],
)
def test_a_wrong_operator_fails_under_the_name_of_its_fault(fault: str, law: str) -> None:
    operator = Matrix(matrices(1, 2, 4, 3), fault)
    with pytest.raises(AssertionError, match=law):
        check_operator(operator, generator=torch.Generator().manual_seed(0))
