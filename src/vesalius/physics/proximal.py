"""Data consistency: the nearest image that also explains the measurement."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.conjugate_gradient import conjugate_gradient, per_case
from vesalius.physics.operator import LinearOperator


def proximal(
    x: Tensor,
    y: Tensor,
    operator: LinearOperator,
    strength: float | Tensor,
    *,
    iterations: int = 10,
) -> Tensor:
    """``argmin_z strength |A z - y|^2 + |z - x|^2`` by conjugate gradients from ``x``.

    Differentiable with respect to ``x``, ``y`` and ``strength``. This is the general form of data
    consistency; :func:`vesalius.physics.mri.replace_measured.replace_measured` is its limit for a
    single coil. Reference: Aggarwal et al., MoDL, IEEE TMI 38, 394 (2019).

    Parameters
    ----------
    x:
        An image of the operator's domain, ``(batch, channel, *space)``.
    y:
        The measurement, of its codomain.
    strength:
        Zero or more, one number or one a case ``(batch,)``: zero returns ``x``; towards infinity
        the result explains ``y`` as well as it can, and keeps of ``x`` what ``y`` does not see.
    iterations:
        The condition number is ``1 + strength |A|^2``, so stronger needs more of them.
    """
    weight = torch.as_tensor(strength, dtype=x.real.dtype, device=x.device)
    if weight.ndim > 1 or (weight.ndim == 1 and weight.shape[0] != x.shape[0]):
        raise InputError(
            f"one strength, or one for each of {x.shape[0]} cases",
            came=f"shape {tuple(weight.shape)}",
        )
    if bool((weight.detach() < 0).any()):
        raise InputError("a strength of zero or more", came=str(weight.detach().tolist()))
    weight = per_case(weight.expand(x.shape[0]), x)
    gram = operator.gram

    def apply(z: Tensor) -> Tensor:
        return z + weight * gram.forward(z)

    right_side = x + weight * operator.adjoint(y)
    return conjugate_gradient(apply, right_side, start=x, iterations=iterations)
