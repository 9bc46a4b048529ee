"""Linear operators between batches of tensors: forward, adjoint and their algebra.

The inner product is the real one, ``<a, b> = Re sum(conj(a) * b)``, case by case. Under it the
adjoint of an operator is what autograd computes as its vector-Jacobian product, for real and for
complex tensors alike: the adjoint is the gradient.
"""

# ruff: noqa: D102  (an override is documented where it is declared)

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from vesalius.core.errors import InputError


@dataclass(frozen=True)
class TensorSpace:
    """The tensors that an operator takes or gives: ``(batch, *shape)``, real or complex.

    ``batch`` is None for an operator that does not differ from case to case and takes any batch.
    """

    shape: tuple[int, ...]
    is_complex: bool = False
    batch: int | None = None

    def __str__(self) -> str:
        kind = "complex" if self.is_complex else "real"
        batch = "batch" if self.batch is None else str(self.batch)
        return f"{kind} ({', '.join([batch, *map(str, self.shape)])})"

    def joined(self, other: TensorSpace, what: str) -> TensorSpace:
        """Unite two spaces that agree; raises InputError where they differ."""
        batches = {space.batch for space in (self, other)} - {None}
        if self.shape != other.shape or self.is_complex != other.is_complex or len(batches) > 1:
            raise InputError(f"{what}, here {self}", came=str(other))
        return TensorSpace(self.shape, self.is_complex, next(iter(batches), None))

    def require(self, tensor: Tensor, what: str) -> None:
        """Raise InputError unless ``tensor`` belongs to this space."""
        came = TensorSpace(tuple(tensor.shape[1:]), tensor.is_complex(), tensor.shape[0])
        fits = came.shape == self.shape and came.is_complex == self.is_complex
        if tensor.ndim == 0 or not fits or self.batch not in (None, came.batch):
            remedy = None
            if fits:
                remedy = "repeat or choose cases of the operator with take()"
            elif came.shape == self.shape[1:] or came.shape[:1] == () or tensor.shape == self.shape:
                remedy = "add the batch axis"
            raise InputError(f"{what} {self}", came=str(came), remedy=remedy)


class LinearOperator(ABC):
    """A linear map that acts on every case of a batch by itself.

    Subclasses give :attr:`domain`, :attr:`codomain`, ``_forward``, ``_adjoint``, :meth:`take`,
    :meth:`collate` and :meth:`to`. Operators compute in the precision of the tensor they are given,
    whatever the precision of their own parameters. Shapes are checked at this boundary.
    """

    @property
    @abstractmethod
    def domain(self) -> TensorSpace:
        """What :meth:`forward` takes."""

    @property
    @abstractmethod
    def codomain(self) -> TensorSpace:
        """What :meth:`forward` gives."""

    @abstractmethod
    def _forward(self, x: Tensor) -> Tensor: ...

    @abstractmethod
    def _adjoint(self, y: Tensor) -> Tensor: ...

    def _gram(self, x: Tensor) -> Tensor:
        """Compute ``A^H A x``; replaced where there is a shorter way."""
        return self._adjoint(self._forward(x))

    @abstractmethod
    def take(self, cases: Sequence[int] | Tensor) -> LinearOperator:
        """Choose cases, in this order; a case may come several times.

        ``take(torch.arange(batch).repeat(n))`` serves ``n`` draws of every case at once.
        """

    @classmethod
    @abstractmethod
    def collate(cls, operators: Sequence[Any]) -> LinearOperator:
        """One operator for the cases of several of this class, in order. See :func:`collate`."""

    @abstractmethod
    def to(self, device: torch.device | str) -> LinearOperator:
        """Move to another device."""

    @final
    def forward(self, x: Tensor) -> Tensor:
        """Compute ``A x``. Raises InputError unless ``x`` is of :attr:`domain`."""
        self.domain.require(x, "an input that is")
        return self._forward(x)

    @final
    def adjoint(self, y: Tensor) -> Tensor:
        """Compute ``A^H y``. Raises InputError unless ``y`` is of :attr:`codomain`."""
        self.codomain.require(y, "an input of the adjoint that is")
        return self._adjoint(y)

    @final
    def __call__(self, x: Tensor) -> Tensor:
        """Compute ``A x``, see :meth:`forward`."""
        return self.forward(x)

    @property
    @final
    def H(self) -> LinearOperator:  # noqa: N802  (the field writes A^H)
        """The adjoint as an operator; ``A.H.H`` is ``A``."""
        return self.operator if isinstance(self, Adjoint) else Adjoint(self)

    @property
    @final
    def gram(self) -> LinearOperator:
        """``A^H A`` as an operator."""
        return Gram(self)

    @final
    def __matmul__(self, other: LinearOperator) -> LinearOperator:
        return Composition(self, other)

    @final
    def __add__(self, other: LinearOperator) -> LinearOperator:
        return Sum(self, other)

    @final
    def __mul__(self, factor: float) -> LinearOperator:
        return Scaled(self, float(factor))

    @final
    def __rmul__(self, factor: float) -> LinearOperator:
        return Scaled(self, float(factor))


