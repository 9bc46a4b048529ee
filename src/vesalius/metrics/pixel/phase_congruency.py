"""Phase congruency: where the waves of several lengths that make an image are in step.

Shapes: n images, s scales, H rows, W columns, F = W // 2 + 1 frequencies.
Reference: Kovesi, Videre 1(3), 1999, in the form and with the constants of Zhang et al. (FSIM).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

SCALES, ORIENTATIONS = 4, 4
SHORTEST_WAVE_VOXELS, WAVE_RATIO = 6, 2
BANDWIDTH = 0.55  # of a log-Gabor filter: sigma over the centre frequency
ANGULAR_SIGMA = math.pi / ORIENTATIONS / 1.2
CUT_OFF, SHARPNESS = 0.45, 15  # of the low-pass that takes the corners of the spectrum away
NOISE_DEVIATIONS, NOISE_CORRECTION = 2.0, 1.7
EPSILON = torch.finfo(torch.float64).eps
CHUNK_VOXELS = 32_768  # so that the responses of one orientation stay in the processor's cache


@dataclass(frozen=True)
class _Orientation:
    """One orientation's even and odd filters ``(s, H, F, 2)`` and its noise gain.

    A filter is real; it is there twice, for the real and the imaginary part of a spectrum.
    """

    even: Tensor
    odd: Tensor
    noise_gain: float


def _frequencies(size: int) -> Tensor:
    # an odd size is divided by size - 1, as the authors have it; published values depend on that
    half = size // 2
    steps = torch.arange(-half, size - half, dtype=torch.float64)
    found: Tensor = torch.fft.ifftshift(steps / (size - size % 2))
    return found


@lru_cache(maxsize=8)
def _bank(rows: int, columns: int) -> tuple[_Orientation, ...]:
    v, u = torch.meshgrid(_frequencies(rows), _frequencies(columns), indexing="ij")
    radius, angle = torch.hypot(u, v), torch.atan2(-v, u)
    low_pass = 1 / (1 + (radius / CUT_OFF) ** (2 * SHARPNESS))
    radius[0, 0] = 1.0
    radial = []
    for scale in range(SCALES):
        centre = 1 / (SHORTEST_WAVE_VOXELS * WAVE_RATIO**scale)
        ring = torch.exp(-((radius / centre).log() ** 2) / (2 * math.log(BANDWIDTH) ** 2))
        ring = ring * low_pass
        ring[0, 0] = 0.0
        radial.append(ring)
    half = columns // 2 + 1
    bank = []
    for number in range(ORIENTATIONS):
        turned = angle - number * math.pi / ORIENTATIONS
        distance = torch.atan2(turned.sin(), turned.cos())
        one_sided = torch.stack(radial) * torch.exp(-(distance**2) / (2 * ANGULAR_SIGMA**2))
        opposite = one_sided.flip((1, 2)).roll((1, 1), (1, 2))  # at minus the frequency
        even, odd = (one_sided + opposite) / 2, (one_sided - opposite) / 2
        # by Parseval: the summed squares of the real filters, all scales together
        gain = float(even.sum(0).square().sum() / one_sided[0].square().sum())
        even_half, odd_half = (
            kernels[..., :half, None].expand(-1, -1, -1, 2).contiguous() for kernels in (even, odd)
        )
        bank.append(_Orientation(even_half, odd_half, gain))
    return tuple(bank)


def phase_congruency(images_nHW: Tensor) -> Tensor:
    """Phase congruency of each image, 0 (none) to 1; ``(n, rows, columns)`` float64.

    Images are repeated beyond their border. Noise is taken off for each image and orientation by
    the median response at the finest scale. A constant image has none.
    """
    n, rows, columns = images_nHW.shape
    found = torch.empty_like(images_nHW)
    step = max(1, CHUNK_VOXELS // (rows * columns))
    for start in range(0, n, step):
        found[start : start + step] = _of_few(images_nHW[start : start + step])
    return found


def _of_few(images_nHW: Tensor) -> Tensor:
    size = images_nHW.shape[1:]
    spectrum = torch.fft.rfft2(images_nHW)[:, None]
    parts, turned_parts = (torch.view_as_real(waves) for waves in (spectrum, spectrum * -1j))
    energies, amplitudes = torch.zeros_like(images_nHW), torch.zeros_like(images_nHW)
    for filters in _bank(*size):
        even_nsHW, odd_nsHW = (
            torch.fft.irfft2(torch.view_as_complex(waves * kernels.to(waves.device)), s=size)
            for waves, kernels in ((parts, filters.even), (turned_parts, filters.odd))
        )
        squares = (even_nsHW * even_nsHW).add_(odd_nsHW * odd_nsHW)
        typical = squares[:, 0].flatten(1).median(dim=1).values / math.log(2)
        even, odd = even_nsHW.sum(1, keepdim=True), odd_nsHW.sum(1, keepdim=True)
        length = (even * even).add_(odd * odd).sqrt_()
        norm = length + EPSILON
        even.div_(norm)
        odd.div_(norm)
        out_of_step = even_nsHW.mul_(odd).sub_(odd_nsHW.mul_(even)).abs_().sum(1)
        energy = length.square_().div_(norm)[:, 0].sub_(out_of_step)
        rayleigh = (typical * filters.noise_gain).sqrt()
        noise = math.sqrt(math.pi / 2) + NOISE_DEVIATIONS * math.sqrt(2 - math.pi / 2)
        threshold = (rayleigh * (noise / NOISE_CORRECTION)).view(-1, 1, 1)
        energies += energy.sub_(threshold).clamp_(min=0)
        amplitudes += squares.sqrt_().sum(1)
    return energies.div_(amplitudes.add_(EPSILON))
