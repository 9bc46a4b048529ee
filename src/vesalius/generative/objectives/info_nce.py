"""What telling partners from strangers costs, from a table of how alike all pairs are."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import log_softmax, logsigmoid


def info_nce(logits: Tensor, *, symmetric: bool = True) -> Tensor:
    """Cross-entropy of finding every row's partner in its column, in nats.

    ``logits`` are (..., n, n) with partners on the diagonal. With ``symmetric``, the mean of that
    and of finding every column's partner in its row (Radford et al. 2021, CLIP); without, rows
    alone (van den Oord et al. 2018). log n minus it is at most the mutual information of partners.
    """
    found = _diagonal(log_softmax(logits, dim=-1)).mean()
    if symmetric:
        found = (found + _diagonal(log_softmax(logits, dim=-2)).mean()) / 2
    return -found


def sigmoid_pairs(logits: Tensor) -> Tensor:
    """Binary cross-entropy of every pair, partners or strangers, summed over rows; in nats.

    ``logits`` are (..., n, n) with partners on the diagonal (Zhai et al. 2023, SigLIP, equation 1).
    """
    partner = torch.eye(logits.shape[-1], dtype=logits.dtype, device=logits.device)
    return -logsigmoid((2 * partner - 1) * logits).sum(dim=-1).mean()


def information(loss: Tensor | float, n: int) -> float:
    """The lower bound in nats that an InfoNCE ``loss`` among ``n`` gives of mutual information."""
    return math.log(n) - float(loss)


def _diagonal(table: Tensor) -> Tensor:
    return table.diagonal(dim1=-2, dim2=-1)
