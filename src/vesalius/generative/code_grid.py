"""The grid on which an image's code lies, for images of any size."""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError


def reduction_of(network: nn.Module) -> int:
    """Voxels along an axis that one place of the network's grid stands for.

    Raises InputError for a network that has no grid.
    """
    found = getattr(network, "reduction", None)
    if not isinstance(found, int):
        raise InputError(
            "a network between an image and a coarser grid, with an attribute 'reduction'",
            came=type(network).__name__,
            remedy="use Encoder or Decoder",
        )
    return found


def code_grid(space: tuple[int, ...], reduction: int) -> tuple[int, ...]:
    """Places along every axis of the grid of an image of size ``space``.

    >>> code_grid((28, 33), 8)
    (4, 5)
    """
    return tuple(-(-size // reduction) for size in space)


def cropped(image: Tensor, space: tuple[int, ...]) -> Tensor:
    """The middle of ``image`` (batch, channel, *space or larger): what was not padding."""
    for axis, size in enumerate(space, start=2):
        image = image.narrow(axis, (image.shape[axis] - size) // 2, size)
    return image


def given_on_grid(batch: Batch, reduction: int) -> Batch:
    """``batch`` with the given images averaged over what one place of the grid stands for.

    Where an axis is no multiple of ``reduction``, borders are repeated outwards, as much at
    either end as images are padded.
    """
    given = batch.given
    if given is None:
        return batch
    space = tuple(given.shape[2:])
    around: list[int] = []
    for size, places in zip(space, code_grid(space, reduction), strict=True):
        missing = places * reduction - size
        around = [missing // 2, missing - missing // 2, *around]  # torch counts axes from the last
    if any(around):
        given = functional.pad(given, around, mode="replicate")
    pool = functional.avg_pool2d if given.ndim == 4 else functional.avg_pool3d
    return replace(batch, given=pool(given, reduction))
