from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.physics.mri import fourier_transform, inverse_fourier_transform

spaces = st.lists(st.integers(1, 9), min_size=2, max_size=3).map(tuple)


def random_image(space: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 3, *space, dtype=torch.complex128, generator=generator)


@settings(max_examples=40, deadline=None)
@given(spaces, st.integers(0, 100))
def test_inverse_and_parseval(space: tuple[int, ...], seed: int) -> None:
    image = random_image(space, seed)
    kspace = fourier_transform(image, len(space))
    torch.testing.assert_close(inverse_fourier_transform(kspace, len(space)), image)
    torch.testing.assert_close(kspace.abs().square().sum(), image.abs().square().sum())


@settings(max_examples=20, deadline=None)
@given(spaces, st.integers(0, 100))
def test_definition_by_sum(space: tuple[int, ...], seed: int) -> None:
    # X[k] = sum_x x[x] exp(-2 pi i k x / N) / sqrt(N), with x and k counted from size // 2
    image = random_image(space, seed)[0, 0].numpy()
    wanted = image
    for axis, size in enumerate(space):
        index = np.arange(size) - size // 2
        matrix = np.exp(-2j * np.pi * np.outer(index, index) / size) / math.sqrt(size)
        wanted = np.moveaxis(np.tensordot(matrix, wanted, axes=(1, axis)), 0, axis)
    found = fourier_transform(torch.from_numpy(image), len(space))
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-10)


@pytest.mark.parametrize("space", [(64, 64), (65, 63), (48, 81)])
def test_a_gaussian_becomes_a_gaussian_of_the_right_size(space: tuple[int, int]) -> None:
    # continuous transform of exp(-x^2 / 2 s^2): s sqrt(2 pi) exp(-2 pi^2 s^2 f^2), f = k / N
    widths = (3.0, 4.5)
    index = [torch.arange(n, dtype=torch.float64) - n // 2 for n in space]
    profiles = [torch.exp(-(x**2) / (2 * s**2)) for x, s in zip(index, widths, strict=True)]
    image = torch.outer(*profiles).to(torch.complex128)
    wanted_profiles = [
        s * math.sqrt(2 * math.pi / n) * torch.exp(-2 * (math.pi * s * k / n) ** 2)
        for k, s, n in zip(index, widths, space, strict=True)
    ]
    wanted = torch.outer(*wanted_profiles).to(torch.complex128)
    torch.testing.assert_close(fourier_transform(image, 2), wanted, atol=1e-8, rtol=0)


def test_noise_keeps_its_size() -> None:
    noise = random_image((64, 64))
    assert float(fourier_transform(noise, 2).std()) == pytest.approx(float(noise.std()), rel=1e-3)
