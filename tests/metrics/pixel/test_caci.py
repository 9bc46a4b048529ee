"""CACI against scikit-image's SSIM map and hand-worked values."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import structural_similarity

from vesalius.core.errors import InputError
from vesalius.metrics import CaseMetric, parameters_of
from vesalius.metrics.pixel import CACI, UniformWindow


def scene(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Healthy image, the same with a bright textured lesion, and the lesion."""
    generator = torch.Generator().manual_seed(seed)
    healthy = torch.rand(2, 1, *space, generator=generator, dtype=torch.float64) * 0.5 + 0.2
    lesion = torch.zeros(2, 1, *space, dtype=torch.bool)
    lesion[(..., *(slice(n // 3, 2 * n // 3) for n in space))] = True
    texture = torch.rand(healthy.shape, generator=generator, dtype=torch.float64)
    return healthy, torch.where(lesion, 0.5 + 0.5 * texture, healthy), lesion


@pytest.mark.parametrize("space", [(24, 27), (15, 14, 16)])
def test_against_scikit_image(space: tuple[int, ...]) -> None:
    healthy, diseased, lesion = scene(0, *space)
    tissue = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(1)) < 0.7
    restored = healthy + 0.05 * torch.randn(
        healthy.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    )
    found = CACI(1.0).statistic(restored, diseased, lesion, tissue)
    for case in range(2):
        _, full = structural_similarity(
            diseased[case, 0].numpy(), restored[case, 0].numpy(), data_range=1.0, full=True
        )
        inside, around = (
            (tissue & where)[case, 0].numpy() for where in (lesion, ~lesion)
        )  # fmt: skip
        kept, corrected = full[around].mean(), 1 - full[inside].mean()
        wanted = 2 * kept * corrected / (kept + corrected)
        assert found[case].item() == pytest.approx(wanted, abs=1e-10)


def test_by_hand() -> None:
    # constants: SSIM is the luminance term, 1 around the lesion and l within
    diseased = torch.full((1, 1, 9, 30), 50.0)
    lesion = torch.zeros(1, 1, 9, 30, dtype=torch.bool)
    lesion[..., 20:] = True
    restored = torch.where(lesion, 100.0, diseased)
    c1 = (0.01 * 255) ** 2
    left = (2 * 50 * 100 + c1) / (50**2 + 100**2 + c1)
    tissue = torch.ones_like(lesion)
    tissue[..., 17:23] = False  # where the windows see both
    found = CACI(255.0).statistic(restored, diseased, lesion, tissue).item()
    assert found == pytest.approx(2 * (1 - left) / (2 - left), rel=1e-9)


def test_what_it_rewards() -> None:
    healthy, diseased, lesion = scene(3, 30, 30)
    metric = CACI(1.0)
    good = metric.statistic(healthy, diseased, lesion)
    untouched = metric.statistic(diseased, diseased, lesion)
    blank = metric.statistic(torch.zeros_like(healthy), diseased, lesion)
    other = metric.statistic(healthy.flip(0), diseased, lesion)
    assert untouched.tolist() == pytest.approx([0.0, 0.0], abs=1e-12)
    assert bool((good > 0.8).all())
    assert bool((good > blank + 0.3).all())
    assert bool((good > other + 0.3).all())
    assert not isinstance(metric, CaseMetric)


def test_without_a_lesion_or_without_anything_else() -> None:
    healthy, diseased, lesion = scene(4, 20, 20)
    lesion[0] = False
    assert CACI(1.0).statistic(healthy, diseased, lesion).isnan().tolist() == [True, False]
    assert CACI(1.0).statistic(healthy, diseased, ~lesion).isnan().tolist() == [True, False]
    everywhere = torch.ones_like(lesion)
    assert CACI(1.0).statistic(healthy, diseased, everywhere).isnan().all()
    lesion[0] = lesion[1]
    outside = CACI(1.0).statistic(healthy, diseased, lesion, ~lesion)
    assert outside.isnan().all()


def test_bad_masks_are_refused() -> None:
    healthy, diseased, lesion = scene(5, 20, 20)
    with pytest.raises(InputError, match="'lesion' of shape"):
        CACI(1.0).statistic(healthy, diseased, lesion.double())
    with pytest.raises(InputError, match="'lesion' of shape"):
        CACI(1.0).statistic(healthy, diseased, lesion[..., 1:])
    with pytest.raises(InputError, match="'mask' of shape"):
        CACI(1.0).statistic(healthy, diseased, lesion, lesion[:1])
    with pytest.raises(InputError, match="reference's shape"):
        CACI(1.0).statistic(healthy[..., 1:], diseased, lesion)
    with pytest.raises(InputError, match="data_range"):
        CACI(0.0)
    with pytest.raises(InputError, match="at least 7 voxels"):
        CACI(1.0, border="exclude").statistic(*(x[..., :6] for x in (healthy, diseased, lesion)))


def test_its_parameters_are_told() -> None:
    metric = CACI(4024.0, data_unit="HU", window=UniformWindow(5), limits=(-1024.0, 3000.0))
    assert parameters_of(metric)["window"]["size"] == 5
    assert metric.parameters["limits"] == [-1024.0, 3000.0]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31), amount=st.floats(0, 2))
def test_bounds(seed: int, amount: float) -> None:
    healthy, diseased, lesion = scene(seed, 12, 13)
    value = CACI(1.0).statistic(healthy - amount * diseased, diseased, lesion)
    assert bool(((value >= 0) & (value <= 1)).all())
    assert not math.isnan(value[0])
