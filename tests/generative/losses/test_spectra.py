"""Losses of Fourier and of wavelet coefficients."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vesalius.core import Batch, InputError
from vesalius.generative.losses import L2, FocalFrequency, Frequency, Wavelet


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def wave(n: int, cycles: int, size: float) -> torch.Tensor:
    angle = 2 * math.pi * cycles * torch.arange(n).double() / n
    return size * torch.cos(angle)[None, None, :, None].expand(1, 1, n, n)


def test_a_wave_has_two_coefficients() -> None:
    """A cosine of size a on n x n pixels has |F| = a n / 2 at two orthonormal frequencies."""
    n, a = 8, 3.0
    batch = Batch(wanted=torch.zeros(1, 1, n, n).double())
    wanted = 2 * a * n / 2 / n**2
    assert float(Frequency()(wave(n, 2, a), batch)) == pytest.approx(wanted)
    assert float(Frequency(compare="amplitude")(wave(n, 2, a), batch)) == pytest.approx(wanted)
    charbonnier = 2 * (math.hypot(a * n / 2, 0.5) - 0.5) / n**2
    assert float(Frequency(epsilon=0.5)(wave(n, 2, a), batch)) == pytest.approx(charbonnier)
    assert float(FocalFrequency()(wave(n, 2, a), batch)) == pytest.approx(2 * (a * n / 2) ** 2 / 64)


def test_focus_is_on_what_is_missed_most() -> None:
    """Two waves of size 4 and 1: the smaller one's weight is a quarter."""
    n = 8
    batch = Batch(wanted=torch.zeros(1, 1, n, n).double())
    found = float(FocalFrequency()(wave(n, 1, 4.0) + wave(n, 3, 1.0), batch))
    assert found == pytest.approx(2 * (n / 2) ** 2 * (16 * 1 + 1 * 0.25) / n**2)


@pytest.mark.parametrize("shape", [(2, 1, 6, 7), (2, 2, 4, 5, 3)])
def test_against_numpy_and_parseval(shape: tuple[int, ...]) -> None:
    drawn, batch = noise(*shape), Batch(wanted=noise(*shape, seed=1))
    assert batch.wanted is not None
    axes = tuple(range(2, len(shape)))
    error = np.fft.fftn((drawn - batch.wanted).numpy(), axes=axes, norm="ortho")
    assert float(Frequency()(drawn, batch)) == pytest.approx(np.abs(error).mean())
    plain = float(FocalFrequency(alpha=0.0)(drawn, batch))
    assert plain == pytest.approx(float(L2()(drawn, batch)))
    focus = np.abs(error) / np.abs(error).max(axis=axes, keepdims=True)
    focal = float(FocalFrequency()(drawn, batch))
    assert focal == pytest.approx((focus * np.abs(error) ** 2).mean())


def test_no_gradient_through_the_focus() -> None:
    drawn, wanted = noise(1, 1, 4, 4).requires_grad_(), noise(1, 1, 4, 4, seed=1)
    FocalFrequency()(drawn, Batch(wanted=wanted)).backward()
    error = np.fft.fftn((drawn.detach() - wanted).numpy(), axes=(2, 3), norm="ortho")
    focus = np.abs(error) / np.abs(error).max()
    # d/dx of mean w |F x|^2 is 2 / n F^H w F x
    gradient = 2 / 16 * np.fft.ifftn(focus * error, axes=(2, 3), norm="ortho").real
    assert drawn.grad is not None
    np.testing.assert_allclose(drawn.grad.numpy(), gradient, atol=1e-12)


def test_amplitudes_do_not_see_shifts() -> None:
    wanted = noise(1, 1, 8, 6)
    batch = Batch(wanted=wanted)
    moved = wanted.roll((3, 1), dims=(2, 3))
    assert float(Frequency(compare="amplitude")(moved, batch)) == pytest.approx(0, abs=1e-12)
    assert float(Frequency()(moved, batch)) > 0.5


def haar_matrix(n: int, levels: int) -> np.ndarray:
    """The orthonormal matrix whose rows are Haar's wavelets, low band first."""
    matrix = np.eye(n)
    size = n
    for _ in range(levels):
        step = np.zeros((size, size))
        for k in range(size // 2):
            step[k, 2 * k : 2 * k + 2] = 2**-0.5
            step[size // 2 + k, 2 * k : 2 * k + 2] = (2**-0.5, -(2**-0.5))
        whole = np.eye(n)
        whole[:size, :size] = step
        matrix = whole @ matrix
        size //= 2
    return matrix


def test_wavelets_against_matrices() -> None:
    """One level in one matrix an axis; two levels split the low band of both axes again."""
    drawn, wanted = noise(1, 1, 8, 8), noise(1, 1, 8, 8, seed=1)
    error = (drawn - wanted)[0, 0].numpy()
    once = haar_matrix(8, 1)
    first = once @ error @ once.T
    found = float(Wavelet(levels=1)(drawn, Batch(wanted=wanted)))
    assert found == pytest.approx(np.abs(first).mean())
    half = haar_matrix(4, 1)
    second = first.copy()
    second[:4, :4] = half @ first[:4, :4] @ half.T
    found = float(Wavelet(levels=2)(drawn, Batch(wanted=wanted)))
    assert found == pytest.approx(np.abs(second).mean())
    second[:2, :2] = 0
    found = float(Wavelet(levels=2, low_weight=0.0)(drawn, Batch(wanted=wanted)))
    assert found == pytest.approx(np.abs(second).mean())


@pytest.mark.parametrize("shape", [(2, 2, 8, 12), (1, 1, 4, 8, 4)])
def test_wavelets_keep_energy(shape: tuple[int, ...]) -> None:
    drawn, batch = noise(*shape), Batch(wanted=noise(*shape, seed=1))
    found = float(Wavelet(levels=2, norm="l2")(drawn, batch))
    assert found == pytest.approx(float(L2()(drawn, batch)))
    detail = Wavelet(levels=2, low_weight=0.0)
    shifted = Batch(wanted=drawn + 3)
    assert float(detail(drawn, shifted)) == pytest.approx(0, abs=1e-12)


def test_sizes_that_do_not_halve_are_refused() -> None:
    image = noise(1, 1, 8, 6)
    with pytest.raises(InputError, match="multiples of 4, got 8x6; use fewer levels"):
        Wavelet(levels=2)(image, Batch(wanted=image))
