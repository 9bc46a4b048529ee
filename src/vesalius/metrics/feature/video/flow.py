"""Displacement between two frames: what an estimator gives, and images seen through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError


class Flow(ABC):
    """An estimator of dense displacement; its name is part of every number made with it."""

    citation: ClassVar[str]

    @property
    @abstractmethod
    def name(self) -> str:
        """In snake_case."""

    @abstractmethod
    def displacement(self, before: Tensor, after: Tensor) -> Tensor:
        """Where each voxel of ``before`` went: voxel x of it is at ``x + u(x)`` in ``after``.

        ``(n, *space)`` each, 2D or 3D, to ``(n, axis, *space)`` in voxels, axes in the order of
        space.
        """

    def of_sequence(self, frames: Tensor) -> Tensor:
        """``(time, *space)`` to the displacements of its steps, ``(time - 1, axis, *space)``."""
        return self.displacement(frames[:-1], frames[1:])


def checked_pair(before: Tensor, after: Tensor, least_size: int = 2) -> None:
    """Raise InputError unless both are ``(n, *space)``, 2D or 3D, alike and large enough."""
    if before.shape != after.shape or before.ndim not in (3, 4):
        raise InputError(
            "two stacks of frames (n, *space) of one shape",
            came=f"{tuple(before.shape)} and {tuple(after.shape)}",
        )
    if min(before.shape[1:]) < least_size:
        raise InputError(
            f"frames of at least {least_size} voxels along every axis",
            came=f"{tuple(before.shape[1:])}",
        )


def sampled(values: Tensor, places: Tensor) -> Tensor:
    """Linear interpolation of ``(n, channel, *space)`` at ``(n, *points, axis)``, in voxels.

    Returns ``(n, channel, *points)``; places outside take the value at the border.
    """
    space = values.shape[2:]
    size = places.new_tensor([max(1, length - 1) for length in space])
    # grid_sample counts the last axis of space first, from -1 to 1
    grid = (2 * places / size - 1).flip(-1)
    points = grid.shape[1:-1]
    flat = grid.reshape(len(values), *[1] * (len(space) - 1), -1, len(space))
    found = functional.grid_sample(values, flat, padding_mode="border", align_corners=True)
    return found.reshape(*values.shape[:2], *points)


def voxel_places(space: tuple[int, ...], like: Tensor) -> Tensor:
    """The index of every voxel, ``(*space, axis)``."""
    axes = [torch.arange(length, dtype=like.dtype, device=like.device) for length in space]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def warped(images: Tensor, displacement: Tensor) -> Tensor:
    """``(n, *space)`` looked up at ``x + u(x)``: the later frame brought onto the earlier one."""
    places = voxel_places(tuple(images.shape[1:]), images) + displacement.movedim(1, -1)
    return sampled(images[:, None], places)[:, 0]