def collate(operators: Sequence[LinearOperator]) -> LinearOperator:
    """One batched operator from operators of one kind, as ``torch.cat`` does for tensors.

    Raises InputError for none, or for different kinds.
    """
    kinds = sorted({type(operator).__name__ for operator in operators})
    if len(kinds) != 1:
        raise InputError(
            "one or more operators of one kind",
            came=" and ".join(kinds) or "none",
            remedy="make batches of cases that share their physics",
        )
    return type(operators[0]).collate(operators)


@final
@dataclass(frozen=True, eq=False)
class Identity(LinearOperator):
    """``x -> x`` for tensors ``(batch, *shape)``, any batch."""

    shape: tuple[int, ...]
    is_complex: bool = False

    @property
    def domain(self) -> TensorSpace:
        return TensorSpace(self.shape, self.is_complex)

    @property
    def codomain(self) -> TensorSpace:
        return self.domain

    def _forward(self, x: Tensor) -> Tensor:
        return x

    def _adjoint(self, y: Tensor) -> Tensor:
        return y

    def take(self, cases: Sequence[int] | Tensor) -> Identity:
        return self

    @classmethod
    def collate(cls, operators: Sequence[Identity]) -> Identity:
        for other in operators[1:]:
            operators[0].domain.joined(other.domain, "identities of one shape")
        return operators[0]

    def to(self, device: torch.device | str) -> Identity:
        return self


