"""What generators share that make one image of one vector."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from vesalius.core.errors import InputError


def extents(
    extent: int | tuple[int, ...], dims: Literal[2, 3], doublings: int, case: str
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Voxels along every axis of an image, and of the grid that is doubled so often to become it.

    Raises InputError where there is no such grid.

    >>> extents((80, 96, 112), 3, 4, "a generator")
    ((80, 96, 112), (5, 6, 7))
    """
    wanted = (extent,) * dims if isinstance(extent, int) else tuple(extent)
    part = 2**doublings
    if len(wanted) != dims or any(size < part or size % part for size in wanted):
        raise InputError(
            f"an extent of {dims} axes that can be halved {doublings} times",
            came=f"{extent}",
            case=case,
            remedy=f"change extent to a multiple of {part}, or give another number of multipliers",
        )
    return wanted, tuple(size // part for size in wanted)


def check_places(x: Tensor, dims: int, first: tuple[int, ...], case: str) -> None:
    """Raise InputError unless ``x`` is one vector a case: its axes of space have one place each.

    The first axis of space may have as many as ``first`` names.
    """
    space = tuple(x.shape[2:])
    if space[0] not in first or any(size != 1 for size in space[1:]):
        allowed = " or ".join(str((places, *[1] * (dims - 1))) for places in first)
        raise InputError(f"codes on a grid of {allowed}", came=f"{space}", case=case)
