"""What is known of a person as a vector: numbers, categories, and that something is missing."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError


class CovariateEncoder(nn.Module):
    """A learnt vector for each category, one times the value for each number, one where missing.

    They are added up (a number also has a learnt origin), and two linear layers follow.

    Parameters
    ----------
    channels_in:
        Covariates of a case.
    channels_out:
        Features.
    categories:
        For every covariate how many categories it has; zero for a number, which should be
        standardised. By default all are numbers.
    width:
        Features of the sum.

    Reference: Gorishniy et al., Revisiting deep learning models for tabular data, NeurIPS 2021,
    arXiv:2106.11959 (its feature tokenizer).

    >>> encoder = CovariateEncoder(channels_in=2, channels_out=8, categories=(0, 3))
    >>> encoder(torch.tensor([[-0.3, 2.0], [float("nan"), 0.0]])).shape
    torch.Size([2, 8])
    """

    condition_channels: ClassVar[int] = 0
    takes_level: ClassVar[bool] = False

    kinds: Tensor
    first: Tensor

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int = 64,
        categories: tuple[int, ...] = (),
        width: int = 64,
    ) -> None:
        categories = tuple(categories) or (0,) * channels_in
        if len(categories) != channels_in or channels_in < 1 or min(categories) < 0:
            raise InputError(
                f"categories of each of {channels_in} covariates, one or more of them",
                came=categories,
                case="CovariateEncoder",
            )
        super().__init__()
        self.channels_in, self.channels_out = channels_in, channels_out
        self.categories = categories
        # rows: of a category its vectors, of a number its origin; then what missing says
        sizes = [0, *(max(1, n) for n in categories)]
        starts = [sum(sizes[: place + 1]) for place in range(len(sizes))]
        self.register_buffer("kinds", torch.tensor(categories), persistent=False)
        self.register_buffer("first", torch.tensor(starts[:-1]), persistent=False)
        self.values = nn.Embedding(starts[-1], width)
        self.missing = nn.Parameter(torch.randn(channels_in, width))
        numbers = sum(n == 0 for n in categories)
        self.slopes = nn.Parameter(torch.randn(numbers, width)) if numbers else None
        self.norm = nn.LayerNorm(width)
        self.hidden, self.last = nn.Linear(width, width), nn.Linear(width, channels_out)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Numbers and numbers of categories (batch, covariate), NaN where missing, to features.

        (batch, channels_out). Raises InputError for a wrong width, an infinite number or an unknown
        category, and for a level or a condition, which it does not take.
        """
        if level is not None or condition is not None:
            raise InputError("no level and no condition", came="one", case="CovariateEncoder")
        self._check(x)
        absent = x.isnan()
        known = x.nan_to_num(0.0)
        category = torch.where(self.kinds > 0, known, 0).long() + self.first
        said = self.values(category)
        if self.slopes is not None:
            slopes = torch.zeros_like(self.missing).index_put(
                ((self.kinds == 0).nonzero().flatten(),), self.slopes
            )
            said = said + known[:, :, None] * slopes
        summed = torch.where(absent[:, :, None], self.missing, said).sum(dim=1)
        features: Tensor = self.last(functional.silu(self.hidden(self.norm(summed))))
        return features

    def _check(self, x: Tensor) -> None:
        name = "CovariateEncoder"
        if x.ndim != 2 or x.shape[1] != self.channels_in or not x.is_floating_point():
            raise InputError(
                f"floating-point covariates (batch, {self.channels_in})",
                came=f"{x.dtype} of shape {tuple(x.shape)}",
                case=name,
            )
        if bool(x.isinf().any()):
            raise InputError("finite covariates, NaN where missing", came="an infinite", case=name)
        for place, n in enumerate(self.categories):
            column = x[:, place]
            column = column[~column.isnan()]
            wrong = (column != column.round()) | (column < 0) | (column >= n)
            if n and bool(wrong.any()):
                raise InputError(
                    f"a category from 0 to {n - 1} of covariate {place}",
                    came=f"{float(column[wrong][0]):g}",
                    case=name,
                )
