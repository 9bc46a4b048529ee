"""MAE, MSE, RMSE, NMSE, PSNR and NCC against hand-worked values and other implementations."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio
from torchmetrics.functional.image import peak_signal_noise_ratio as torchmetrics_psnr
from torchmetrics.functional.regression import mean_absolute_error, pearson_corrcoef

from vesalius.core.errors import InputError
from vesalius.metrics.pixel import MAE, MSE, NCC, NMSE, PSNR, RMSE

REFERENCE = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]]]])
PREDICTED = torch.tensor([[[[1.0, 4.0], [3.0, 0.0]]]])
LEFT = torch.tensor([[[[True, False], [True, False]]]])


def pair(seed: int, *space: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    reference = torch.rand(3, 2, *space, generator=generator, dtype=torch.float64) * 900 - 200
    return reference + 30 * torch.randn(
        reference.shape, generator=generator, dtype=torch.float64
    ), reference


@pytest.mark.parametrize(
    ("metric", "everywhere", "left"),
    [
        (MAE("HU"), 1.5, 0.0),
        (MSE("HU"), 5.0, 0.0),
        (RMSE("HU"), math.sqrt(5.0), 0.0),
        (NMSE(), 20.0 / 30.0, 0.0),
        (PSNR(10.0), 10 * math.log10(100.0 / 5.0), math.inf),
        (PSNR("reference_maximum"), 10 * math.log10(16.0 / 5.0), math.inf),
        (NCC(), -2.0 / math.sqrt(10.0 * 5.0), 1.0),
    ],
    ids=str,
)
def test_by_hand(metric: MAE, everywhere: float, left: float) -> None:
    assert metric.statistic(PREDICTED, REFERENCE).item() == pytest.approx(everywhere)
    assert metric.statistic(PREDICTED, REFERENCE, LEFT).item() == pytest.approx(left)


@pytest.mark.parametrize("space", [(9, 14), (6, 7, 8)])
def test_against_other_implementations(space: tuple[int, ...]) -> None:
    predicted, reference = pair(0, *space)
    mae, mse, psnr, ncc = (
        metric.statistic(predicted, reference)
        for metric in (MAE("HU"), MSE("HU"), PSNR(900.0), NCC())
    )
    for case in range(3):
        x, y = predicted[case], reference[case]
        assert mae[case].item() == pytest.approx(mean_absolute_error(x, y).item(), rel=1e-12)
        assert mse[case].item() == pytest.approx(mean_squared_error(y.numpy(), x.numpy()))
        wanted = peak_signal_noise_ratio(y.numpy(), x.numpy(), data_range=900.0)
        assert psnr[case].item() == pytest.approx(wanted, rel=1e-12)
        assert torchmetrics_psnr(x, y, data_range=900.0).item() == pytest.approx(wanted)
        correlation = pearson_corrcoef(x.flatten(), y.flatten()).item()
        assert ncc[case].item() == pytest.approx(correlation, rel=1e-9)


def test_limits_clip_both_images() -> None:
    predicted = torch.tensor([[[[-2000.0, 50.0], [9000.0, 0.0]]]])
    reference = torch.tensor([[[[-1500.0, 40.0], [2000.0, 0.0]]]])
    clipped = MAE("HU", limits=(-1024, 3000)).statistic(predicted, reference)
    assert clipped.item() == pytest.approx((0 + 10 + 1000 + 0) / 4)
    assert MSE("HU", limits=(-1024, 3000)).statistic(predicted, reference).item() == pytest.approx(
        (100 + 1e6) / 4
    )


def test_units_are_those_of_the_data() -> None:
    assert (MAE("HU").unit, RMSE("Gy").unit, MSE("HU").unit) == ("HU", "Gy", "HU²")
    assert (MSE("1").unit, PSNR(1.0).unit, NMSE().unit) == ("1", "dB", "1")


def test_constants() -> None:
    constant = torch.full((2, 1, 4, 4), 0.1)
    other = torch.rand(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    assert PSNR(1.0).statistic(constant, constant).tolist() == [math.inf, math.inf]
    assert MAE("1").statistic(constant, constant).tolist() == [0.0, 0.0]
    # 0.1 has no exact mean, so that a variance would be a rounding error above zero
    for pair_of_images in ((constant, constant), (constant, other), (other, constant)):
        assert NCC().statistic(*pair_of_images).isnan().all()
    zero = torch.zeros(2, 1, 4, 4)
    assert NMSE().statistic(other, zero).isnan().all()
    assert PSNR("reference_maximum").statistic(other, zero).isnan().all()


def test_reference_maximum_is_that_of_the_mask() -> None:
    reference = torch.tensor([[[[100.0, 2.0], [1.0, 0.0]]]])
    mask = torch.tensor([[[[False, True], [True, True]]]])
    value = PSNR("reference_maximum").statistic(reference + 1, reference, mask)
    assert value.item() == pytest.approx(10 * math.log10(4.0))


def test_an_empty_batch_has_no_values() -> None:
    empty = torch.zeros(0, 1, 4, 4)
    for metric in (MAE("1"), MSE("1"), RMSE("1"), NMSE(), PSNR(1.0), NCC()):
        assert metric.statistic(empty, empty).shape == (0,)


@pytest.mark.parametrize("wrong", [0.0, -1.0, math.nan, math.inf, "reference"])
def test_a_data_range_has_to_mean_something(wrong: float) -> None:
    with pytest.raises(InputError, match="data_range"):
        PSNR(wrong)


def test_limits_have_to_be_in_order() -> None:
    with pytest.raises(InputError, match="low below high"):
        MAE("HU", limits=(10.0, -10.0))


def test_complex_and_flat_images_are_refused() -> None:
    with pytest.raises(InputError, match=r"abs\(\)"):
        MAE("1").statistic(torch.zeros(1, 1, 2, 2, dtype=torch.complex64), REFERENCE)
    with pytest.raises(InputError, match="axes of space"):
        MAE("1").statistic(torch.zeros(4, 4), torch.zeros(4, 4))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    scale=st.floats(0.01, 100),
    shift=st.floats(-1000, 1000),
)
def test_how_values_follow_scale_and_shift(seed: int, scale: float, shift: float) -> None:
    predicted, reference = pair(seed, 5, 6)
    x, y = scale * predicted + shift, scale * reference + shift
    np.testing.assert_allclose(
        MAE("1").statistic(x, y), scale * MAE("1").statistic(predicted, reference), rtol=1e-6
    )
    np.testing.assert_allclose(
        PSNR(scale * 900).statistic(x, y), PSNR(900.0).statistic(predicted, reference), rtol=1e-6
    )
    np.testing.assert_allclose(
        NCC().statistic(x, y), NCC().statistic(predicted, reference), rtol=1e-6
    )
    np.testing.assert_allclose(
        NMSE().statistic(scale * predicted, scale * reference),
        NMSE().statistic(predicted, reference),
        rtol=1e-9,
    )


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_a_mask_divides_the_sum(seed: int) -> None:
    predicted, reference = pair(seed, 5, 6)
    mask = torch.rand(3, 1, 5, 6, generator=torch.Generator().manual_seed(seed)) < 0.5
    mask[:, :, 0, 0], mask[:, :, 0, 1] = True, False
    share = mask.double().flatten(1).mean(1)
    parts = share * MSE("1").statistic(predicted, reference, mask)
    parts += (1 - share) * MSE("1").statistic(predicted, reference, ~mask)
    np.testing.assert_allclose(parts, MSE("1").statistic(predicted, reference), rtol=1e-12)
