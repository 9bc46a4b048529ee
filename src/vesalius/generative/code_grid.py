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


def extent_of(network: nn.Module) -> tuple[int, ...] | None:
    """Voxels along every axis of what a generator makes of one vector; None for one with a grid."""
    found = getattr(network, "extent", None)
    assert found is None or isinstance(found, tuple)
    return found


def places_of(network: nn.Module, space: tuple[int, ...]) -> tuple[int, ...]:
    """Places along every axis of the network's grid for an image of size ``space``.

    One for a generator of one vector, whose attribute ``extent`` says how large its images are.
    Raises InputError for a larger image, and for a network that has neither extent nor reduction.
    """
    extent = extent_of(network)
    if extent is None:
        return code_grid(space, reduction_of(network))
    if any(size > most for size, most in zip(space, extent, strict=True)):
        raise InputError(
            f"images of at most {extent} for a generator of that extent",
            came=f"{space}",
            case=type(network).__name__,
            remedy="set networks.generator.extent and that of the critic, and a multiplier more "
            "for every doubling",
        )
    return (1,) * len(space)


def cropped(image: Tensor, space: tuple[int, ...]) -> Tensor:
    """The middle of ``image`` (batch, channel, *space or larger): what was not padding."""
    for axis, size in enumerate(space, start=2):
        image = image.narrow(axis, (image.shape[axis] - size) // 2, size)
    return image


def given_at_places(batch: Batch, network: nn.Module) -> Batch:
    """``batch`` with the given images averaged over what one place of the network's grid sees.

    The whole image, for a generator of one vector; see :func:`given_on_grid` for the others.
    """
    if batch.given is None:
        return batch
    if extent_of(network) is None:
        return given_on_grid(batch, reduction_of(network))
    axes = tuple(range(2, batch.given.ndim))
    return replace(batch, given=batch.given.mean(axes, keepdim=True))


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