@final
@dataclass(frozen=True, eq=False)
class Adjoint(LinearOperator):
    """``A^H``; written ``A.H``."""

    operator: LinearOperator

    @property
    def domain(self) -> TensorSpace:
        return self.operator.codomain

    @property
    def codomain(self) -> TensorSpace:
        return self.operator.domain

    def _forward(self, x: Tensor) -> Tensor:
        return self.operator._adjoint(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.operator._forward(y)

    def take(self, cases: Sequence[int] | Tensor) -> Adjoint:
        return Adjoint(self.operator.take(cases))

    @classmethod
    def collate(cls, operators: Sequence[Adjoint]) -> Adjoint:
        return Adjoint(collate([each.operator for each in operators]))

    def to(self, device: torch.device | str) -> Adjoint:
        return Adjoint(self.operator.to(device))


@final
@dataclass(frozen=True, eq=False)
class Gram(LinearOperator):
    """``A^H A``, its own adjoint; written ``A.gram``."""

    operator: LinearOperator

    @property
    def domain(self) -> TensorSpace:
        return self.operator.domain

    @property
    def codomain(self) -> TensorSpace:
        return self.operator.domain

    def _forward(self, x: Tensor) -> Tensor:
        return self.operator._gram(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.operator._gram(y)

    def take(self, cases: Sequence[int] | Tensor) -> Gram:
        return Gram(self.operator.take(cases))

    @classmethod
    def collate(cls, operators: Sequence[Gram]) -> Gram:
        return Gram(collate([each.operator for each in operators]))

    def to(self, device: torch.device | str) -> Gram:
        return Gram(self.operator.to(device))


@final
@dataclass(frozen=True, eq=False)
class Composition(LinearOperator):
    """``outer(inner(x))``; written ``outer @ inner``."""

    outer: LinearOperator
    inner: LinearOperator

    def __post_init__(self) -> None:
        self._batch()

    def _batch(self) -> int | None:
        what = "an outer operator that takes what the inner one gives"
        return self.inner.codomain.joined(self.outer.domain, what).batch

    @property
    def domain(self) -> TensorSpace:
        space = self.inner.domain
        return TensorSpace(space.shape, space.is_complex, self._batch())

    @property
    def codomain(self) -> TensorSpace:
        space = self.outer.codomain
        return TensorSpace(space.shape, space.is_complex, self._batch())

    def _forward(self, x: Tensor) -> Tensor:
        return self.outer._forward(self.inner._forward(x))

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.inner._adjoint(self.outer._adjoint(y))

    def take(self, cases: Sequence[int] | Tensor) -> Composition:
        return Composition(self.outer.take(cases), self.inner.take(cases))

    @classmethod
    def collate(cls, operators: Sequence[Composition]) -> Composition:
        return Composition(
            collate([each.outer for each in operators]), collate([each.inner for each in operators])
        )

    def to(self, device: torch.device | str) -> Composition:
        return Composition(self.outer.to(device), self.inner.to(device))


@final
@dataclass(frozen=True, eq=False)
class Sum(LinearOperator):
    """``first(x) + second(x)``; written ``first + second``."""

    first: LinearOperator
    second: LinearOperator

    def __post_init__(self) -> None:
        _ = self.domain, self.codomain

    @property
    def domain(self) -> TensorSpace:
        return self.first.domain.joined(self.second.domain, "summands that take the same")

    @property
    def codomain(self) -> TensorSpace:
        return self.first.codomain.joined(self.second.codomain, "summands that give the same")

    def _forward(self, x: Tensor) -> Tensor:
        return self.first._forward(x) + self.second._forward(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.first._adjoint(y) + self.second._adjoint(y)

    def take(self, cases: Sequence[int] | Tensor) -> Sum:
        return Sum(self.first.take(cases), self.second.take(cases))

    @classmethod
    def collate(cls, operators: Sequence[Sum]) -> Sum:
        return Sum(
            collate([each.first for each in operators]),
            collate([each.second for each in operators]),
        )

    def to(self, device: torch.device | str) -> Sum:
        return Sum(self.first.to(device), self.second.to(device))


@final
@dataclass(frozen=True, eq=False)
class Scaled(LinearOperator):
    """``factor * operator(x)`` with a real factor; written ``factor * operator``."""

    operator: LinearOperator
    factor: float

    @property
    def domain(self) -> TensorSpace:
        return self.operator.domain

    @property
    def codomain(self) -> TensorSpace:
        return self.operator.codomain

    def _forward(self, x: Tensor) -> Tensor:
        return self.factor * self.operator._forward(x)

    def _adjoint(self, y: Tensor) -> Tensor:
        return self.factor * self.operator._adjoint(y)

    def _gram(self, x: Tensor) -> Tensor:
        return self.factor**2 * self.operator._gram(x)

    def take(self, cases: Sequence[int] | Tensor) -> Scaled:
        return Scaled(self.operator.take(cases), self.factor)

    @classmethod
    def collate(cls, operators: Sequence[Scaled]) -> Scaled:
        factors = {each.factor for each in operators}
        if len(factors) > 1:
            raise InputError("operators with one factor", came=str(sorted(factors)))
        return Scaled(collate([each.operator for each in operators]), operators[0].factor)

    def to(self, device: torch.device | str) -> Scaled:
        return Scaled(self.operator.to(device), self.factor)
