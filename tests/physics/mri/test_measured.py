from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.physics import magnitude
from vesalius.physics.mri import (
    UndersampledMRI,
    cg_sense,
    measured_mri,
    total_variation,
    zero_filled,
)

DATA = Path(
    os.environ.get("VESALIUS_TEST_DATA", Path(__file__).resolve().parents[4] / "shared" / "data")
)
KSPACE = DATA / "kspace_brain_8coil" / "cartesian_ksp.npy"


@pytest.fixture(scope="module")
def kspace() -> np.ndarray:
    if not KSPACE.exists():
        pytest.skip(f"needs the real k-space {KSPACE} (set VESALIUS_TEST_DATA)")
    loaded: np.ndarray = np.load(KSPACE, allow_pickle=False)
    return loaded


def test_simulated_scan_is_recovered_from_its_own_centre() -> None:
    axes = [(torch.arange(64) - 32) / 32.0] * 2
    v, u = torch.meshgrid(*axes, indexing="ij")
    image = ((u / 0.7) ** 2 + (v / 0.8) ** 2 < 1) * 0.5 + ((u - 0.2) ** 2 + v**2 < 0.05) * 0.4
    x = torch.stack([image * torch.cos(u), image * torch.sin(u)])
    degradation = UndersampledMRI(2, 0.3, coils=6, noise_std=1e-3)
    y, true = degradation.apply(x, degradation.draw(np.random.default_rng(0), (64, 64)))
    measurement, operator = measured_mri(y.numpy())
    assert torch.equal(measurement[0], y)
    assert torch.equal(operator.mask, true.mask)
    found = magnitude(cg_sense(measurement, operator))[0, 0]
    error = (found - image).norm() / image.norm()
    assert float(error) < 0.08
    assert float(error) < 0.5 * float(
        (magnitude(zero_filled(measurement, operator))[0, 0] - image).norm() / image.norm()
    )


@pytest.mark.parametrize("maps", ["espirit", "low_resolution"])
def test_real_brain(kspace: np.ndarray, maps: str) -> None:
    measurement, operator = measured_mri(kspace, maps=maps)  # type: ignore[arg-type]
    assert operator.n_coils == 8
    assert float(operator.mask.float().mean()) == pytest.approx(0.124, abs=0.001)
    zero = magnitude(zero_filled(measurement, operator))
    scaled = measurement / zero.max()
    image = total_variation(scaled, operator, strength=5e-3, iterations=40)
    # the maps explain what all coils measured: a wrong axis, sign or centre cannot
    misfit = (operator.forward(image) - scaled).norm() / scaled.norm()
    assert float(misfit) < 0.2
    picture = magnitude(image)[0, 0]
    head = picture[115 - 60 : 115 + 60, 90 - 45 : 90 + 45].mean()
    corners = torch.stack([picture[:20, :20], picture[-20:, -20:], picture[:20, -20:]]).mean()
    assert float(head) > 10 * float(corners)
    # the head is as symmetric as heads are: left and right, not front and back
    middle = picture[20:210, 20:161]
    halves = torch.corrcoef(torch.stack([middle.flatten(), middle.flip(1).flatten()]))[0, 1]
    assert float(halves) > 0.6


def test_held_out_samples_of_the_real_scan_are_predicted(kspace: np.ndarray) -> None:
    measurement, operator = measured_mri(kspace)
    scaled = measurement / magnitude(zero_filled(measurement, operator)).max()
    drawn = torch.rand(operator.mask.shape, generator=torch.Generator().manual_seed(0)) < 0.1
    held_out = drawn & operator.mask
    held_out[..., 100:131, 75:106] = False
    seen = type(operator)(operator.mask & ~held_out, operator.coil_maps)
    everything = type(operator)(held_out, operator.coil_maps)
    wanted = scaled * held_out

    def error(image: torch.Tensor) -> float:
        return float((everything.forward(image) - wanted).norm() / wanted.norm())

    y = scaled * seen.mask
    found = error(total_variation(y, seen, strength=2e-3, iterations=50))
    # zero filling predicts samples from the other coils only a little: its error is near one
    assert found < 0.75
    assert found < 0.8 * error(zero_filled(y, seen))


def test_wrong_kspace() -> None:
    with pytest.raises(InputError, match="complex k-space"):
        measured_mri(np.zeros((8, 16, 16)))
    with pytest.raises(InputError, match="frequency zero"):
        measured_mri(np.zeros((8, 16, 16), dtype=np.complex64))
    broken = np.ones((2, 16, 16), dtype=np.complex64)
    broken[0, 3, 3] = np.nan
    with pytest.raises(InputError, match="NaN"):
        measured_mri(broken)
