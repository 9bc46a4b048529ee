"""Parallel-beam geometry as sparse matrices: line sums and filtered back-projection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating[Any]]

#: Pixels are projected as so many points along each axis, which keeps line sums smooth.
POINTS = 2


@dataclass(frozen=True)
class ParallelBeam:
    """Views over half a turn of an image of ``space`` pixels, detector bins one pixel wide.

    Angle k of n is ``pi k / n``; the detector's coordinate is ``row sin + column cos`` about the
    image's middle. There are as many bins as the diagonal needs, an odd number.
    """

    space: tuple[int, int]
    angles: int

    @property
    def bins(self) -> int:
        """Detector bins."""
        return int(np.ceil(np.hypot(*self.space))) // 2 * 2 + 3

    def line_sums(self, images: Array) -> Array:
        """``(n, row, column)`` to sums along rays ``(n, angle, bin)``, in pixels."""
        sums = _projector(self.space, self.angles, self.bins) @ images.reshape(len(images), -1).T
        found: Array = sums.T.reshape(-1, self.angles, self.bins)
        return found

    def filtered_back_projection(self, sinograms: Array) -> Array:
        """``(n, angle, bin)`` to images per pixel, by the ramp filter without a window.

        The band-limited ramp is taken in space, linear interpolation between bins: Kak and Slaney,
        Principles of Computerized Tomographic Imaging, 1988, equations 3.61 and 3.68.
        """
        size = 1 << (2 * self.bins - 1).bit_length()
        spectrum = np.fft.rfft(sinograms, n=size, axis=-1) * np.fft.rfft(_ramp(size))
        filtered = np.fft.irfft(spectrum, n=size, axis=-1)[..., : self.bins]
        flat = filtered.reshape(len(sinograms), -1).astype(sinograms.dtype)
        images = _back_projector(self.space, self.angles, self.bins) @ flat.T
        found: Array = (np.pi / self.angles) * images.T.reshape(-1, *self.space)
        return found


def _ramp(size: int) -> NDArray[np.float64]:
    """The ramp filter's impulse response at whole bins, wrapped around."""
    place = np.fft.fftfreq(size, 1 / size)
    odd = place % 2 == 1
    response = np.zeros(size)
    response[odd] = -1 / (np.pi * place[odd]) ** 2
    response[0] = 0.25
    return response


def _weights(space: tuple[int, int], angles: int, bins: int, points: int) -> Any:
    """Sparse (angle x bin, pixel): each point of a pixel falls linearly on two bins."""
    from scipy.sparse import csr_array

    offsets = (np.arange(points) + 0.5) / points - 0.5
    rows, columns = (np.arange(n) - (n - 1) / 2 for n in space)
    row, column = (grid.ravel() for grid in np.meshgrid(rows, columns, indexing="ij"))
    pixel = np.arange(row.size)
    turn = np.pi * np.arange(angles) / angles
    total: Any = csr_array((angles * bins, row.size), dtype=np.float32)
    for down in offsets:
        for across in offsets:
            place = np.outer(np.sin(turn), row + down) + np.outer(np.cos(turn), column + across)
            place += (bins - 1) / 2
            first = np.floor(place).astype(np.int64)
            part = place - first
            ray = first + bins * np.arange(angles)[:, None]
            where = np.broadcast_to(pixel, ray.shape).ravel()
            values = np.concatenate([(1 - part).ravel(), part.ravel()]) / points**2
            places = np.concatenate([ray.ravel(), ray.ravel() + 1])
            shape = (angles * bins, row.size)
            indices = (places, np.concatenate([where, where]))
            total = total + csr_array((values.astype(np.float32), indices), shape=shape)
    return total


@lru_cache(maxsize=4)
def _projector(space: tuple[int, int], angles: int, bins: int) -> Any:
    return _weights(space, angles, bins, POINTS)


@lru_cache(maxsize=4)
def _back_projector(space: tuple[int, int], angles: int, bins: int) -> Any:
    return _weights(space, angles, bins, 1).T.tocsr()
