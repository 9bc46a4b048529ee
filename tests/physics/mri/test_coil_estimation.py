from __future__ import annotations

import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.physics.mri import (
    calibration_region,
    espirit_maps,
    fourier_transform,
    inverse_fourier_transform,
    low_resolution_maps,
    simulated_coil_maps,
)


def ellipse(space: tuple[int, ...], scale: float = 1.0) -> torch.Tensor:
    axes = [(torch.arange(n) - n // 2) * (2.0 / n) / (0.75 * scale) for n in space]
    return sum(a**2 for a in torch.meshgrid(*axes, indexing="ij")) < 1


def phantom(space: tuple[int, ...], coils: int) -> tuple[torch.Tensor, torch.Tensor]:
    """k-space of an object with structure and smooth phase, and the true maps."""
    maps = simulated_coil_maps(space, coils, 7)
    texture = torch.rand(space, generator=torch.Generator().manual_seed(0))
    image = ellipse(space) * (0.6 + 0.4 * texture)
    ramp = torch.arange(space[-1]) / space[-1]
    return fourier_transform(maps * image * torch.exp(1j * ramp), len(space)), maps


def agreement(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """|<found, true>| of every pixel: 1 where both point the same way, up to a phase."""
    return (found.conj() * true).sum(0).abs()


@pytest.mark.parametrize("space", [(64, 64), (63, 70)])
def test_maps_are_found_inside_the_object(space: tuple[int, int]) -> None:
    kspace, true = phantom(space, 6)
    region = calibration_region(torch.ones(space, dtype=torch.bool), largest=25)
    inside = ellipse(space, 0.9)
    espirit = espirit_maps(kspace, region)
    assert float(agreement(espirit, true)[inside].min()) > 0.995
    assert float(agreement(espirit, true)[inside].mean()) > 0.9995
    simple = low_resolution_maps(kspace, region)
    assert float(agreement(simple, true)[inside].mean()) > 0.99
    # not so of the maps of other coils: the agreement is no matter of course
    other = simulated_coil_maps(space, 6, 8)
    assert float(agreement(other, true)[inside].mean()) < 0.9


def test_maps_are_normalised_and_smooth_and_end_outside() -> None:
    kspace, _ = phantom((64, 64), 6)
    region = calibration_region(torch.ones(64, 64, dtype=torch.bool))
    noise = torch.randn(
        kspace.shape, dtype=kspace.dtype, generator=torch.Generator().manual_seed(1)
    )
    kspace = kspace + 1e-3 * noise
    maps = espirit_maps(kspace, region, crop=0.9)
    energy = maps.abs().square().sum(0)
    kept = energy > 0.5
    torch.testing.assert_close(energy[kept], torch.ones(int(kept.sum())))
    assert bool((energy[~kept] == 0).all())
    assert bool(kept[ellipse((64, 64), 0.95)].all())
    assert float(kept.float().mean()) < 0.9
    core = ellipse((64, 64), 0.6)
    for axis in (1, 2):
        step = maps.diff(dim=axis).abs().amax(0)
        assert float(step[core.narrow(axis - 1, 0, 63)].max()) < 0.15
    simple = low_resolution_maps(kspace, region)
    torch.testing.assert_close(simple.abs().square().sum(0), torch.ones(64, 64))


def test_phase_is_that_of_the_strongest_combination() -> None:
    kspace, _ = phantom((64, 64), 6)
    region = calibration_region(torch.ones(64, 64, dtype=torch.bool))
    maps = espirit_maps(kspace, region)
    strongest = torch.linalg.svd(kspace[(slice(None), *region)].flatten(1))[0][:, 0]
    combined = torch.einsum("chw,c->hw", maps, strongest.conj())[ellipse((64, 64), 0.9)]
    # one phase for all pixels; the singular vector itself has none
    assert float(combined.sum().abs() / combined.abs().sum()) > 0.9999


def test_sense_with_estimated_maps_explains_the_data() -> None:
    kspace, _ = phantom((64, 64), 6)
    region = calibration_region(torch.ones(64, 64, dtype=torch.bool))
    coil_images = inverse_fourier_transform(kspace, 2)
    maps = espirit_maps(kspace, region)
    combined = (maps.conj() * coil_images).sum(0)
    unexplained = (coil_images - maps * combined).abs().square().sum().sqrt()
    assert float(unexplained / coil_images.abs().square().sum().sqrt()) < 0.03


def test_volumes() -> None:
    kspace, true = phantom((16, 18, 20), 4)
    region = calibration_region(torch.ones(16, 18, 20, dtype=torch.bool), largest=13)
    maps = espirit_maps(kspace, region, kernel=4)
    inside = ellipse((16, 18, 20), 0.8)
    assert float(agreement(maps, true)[inside].mean()) > 0.99


def test_region_by_hand() -> None:
    mask = torch.zeros(20, 21, dtype=torch.bool)
    mask[:, 7:15] = True  # eight lines around index 10: symmetric are 7..13
    assert calibration_region(mask, largest=9) == (slice(6, 15), slice(7, 14))
    assert calibration_region(mask, largest=100) == (slice(1, 20), slice(7, 14))
    mask[12, 10] = False
    assert calibration_region(mask, largest=9)[0] == slice(9, 12)


def test_too_small_a_centre() -> None:
    mask = torch.zeros(20, 20, dtype=torch.bool)
    with pytest.raises(InputError, match="fftshift"):
        calibration_region(mask)
    mask[8:13, 8:13] = True
    kspace, _ = phantom((20, 20), 3)
    with pytest.raises(InputError, match="low_resolution_maps"):
        espirit_maps(kspace, calibration_region(mask))
