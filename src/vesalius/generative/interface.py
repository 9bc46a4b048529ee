"""What a network takes and returns, as its constructor is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Interface:
    """What a network takes and returns; passed to its constructor where that takes such things.

    A displacement field has ``channels_out`` channels for every axis of space: ``per_axis``. A
    network of tokens takes ``channels_in`` kinds of them; one of covariates is told how many
    ``categories`` each has, zero for a number.
    """

    channels_in: int
    channels_out: int
    condition_channels: int = 0
    takes_level: bool = False
    per_axis: bool = False
    categories: tuple[int, ...] = ()
