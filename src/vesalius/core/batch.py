"""What a task hands to a method: images in model units, what was measured, and who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol

import torch
from torch import Tensor


class MeasurementOperator(Protocol):
    """What a batch may carry of physics: a batched linear operator (see ``vesalius.physics``)."""

    def forward(self, x: Tensor) -> Tensor:
        """Image to measurement."""
        ...

    def adjoint(self, y: Tensor) -> Tensor:
        """Measurement to image."""
        ...

    def to(self, device: torch.device | str) -> MeasurementOperator:
        """Move to another device."""
        ...


@dataclass(frozen=True)
class Shape:
    """What a task asks of a system: channels given and wanted, and axes of space (2 or 3).

    ``tokens`` is the number of kinds of tokens that its texts are made of, zero without texts.
    ``categories`` has an entry for every covariate that it tells: how many categories it has, zero
    for a number.
    """

    given: int
    wanted: int
    dims: int
    tokens: int = 0
    categories: tuple[int, ...] = ()

    @property
    def conditional(self) -> bool:
        """Whether anything is given or told."""
        return bool(self.given or self.tokens or self.categories)


@dataclass(frozen=True, eq=False)
class Batch:
    """A batch of cases.

    Parameters
    ----------
    wanted:
        ``(batch, channel, *space)`` in model units, about [-1, 1]; None where nobody knows it.
    given:
        ``(batch, channel, *space)`` in model units; None for unconditional synthesis.
    mask:
        ``(batch, 1, *space)`` bool, where images are judged; None means everywhere.
    measurement, operator:
        What the scanner measured, and the linear operator that made it from ``wanted``.
    extras:
        Further tensors by name, first axis batch (labels, time points). ``tokens`` (batch, place)
        are those of ``texts``, int64 with zeros after a text's end; ``covariates`` (batch,
        covariate) are standardised numbers and categories from zero on, NaN where missing.
    texts:
        One text a case, or none at all.
    cases:
        One identifier a case, safe to print.
    records:
        The degradation's record of each case: plain JSON from which it can be made again.
    """

    wanted: Tensor | None
    given: Tensor | None = None
    mask: Tensor | None = None
    measurement: Tensor | None = None
    operator: MeasurementOperator | None = None
    extras: Mapping[str, Tensor] = field(default_factory=dict)
    texts: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    records: tuple[Mapping[str, Any], ...] = ()

    @property
    def size(self) -> int:
        """Number of cases."""
        for tensor in (self.wanted, self.given, self.measurement):
            if tensor is not None:
                return int(tensor.shape[0])
        return len(self.cases)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        moved: dict[str, Any] = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, Tensor) or item.name == "operator":
                moved[item.name] = value.to(device) if value is not None else None
        moved["extras"] = {name: value.to(device) for name, value in self.extras.items()}
        return replace(self, **moved)
