"""FSIM against its definition with complex filters in NumPy, and laws of its own."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import correlate
from skimage.measure import block_reduce

from vesalius.core.errors import InputError
from vesalius.metrics import parameters_of
from vesalius.metrics.pixel import FSIM
from vesalius.metrics.pixel.phase_congruency import phase_congruency

Array = NDArray[np.float64]


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64)
    noise = torch.randn(reference.shape, generator=generator, dtype=torch.float64)
    return reference + 0.3 * noise, reference


def frequencies(size: int) -> Array:
    steps = np.arange(size) - size // 2
    return np.fft.ifftshift(steps / (size - 1 if size % 2 else size))


def congruency(image: Array) -> Array:
    """Kovesi's phase congruency with one complex filter a scale and orientation."""
    u, v = np.meshgrid(frequencies(image.shape[1]), frequencies(image.shape[0]))
    radius, angle = np.hypot(u, v), np.arctan2(-v, u)
    low_pass = 1 / (1 + (radius / 0.45) ** 30)
    radius[0, 0] = 1
    spectrum = np.fft.fft2(image)
    energies, amplitudes = np.zeros_like(image), np.zeros_like(image)
    for orientation in np.arange(4) * np.pi / 4:
        away = np.abs(np.angle(np.exp(1j * (angle - orientation))))
        spread = np.exp(-(away**2) / (2 * (np.pi / 4 / 1.2) ** 2))
        filters = []
        for wave in (6, 12, 24, 48):
            ring = np.exp(-(np.log(radius * wave) ** 2) / (2 * np.log(0.55) ** 2)) * low_pass
            ring[0, 0] = 0
            filters.append(ring * spread)
        responses = np.stack([np.fft.ifft2(spectrum * kernel) for kernel in filters])
        together = responses.sum(0)
        phase = np.angle(together)
        in_step = responses * np.exp(-1j * phase)
        energy = (in_step.real - np.abs(in_step.imag)).sum(0)
        power = np.sort(np.abs(responses[0]).ravel() ** 2)
        noise = power[(power.size - 1) // 2] / np.log(2) / (filters[0] ** 2).sum()
        real = [np.fft.ifft2(kernel).real * np.sqrt(image.size) for kernel in filters]
        squared = sum((a * a).sum() for a in real)
        mixed = sum((real[i] * real[j]).sum() for i in range(4) for j in range(i + 1, 4))
        tau = np.sqrt(noise * squared + 2 * noise * mixed)
        threshold = tau * (np.sqrt(np.pi / 2) + 2 * np.sqrt(2 - np.pi / 2)) / 1.7
        energies += np.maximum(energy - threshold, 0)
        amplitudes += np.abs(responses).sum(0)
    return energies / amplitudes


def by_definition(x: Array, y: Array) -> tuple[Array, Array]:
    """Weighted similarity and weights of two images in grey levels."""
    scharr = np.array([[3.0, 0, -3], [10, 0, -10], [3, 0, -3]]) / 16
    steep_x, steep_y = (
        np.hypot(correlate(z, scharr, mode="constant"), correlate(z, scharr.T, mode="constant"))
        for z in (x, y)
    )
    phase_x, phase_y = congruency(x), congruency(y)
    similar = (2 * steep_x * steep_y + 160) / (steep_x**2 + steep_y**2 + 160)
    similar *= (2 * phase_x * phase_y + 0.85) / (phase_x**2 + phase_y**2 + 0.85)
    weights = np.maximum(phase_x, phase_y)
    return similar * weights, weights


@pytest.mark.parametrize("space", [(32, 40), (33, 29), (24, 31)])
def test_against_its_definition_in_a_mask(space: tuple[int, int]) -> None:
    predicted, reference = pair(0, *space)
    mask = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(1)) < 0.3
    found = FSIM(1.0).statistic(predicted, reference, mask)
    for case in range(2):
        x, y = (255 * images[case, 0].numpy() for images in (predicted, reference))
        weighted, weights = by_definition(x, y)
        within = mask[case, 0].numpy()
        wanted = weighted[within].sum() / weights[within].sum()
        assert found[case].item() == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_volume_is_its_slices_in_one_sum(axis: int) -> None:
    predicted, reference = pair(2, 14, 17, 16)
    found = FSIM(1.0, slice_axis=axis).statistic(predicted, reference)
    for case in range(2):
        x, y = (255 * z[case, 0].movedim(axis, 0).numpy() for z in (predicted, reference))
        maps = [by_definition(a, b) for a, b in zip(x, y, strict=True)]
        wanted = sum(part.sum() for part, _ in maps) / sum(part.sum() for _, part in maps)
        assert found[case].item() == pytest.approx(wanted, rel=1e-9)


def test_large_slices_are_averaged_in_blocks() -> None:
    predicted, reference = (images[:1] for images in pair(3, 384, 390))
    x, y = (
        block_reduce(255 * images[0, 0].numpy(), 2, np.mean) for images in (predicted, reference)
    )
    weighted, weights = by_definition(x, y)
    found = FSIM(1.0).statistic(predicted, reference).item()
    assert found == pytest.approx(weighted.sum() / weights.sum(), rel=1e-9)


def test_phase_congruency_finds_edges_of_any_height() -> None:
    image = torch.zeros(2, 64, 64, dtype=torch.float64)
    image[0, :, 20:44], image[1, :, 20:44] = 1.0, 200.0
    found = phase_congruency(image)
    assert torch.allclose(found[0], found[1], atol=1e-9)
    row = found[0, 32]
    assert {int(place) for place in row.topk(4).indices} == {19, 20, 43, 44}
    assert bool((row[8:13] < 0.2 * row.max()).all())
    assert bool(((found >= 0) & (found <= 1)).all())
    assert phase_congruency(torch.zeros(1, 16, 16, dtype=torch.float64)).max() == 0


def test_no_features_no_value() -> None:
    textured, _ = pair(4, 20, 20)
    flat = torch.full_like(textured, 0.1)
    assert FSIM(1.0).statistic(flat, flat).isnan().all()
    assert FSIM(1.0).statistic(flat, 2 * flat).isnan().all()
    assert bool((FSIM(1.0).statistic(flat, textured) < 0.9).all())
    zero = torch.zeros_like(textured)
    assert FSIM("reference_maximum").statistic(textured, zero).isnan().all()
    assert FSIM(1.0).statistic(textured[:0], textured[:0]).shape == (0,)


def test_sizes_and_parameters() -> None:
    thin = torch.zeros(1, 1, 30, 30, 8)
    with pytest.raises(InputError, match=r"at least 12 voxels .* slice_axis"):
        FSIM(1.0).statistic(thin, thin)
    assert math.isnan(FSIM(1.0, slice_axis=2).statistic(thin, thin))
    given = parameters_of(FSIM(400.0, data_unit="HU", limits=(-160.0, 240.0)))
    assert given == {
        "data_range": 400.0, "data_unit": "HU", "limits": [-160.0, 240.0], "slice_axis": 0,
        "border": "zero",
    }  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), shift=st.floats(-100, 100), scale=st.floats(0.1, 100))
def test_level_and_scale_do_not_matter(seed: int, shift: float, scale: float) -> None:
    predicted, reference = pair(seed, 16, 18)
    metric = FSIM(1.0, border="mirror")
    value = metric.statistic(predicted, reference)
    moved = FSIM(scale, border="mirror").statistic(
        scale * (predicted + shift), scale * (reference - shift)
    )
    assert torch.allclose(value, moved, rtol=1e-6)
    assert bool(((value > 0) & (value <= 1)).all())
