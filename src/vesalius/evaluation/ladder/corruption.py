"""What a rung of the ladder does to a set of images whose truth is known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.evaluation.ladder.cohort import Cohort


@dataclass(frozen=True, eq=False)
class Corrupted:
    """The corrupted images ``(n, 1, *space)``, and which of them were changed ``(n,)`` bool.

    ``planted``: bool of the images' shape, where something was put in; None where nothing was.
    """

    images: Tensor
    changed: Tensor
    planted: Tensor | None = None


class Corruption(ABC):
    """A known fault. Constructors store parameters; what is random comes from ``rng``.

    ``what`` says in one line what is done; ``severity_unit`` what a severity counts.
    ``needs`` names the parts of a :class:`Cohort` without which it cannot be done.
    """

    name: ClassVar[str]
    what: ClassVar[str]
    severity_unit: ClassVar[str]
    needs: ClassVar[tuple[str, ...]] = ()
    severities: tuple[float, ...]

    @abstractmethod
    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """The corrupted images of ``cohort``; its truth stays what it was.

        Raises InputError where the cohort lacks what this corruption ``needs``.
        """

    def check(self, cohort: Cohort) -> None:
        """Raise InputError unless the cohort has all that is needed."""
        for name in self.needs:
            if getattr(cohort, name) is None:
                raise InputError(
                    f"a cohort with '{name}'",
                    case=self.name,
                    remedy="give it, or leave this corruption out",
                )


def share_of_patients(
    cohort: Cohort, share: float, rng: np.random.Generator, bearing: Tensor | None = None
) -> NDArray[np.int64]:
    """Rows of a share of the patients, drawn without replacement: at least one where there is any.

    With ``bearing`` ``(n,)`` bool, of the patients with such an image, and these images of theirs.
    """
    if not 0 < share <= 1:
        raise InputError("a share above 0 and up to 1", came=share, case="severity")
    rows = cohort.by_patient()
    if bearing is not None:
        kept = bearing.numpy()
        rows = [own[kept[own]] for own in rows if kept[own].any()]
    if not rows:
        return np.empty(0, dtype=np.int64)
    count = min(len(rows), max(1, round(share * len(rows))))
    chosen = np.sort(rng.choice(len(rows), count, replace=False))
    return np.sort(np.concatenate([rows[k] for k in chosen]))


def replaced(images: Tensor, rows: NDArray[np.int64], others: Tensor) -> Corrupted:
    """``images`` with ``others`` in the places ``rows``."""
    at = torch.as_tensor(rows)
    found, changed = images.clone(), torch.zeros(len(images), dtype=torch.bool)
    found[at] = others.to(found)
    changed[at] = True
    return Corrupted(found, changed)


def everywhere(images: Tensor) -> Corrupted:
    """All images were changed."""
    return Corrupted(images, torch.ones(len(images), dtype=torch.bool))
