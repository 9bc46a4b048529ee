"""The nearest case of another set, for every case of one, in constant memory."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.pairs import row_blocks


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Of each case of one set the nearest of another.

    Parameters
    ----------
    index:
        ``(n,)`` int64: which it is.
    distance:
        ``(n,)`` float64: the Euclidean distance to it, or a part of it (``relative_to``).
    """

    index: Tensor
    distance: Tensor


def nearest(
    cases: Tensor, others: Tensor, *, relative_to: int = 0, within: bool = False
) -> Neighbours:
    """The nearest of ``others`` ``(m, feature)`` to each of ``cases`` ``(n, feature)``.

    Parameters
    ----------
    relative_to:
        0 for plain distances; k to divide each by the mean distance to the k nearest, after
        Carlini et al. 2023, arXiv:2301.13188: simple images are near everything, and only a copy is
        much nearer to one image than to the next k.
    within:
        Whether both sets are the same one: a case is then not its own neighbour.
    """
    k = max(1, relative_to)
    if relative_to < 0:
        raise InputError("relative_to of at least 0", came=relative_to)
    cases, others = checked_sets(cases, others, least=1)
    if len(others) < k + within:
        raise InputError(f"at least {k + within} cases to be near to", came=len(others))
    # the distances of a shifted set are the same, and lose fewer digits near zero
    centre = others.mean(0)
    moved = others - centre
    square = moved.square().sum(1)
    indices, distances = [], []
    for block in row_blocks(len(cases), len(others)):
        few = cases[block]
        # up to the case's own square, which changes no order
        table = square - 2 * (few - centre) @ moved.T
        if within:
            rows = torch.arange(len(few))
            table[rows, block.start + rows] = torch.inf
        if k == 1:  # several times as quick as the search for k
            found = table.argmin(dim=1, keepdim=True)
        else:
            found = table.topk(k, dim=1, largest=False).indices
        # measured again from the cases themselves, so that a copy is at distance exactly 0
        exact = torch.stack([(few - others[found[:, place]]).norm(dim=1) for place in range(k)], 1)
        exact, order = exact.sort(dim=1, stable=True)
        indices.append(found.gather(1, order)[:, 0])
        if relative_to:
            mean = exact.mean(1)
            distances.append(torch.where(mean > 0, exact[:, 0] / mean, 0.0))
        else:
            distances.append(exact[:, 0])
    return Neighbours(torch.cat(indices), torch.cat(distances))
