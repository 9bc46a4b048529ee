"""What every linear operator has to fulfil, for our tests and for plug-ins.

The adjoint test cannot see a wrong scale: add a closed-form case for every operator.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.operator import LinearOperator, TensorSpace, collate


def _draw(space: TensorSpace, batch: int, generator: torch.Generator) -> Tensor:
    dtype = torch.complex128 if space.is_complex else torch.float64
    return torch.randn(batch, *space.shape, dtype=dtype, generator=generator)


def _inner(a: Tensor, b: Tensor) -> Tensor:
    return (a.conj() * b).real.flatten(1).sum(1)


def _vector_jacobian(function: Callable[[Tensor], Tensor], at: Tensor, vector: Tensor) -> Tensor:
    at = at.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(at), at, vector)
    return gradient


def _same(found: Tensor, wanted: Tensor, tolerance: float, law: str) -> None:
    assert found.shape == wanted.shape, f"{law}: shapes {found.shape} and {wanted.shape}"
    assert found.is_complex() == wanted.is_complex(), f"{law}: {found.dtype} and {wanted.dtype}"
    wide = torch.complex128 if found.is_complex() else torch.float64
    size = max(float(wanted.abs().max()), 1e-12) if wanted.numel() else 1.0
    error = float((found.to(wide) - wanted.to(wide)).abs().max()) / size if wanted.numel() else 0.0
    assert error <= tolerance, f"{law}: relative error {error:.2e}"


def check_operator(
    operator: LinearOperator,
    *,
    generator: torch.Generator,
    batch: int = 2,
    tolerance: float = 1e-10,
    single_tolerance: float = 1e-4,
) -> None:
    """Raise AssertionError naming the first law that ``operator`` breaks.

    Checked in double precision: shapes and types; linearity; ``<A x, y> = <x, A^H y>`` case by
    case; the vector-Jacobian product of ``forward`` is ``adjoint`` and the other way round;
    ``gram`` and ``H``; a case does not see its batch (``take``, ``collate``). Then that single
    precision stays single and agrees to ``single_tolerance``, and that wrong shapes raise
    InputError. Give operators of odd and of even sizes. ``batch`` is used where the operator takes
    any.
    """
    domain, codomain = operator.domain, operator.codomain
    batch = domain.batch or codomain.batch or batch
    x, x2 = _draw(domain, batch, generator), _draw(domain, batch, generator)
    y, y2 = _draw(codomain, batch, generator), _draw(codomain, batch, generator)

    forward, adjoint = operator.forward(x), operator.adjoint(y)
    assert forward.shape == y.shape, f"codomain is {codomain}, forward gave {tuple(forward.shape)}"
    assert adjoint.shape == x.shape, f"domain is {domain}, adjoint gave {tuple(adjoint.shape)}"
    assert forward.dtype == y.dtype, f"forward gave {forward.dtype} for double precision"
    assert adjoint.dtype == x.dtype, f"adjoint gave {adjoint.dtype} for double precision"

    a, b = (complex(0.7, -1.3), complex(-0.4, 0.9)) if domain.is_complex else (0.7, -1.3)
    if domain.is_complex == codomain.is_complex:
        _same(
            operator.forward(a * x + b * x2),
            a * forward + b * operator.forward(x2),
            tolerance,
            "linearity of forward",
        )
        _same(
            operator.adjoint(a * y + b * y2),
            a * adjoint + b * operator.adjoint(y2),
            tolerance,
            "linearity of adjoint",
        )
    else:
        _same(
            operator.forward(0.7 * x - 1.3 * x2),
            0.7 * forward - 1.3 * operator.forward(x2),
            tolerance,
            "linearity of forward",
        )
        _same(
            operator.adjoint(0.7 * y - 1.3 * y2),
            0.7 * adjoint - 1.3 * operator.adjoint(y2),
            tolerance,
            "linearity of adjoint",
        )

    left, right = _inner(forward, y), _inner(x, adjoint)
    size = float((forward.flatten(1).norm(dim=1) * y.flatten(1).norm(dim=1)).max()) + 1e-12
    error = float((left - right).abs().max()) / size
    assert error <= tolerance, f"adjoint: <A x, y> and <x, A^H y> differ by {error:.2e}"

    gradient = _vector_jacobian(operator.forward, x, y)
    _same(gradient, adjoint, tolerance, "the gradient of forward is the adjoint")
    gradient = _vector_jacobian(operator.adjoint, y, x)
    _same(gradient, forward, tolerance, "the gradient of adjoint is forward")

    _same(operator.gram.forward(x), operator.adjoint(forward), tolerance, "gram is A^H A")
    _same(operator.H.forward(y), adjoint, tolerance, "H is the adjoint")
    _same(operator.H.adjoint(x), forward, tolerance, "the adjoint of H is forward")

    for case in range(batch):
        alone = operator.take([case])
        _same(
            alone.forward(x[case : case + 1]),
            forward[case : case + 1],
            tolerance,
            f"case {case} alone, forward",
        )
        _same(
            alone.adjoint(y[case : case + 1]),
            adjoint[case : case + 1],
            tolerance,
            f"case {case} alone, adjoint",
        )
    order = torch.arange(batch).flip(0).repeat(2)
    _same(operator.take(order).forward(x[order]), forward[order], tolerance, "take in other order")
    joined = collate([operator.take([case]) for case in range(batch)])
    _same(joined.forward(x), forward, tolerance, "collate puts together what take took apart")

    single_x = x.to(torch.complex64 if domain.is_complex else torch.float32)
    single = operator.forward(single_x)
    precision = single.real.dtype if single.is_complex() else single.dtype
    assert precision == torch.float32, f"forward gave {single.dtype} for single precision"
    _same(single, forward, single_tolerance, "single precision agrees with double")

    for wrong, call in ((x[..., :-1], operator.forward), (y[..., :-1], operator.adjoint)):
        try:
            call(wrong)
        except InputError:
            continue
        raise AssertionError(f"a wrong shape {tuple(wrong.shape)} raised no InputError")
