"""A metric of an image in which a known lesion was to be taken away."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.metric import Metric


class LesionMetric(Metric):
    """A metric of a restored image against the diseased one, told where the lesion is.

    No metric of an image against its reference: an image against itself is a failure, since the
    lesion stayed.
    """

    @abstractmethod
    def statistic(
        self, restored: Tensor, diseased: Tensor, lesion: Tensor, mask: Tensor | None = None
    ) -> Tensor:
        """One value a case.

        ``restored`` and ``diseased``: ``(batch, channel, *space)``, 2D or 3D, in physical units.
        ``lesion``: ``(batch, 1, *space)`` bool. ``mask``: the same, of the tissue that counts,
        healthy or not, or None for everywhere. Returns ``(batch,)``, float64; NaN where it is not
        defined. Raises InputError for shapes that differ.
        """


def healthy_and_lesion(
    diseased: Tensor, lesion: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The masks of healthy tissue and of the lesion, ``(batch, 1, *space)`` bool."""
    wanted = (diseased.shape[0], 1, *diseased.shape[2:])
    for given, name in ((lesion, "lesion"), (mask, "mask")):
        if given is not None and (tuple(given.shape) != wanted or given.dtype is not torch.bool):
            raise InputError(
                f"a '{name}' of shape {wanted} and type bool",
                came=f"shape {tuple(given.shape)} and {given.dtype}",
                remedy=f"pass {name} > 0",
            )
    if mask is None:
        return ~lesion, lesion
    return mask & ~lesion, mask & lesion
