"""A metric of one image against its reference that looks at several named structures."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

from vesalius.core.errors import InputError, UnknownName
from vesalius.metrics.metric import Metric


class StructuresMetric(Metric):
    """A metric of one image for which one mask does not suffice: it asks for structures by name."""

    @abstractmethod
    def statistic(
        self,
        predicted: Tensor,
        reference: Tensor,
        structures: Mapping[str, Tensor],
        *,
        spacing_mm: tuple[float, ...],
    ) -> Tensor:
        """One value a case.

        ``predicted`` and ``reference``: ``(batch, 1, *space)`` in physical units.
        ``structures``: where each is, ``(batch, 1, *space)`` bool, all False in a case that does
        not have it; they may overlap. ``spacing_mm``: voxel size of every case of the batch.
        Returns ``(batch,)``, float64; NaN where it is not defined. Raises InputError for shapes
        that differ and for a structure that the metric needs and was not given.
        """


def structure_of(structures: Mapping[str, Tensor], name: str, reference: Tensor) -> Tensor:
    """Where the structure ``name`` is; raises InputError for none and for a mask that is wrong."""
    if name not in structures:
        raise UnknownName("structure", name, structures)
    found = structures[name]
    if found.shape != reference.shape or found.dtype is not torch.bool:
        raise InputError(
            f"a bool mask of shape {tuple(reference.shape)}",
            came=f"{found.dtype} of shape {tuple(found.shape)}",
            case=f"structure '{name}'",
        )
    return found
