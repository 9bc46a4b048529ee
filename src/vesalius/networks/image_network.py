"""What every network shares: the check of what comes in, and an image out that is as large."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.networks.padding import crop, pad


def convolution(dims: Literal[2, 3]) -> type[nn.Conv2d] | type[nn.Conv3d]:
    """Give the convolution class of 2 or 3 axes of space."""
    return nn.Conv2d if dims == 2 else nn.Conv3d


def instance_norm(channels: int, dims: Literal[2, 3]) -> nn.InstanceNorm2d | nn.InstanceNorm3d:
    """Instance normalisation of 2 or 3 axes of space, without weights."""
    return nn.InstanceNorm2d(channels) if dims == 2 else nn.InstanceNorm3d(channels)


def join(x: Tensor, condition: Tensor | None) -> Tensor:
    """``x`` and what is known of it, channel after channel."""
    return x if condition is None else torch.cat([x, condition], dim=1)


def average_over_space(condition: Tensor) -> Tensor:
    """``(batch, channel, *any space)``, or none, to (batch, channel)."""
    return condition if condition.ndim == 2 else condition.flatten(2).mean(2)


class Described(Protocol):
    """What a network says of what it takes."""

    channels_in: int
    dims: Literal[2, 3]
    condition_channels: int
    takes_level: bool


def check_input(
    network: Described, x: Tensor, level: Tensor | None, condition: Tensor | None
) -> None:
    """Raise InputError, naming ``network``, where a tensor does not fit what it takes.

    Expected are ``x`` ``(batch, channels_in, *space)`` with ``dims`` axes of space, ``level``
    ``(batch,)`` exactly where the network takes one, and ``condition``
    ``(batch, condition_channels, *space)`` exactly where ``condition_channels`` is not zero.
    """
    check_image(network, x)
    check_level(network, x.shape[0], level)
    _check_given(network, condition)
    expected = (x.shape[0], network.condition_channels, *x.shape[2:])
    if condition is not None and condition.shape != expected:
        raise InputError(
            f"a condition of shape {expected}",
            came=f"{tuple(condition.shape)}",
            case=type(network).__name__,
        )


def check_image(network: Described, x: Tensor) -> None:
    """:func:`check_input` for the image alone."""
    if x.ndim != network.dims + 2 or x.shape[1] != network.channels_in:
        raise InputError(
            f"an image (batch, {network.channels_in}, {network.dims} axes of space)",
            came=f"shape {tuple(x.shape)}",
            case=type(network).__name__,
        )


def check_level(network: Described, batch: int, level: Tensor | None) -> None:
    """:func:`check_input` for the level of ``batch`` cases alone."""
    name = type(network).__name__
    if network.takes_level and level is None:
        raise InputError("one level a case", came="none", case=name, remedy="pass level=")
    if not network.takes_level and level is not None:
        raise InputError(
            "no level",
            came=f"one of shape {tuple(level.shape)}",
            case=name,
            remedy="use a network built with takes_level=True",
        )
    if level is not None and level.shape != (batch,):
        raise InputError(
            f"one level a case, shape ({batch},)", came=f"{tuple(level.shape)}", case=name
        )


def check_pooled_condition(network: Described, batch: int, condition: Tensor | None) -> None:
    """:func:`check_input` for a condition that is averaged over a space of any size, or of none."""
    _check_given(network, condition)
    expected = (batch, network.condition_channels)
    if condition is not None and condition.shape[:2] != expected:
        raise InputError(
            f"a condition of shape {expected} or {(*expected, '*space')}",
            came=f"{tuple(condition.shape)}",
            case=type(network).__name__,
        )


def _check_given(network: Described, condition: Tensor | None) -> None:
    """A condition comes exactly where one is taken."""
    name = type(network).__name__
    if network.condition_channels and condition is None:
        raise InputError(
            f"a condition of {network.condition_channels} channels",
            came="none",
            case=name,
            remedy="pass condition=",
        )
    if condition is not None and not network.condition_channels:
        raise InputError(
            "no condition",
            came=f"one of shape {tuple(condition.shape)}",
            case=name,
            remedy="use a network built with condition_channels",
        )


class ImageNetwork(nn.Module, ABC):
    """A network from an image to an image of the same size.

    Whatever the size of an image, it is mirrored at its borders up to a size that the network can
    halve as often as it does, and what comes out is cropped back: nothing is ever resized.

    Parameters
    ----------
    channels_in, channels_out:
        Channels of the image that comes in and of the one that goes out.
    dims:
        Axes of space.
    condition_channels:
        Channels of the image on which it is conditioned; zero for none.
    takes_level:
        Whether it is conditioned on one real number a case (a noise level, a time).
    multiple, minimum:
        The padded size of every axis is a multiple of the one and at least the other.
    """

    def __init__(
        self,
        *,
        channels_in: int,
        channels_out: int,
        dims: Literal[2, 3],
        condition_channels: int = 0,
        takes_level: bool = False,
        multiple: int = 1,
        minimum: int = 1,
    ) -> None:
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.condition_channels, self.takes_level = condition_channels, takes_level
        self.multiple, self.minimum = multiple, minimum

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        """Image to image.

        Parameters
        ----------
        x:
            ``(batch, channels_in, *space)``.
        level:
            (batch,), any real numbers; exactly where the network takes a level.
        condition:
            ``(batch, condition_channels, *space)``; exactly where the network takes a condition.

        Returns
        -------
        ``(batch, channels_out, *space)``

        Raises
        ------
        InputError
            For anything that does not fit the constructor's arguments.
        """
        check_input(self, x, level, condition)
        space = tuple(x.shape[2:])
        x = pad(x, self.multiple, self.minimum)
        if condition is not None:
            condition = pad(condition, self.multiple, self.minimum)
        return crop(self.transform(x, level, condition), space)

    @abstractmethod
    def transform(self, x: Tensor, level: Tensor | None, condition: Tensor | None) -> Tensor:
        """:meth:`forward` for tensors that are checked and padded already."""
