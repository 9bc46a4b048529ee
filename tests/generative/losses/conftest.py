"""An example of every loss, small enough for numerical gradients."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch
from vesalius.generative import losses
from vesalius.generative.losses import Loss
from vesalius.physics import Identity


@dataclass(frozen=True)
class Example:
    """A loss, what it is given, and what is promised of it."""

    loss: Loss
    predicted: Tensor
    batch: Batch
    best: Tensor | None  # where the loss is zero; None where nothing is promised
    largest: float = float("inf")
    smallest: float = 0.0
    by_case: bool = True  # the loss of a batch is the mean of its cases' losses


OF_PAIRS = (
    *("L1", "L2", "RootMeanSquare", "MeanPNorm", "Charbonnier", "Huber", "AdaptiveRobust"),
    *("Gradient", "GradientDifference", "Frequency", "FocalFrequency", "Wavelet", "Sinogram"),
    *("PoissonLikelihood", "TemporalConsistency", "ContrastiveEdge"),
)
MakeExample = Callable[[type[Loss], int], Example]


class Segmenter(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x, -x, 2 * x * x], dim=1)


class Answer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([x.flatten(1).mean(dim=1), x.square().flatten(1).mean(dim=1)], dim=1)


class Maps(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("kernel", torch.randn(4, 3, 3, 3, generator=generator))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        first = torch.nn.functional.conv2d(x, self.kernel, padding=1).tanh()
        return first, torch.nn.functional.avg_pool2d(first, 2).square()


@pytest.fixture(scope="session")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``scripted("segmenter")``: a TorchScript file of a small network."""
    folder = tmp_path_factory.mktemp("networks")
    for network in (Segmenter(), Answer(), Maps()):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            script = torch.jit.script(network)
            script.save(str(folder / f"{type(network).__name__.lower()}.pt"))
    return lambda name: folder / f"{name}.pt"


def one_hot(n: int, classes: int, space: tuple[int, ...], generator: torch.Generator) -> Tensor:
    labels = torch.randint(classes, (n, *space), generator=generator)
    return torch.nn.functional.one_hot(labels, classes).movedim(-1, 1).double()


@pytest.fixture(scope="session")
def example(scripted: Callable[[str], Path]) -> MakeExample:
    """``example(L1, 2)``: one of L1 for images, in double precision."""

    def make(kind: type[Loss], dims: int) -> Example:
        generator = torch.Generator().manual_seed(1)
        space = (6, 8, 4)[:dims]

        def image(channels: int = 1) -> Tensor:
            shape = (2, channels, *space)
            return 1.8 * torch.rand(shape, dtype=torch.float64, generator=generator) - 0.9

        x, y, z = image(), image(), image()
        batch = Batch(wanted=y, given=z)
        field, truth = image(dims), image(dims)
        classes = one_hot(2, 3, space, generator)
        logits = 2 * image(3)
        certain = 200 * classes - 100
        name = kind.__name__
        if name in OF_PAIRS:
            settings = {"Wavelet": {"levels": 1}, "Sinogram": {"n_angles": 3}}.get(name, {})
            return Example(kind(**settings), x, batch, y)
        if name == "Kspace":
            pair, drawn = image(2), image(2)
            return Example(kind(), drawn, Batch(wanted=pair), pair)
        if name == "TotalVariation":
            return Example(kind(), x, batch, torch.full_like(x, 0.3))
        if name == "JointSparsifyingTransform":
            flat = Batch(wanted=None, given=torch.full_like(x, 0.3))
            return Example(kind(), x, flat, torch.full_like(x, -0.3))
        if name == "StructuralSimilarity":
            return Example(kind(size=3), x, batch, y, largest=2)
        if name == "MultiScaleStructuralSimilarity":
            # of images alike, for there is no gradient below a similarity of zero
            loss = losses.MultiScaleStructuralSimilarity(size=3, weights=(1.0,))
            return Example(loss, y + 0.1 * x, batch, y, largest=1)
        if name == "NormalisedCrossCorrelation":
            return Example(kind(), x, batch, y, largest=2)
        if name == "LocalCrossCorrelation":
            return Example(kind(size=3), x, batch, y, largest=1)
        if name == "MutualInformation":
            loss = losses.MutualInformation(bins=8)
            return Example(loss, x, batch, None, largest=0, smallest=-float(torch.tensor(8).log()))
        if name == "StructureConsistency":
            return Example(kind(), x, Batch(wanted=None, given=z), z, largest=1)
        if name == "Dice":
            return Example(kind(), logits, Batch(wanted=classes), certain, largest=1)
        if name in ("CrossEntropy", "BinaryCrossEntropy", "Focal"):
            return Example(kind(), logits, Batch(wanted=classes), certain)
        if name == "KullbackLeibler":
            shares = logits.roll(1, 0).softmax(dim=1)
            return Example(kind(), logits, Batch(wanted=shares), shares.log())
        if name == "GaussianLikelihood":
            return Example(kind(), image(2), batch, None, smallest=-float("inf"))
        if name == "DataConsistency":
            scan = Batch(wanted=None, measurement=y, operator=Identity((1, *space)))
            return Example(kind(), x, scan, y)
        if name == "LogRatio":
            features = torch.randn(5, 3, dtype=torch.float64, generator=generator)
            known = torch.randn(5, 7, dtype=torch.float64, generator=generator)
            cases = Batch(wanted=None, given=features, extras={"description": known})
            return Example(kind(), features, cases, 3 * known, by_case=False)
        if name == "MultipleContrast":
            loss = losses.MultipleContrast(windows=((-1.0, 1.0), (-0.5, 0.0)))
            return Example(loss, x, batch, y, largest=1)
        if name == "MultiScale":
            return Example(losses.MultiScale(loss=losses.L2(), scales=2), x, batch, y)
        if name == "ConfidenceMap":
            best = torch.cat([y, torch.full_like(y, 50)], dim=1)
            return Example(kind(), image(2), batch, best)
        if name == "BiologicalConstraints":
            course = Batch(
                wanted=None,
                given=z,
                extras={"expected": y, "tolerance": torch.full_like(y, 0.2)},
            )
            return Example(kind(), x, course, y + 0.1)
        if name in ("Smoothness", "Folding"):
            best = torch.ones_like(field) / 3
            return Example(kind(), 3 * field, Batch(wanted=None, given=field), best)
        if name == "DistanceError":
            return Example(kind(), field, Batch(wanted=truth), truth)
        if name == "AngleError":
            return Example(kind(), field, Batch(wanted=truth), truth, largest=2)
        if name in ("Perceptual", "Style"):
            maps = losses.ScriptedMaps(str(scripted("maps")))
            loss = kind(features=maps, slices=1, at_least=4)  # type: ignore[call-arg]
            return Example(loss, x, batch, y)
        if name == "ShapeConsistency":
            path = str(scripted("segmenter"))
            return Example(
                losses.ShapeConsistency(segmenter=path, distance="l1"), x, batch, y, largest=1
            )
        if name == "TaskRegression":
            answer = torch.rand(2, 2, dtype=torch.float64, generator=generator)
            asked = Batch(wanted=None, given=x, extras={"status": answer})
            return Example(losses.TaskRegression(network=str(scripted("answer"))), x, asked, None)
        raise AssertionError(f"no example of {name}: add one")

    return make
