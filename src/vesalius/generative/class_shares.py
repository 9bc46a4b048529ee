"""The class of every case, where classes are what is given."""

from __future__ import annotations

from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError


def class_shares(batch: Batch) -> Tensor:
    """Share of every class, (batch, class), from given channels that are the same everywhere.

    Raises InputError where what is given is no class.
    """
    if batch.given is None:
        raise InputError("a task that gives a class", came="nothing given")
    flat = batch.given.flatten(2)
    shares: Tensor = flat[..., 0]
    whole = (shares.sum(dim=1) - 1).abs() < 1e-4
    if not bool((flat == flat[..., :1]).all() & whole.all()):
        raise InputError(
            "a class: one channel each, one for the case's class and zero for the others",
            came=f"images of {batch.given.shape[1]} channels",
            remedy="choose a task that gives a class",
        )
    return shares
