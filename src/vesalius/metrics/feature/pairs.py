"""All pairs of two sets, some rows at a time: memory grows with the cases, not with their pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from torch import Tensor

#: Pairs that are looked at in one go.
PAIRS_AT_ONCE = 2**22

#: From ``(n, feature)`` and ``(m, feature)`` to ``(n, m)``.
Kernel = Callable[[Tensor, Tensor], Tensor]


def row_blocks(rows: int, columns: int) -> Iterator[slice]:
    """Slices of ``rows``, each of at most PAIRS_AT_ONCE pairs with all ``columns``."""
    at_once = max(1, PAIRS_AT_ONCE // max(1, columns))
    for start in range(0, rows, at_once):
        yield slice(start, min(rows, start + at_once))


def mean_over_pairs(kernel: Kernel, a: Tensor, b: Tensor, *, within: bool = False) -> float:
    """Mean of ``kernel`` over pairs of a case of ``a`` with one of ``b``.

    ``within``: both are the same set, and a case makes no pair with itself.
    """
    total = a.new_zeros(())
    for rows in row_blocks(len(a), len(b)):
        table = kernel(a[rows], b)
        total += table.sum()
        if within:
            total -= table.diagonal(offset=rows.start).sum()
    return float(total / (len(a) * (len(b) - within)))
