"""Latents of any size to latents of unit size, and back."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, distributed, nn

from vesalius.core.errors import InputError


class LatentScale(nn.Module):
    """Subtracts each channel's mean and divides by its standard deviation, as the data have them.

    Both are those of the first batches that :meth:`observe` is shown: afterwards they stand still,
    so that what is learnt of scaled latents stays true. Until then nothing is changed. Where
    ``torch.distributed`` is initialised, all processes keep the numbers of all. The state is in
    buffers: there is nothing for an optimiser.

    Parameters
    ----------
    channels_in, channels_out:
        Channels of the latents, which stay as they are.
    dims:
        Axes of space.
    n_batches:
        Batches that are counted.

    Reference: Rombach et al., High-resolution image synthesis with latent diffusion models, CVPR
    2022, arXiv:2112.10752, appendix G (there one number for all channels, of one batch, and no
    mean).

    >>> scale = LatentScale(channels_in=2, channels_out=2)
    >>> latents = 3 + 5 * torch.randn(4, 2, 8, 8)
    >>> scale.observe(latents)
    >>> scaled = scale(latents)
    >>> bool(scaled.mean().abs() < 1e-5), torch.allclose(scale.invert(scaled), latents, atol=1e-4)
    (True, True)
    """

    seen: Tensor
    count: Tensor
    sums: Tensor
    squares: Tensor

    def __init__(
        self, *, channels_in: int, channels_out: int, dims: Literal[2, 3] = 2, n_batches: int = 16
    ) -> None:
        if channels_in < 1 or channels_out != channels_in:
            raise InputError(
                "as many channels out as in, one or more",
                came=f"{channels_in} in and {channels_out} out",
                case="LatentScale",
            )
        if n_batches < 1:
            raise InputError("one batch or more", came=n_batches, case="LatentScale")
        super().__init__()
        self.channels_in, self.channels_out, self.dims = channels_in, channels_out, dims
        self.n_batches = n_batches
        self.register_buffer("seen", torch.zeros((), dtype=torch.float64))
        self.register_buffer("count", torch.zeros((), dtype=torch.float64))
        self.register_buffer("sums", torch.zeros(channels_in, dtype=torch.float64))
        self.register_buffer("squares", torch.zeros(channels_in, dtype=torch.float64))

    @torch.no_grad()
    def observe(self, z: Tensor) -> None:
        """Count latents ``(batch, channel, *grid)``, where fewer than ``n_batches`` were seen."""
        rows = self._checked(z)
        if self.seen >= self.n_batches:
            return
        values = rows.transpose(0, 1).flatten(1).double()
        found = torch.stack([values.sum(1), values.square().sum(1)])
        count = torch.tensor(float(values.shape[1]), dtype=torch.float64, device=z.device)
        if distributed.is_available() and distributed.is_initialized():
            distributed.all_reduce(found)
            distributed.all_reduce(count)
        self.seen += 1
        self.count += count
        self.sums += found[0]
        self.squares += found[1]

    def moments(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation of every channel, (channel,); 0 and 1 before any is seen."""
        if self.count == 0:
            return torch.zeros_like(self.sums), torch.ones_like(self.sums)
        mean = self.sums / self.count
        variance = (self.squares / self.count - mean.square()).clamp_min(1e-12)
        return mean, variance.sqrt()

    def forward(self, z: Tensor) -> Tensor:
        """Latents ``(batch, channel, *grid)`` to scaled ones; InputError for other channels."""
        mean, deviation = self._shaped(self._checked(z))
        return (z - mean) / deviation

    def invert(self, z: Tensor) -> Tensor:
        """Scaled latents ``(batch, channel, *grid)`` to latents as they were."""
        mean, deviation = self._shaped(self._checked(z))
        return z * deviation + mean

    def _shaped(self, z: Tensor) -> tuple[Tensor, Tensor]:
        mean, deviation = self.moments()
        shape = (1, -1, *[1] * self.dims)
        return mean.to(z.dtype).view(shape), deviation.to(z.dtype).view(shape)

    def _checked(self, z: Tensor) -> Tensor:
        if z.ndim != self.dims + 2 or z.shape[1] != self.channels_in:
            raise InputError(
                f"latents (batch, {self.channels_in}, {self.dims} axes of space)",
                came=f"shape {tuple(z.shape)}",
                case="LatentScale",
            )
        return z
