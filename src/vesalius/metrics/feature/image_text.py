"""Images and texts as vectors of one space: encoders that are given, and never random."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.cmmd import unit_length
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.scripted import ScriptedFeatures
from vesalius.metrics.feature.torchscript import SAVE, WEIGHTS, scripted_network
from vesalius.metrics.metric import Metric

#: Of the channels of images that OpenAI's CLIP was trained on.
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_DEVIATION = (0.26862954, 0.26130258, 0.27577711)

Tokenise = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class ImageTextEncoder:
    """Two functions to vectors of one space; ``name`` is part of every number made with them.

    Parameters
    ----------
    images:
        ``(n, 1, *space)`` in physical units to ``(n, feature)``.
    texts:
        n texts to ``(n, feature)``.
    """

    name: str
    images: Callable[[Tensor], Tensor]
    texts: Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class _ScriptedTexts:
    path: Path
    tokenise: Tokenise

    @cached_property
    def network(self) -> torch.jit.ScriptModule:
        return scripted_network(
            self.path,
            f"get weights from {WEIGHTS['clip']} or {WEIGHTS['medclip']} and save the text encoder "
            f"with {SAVE}",
        )

    def __call__(self, texts: Sequence[str]) -> Tensor:
        with torch.inference_mode():
            found = torch.as_tensor(self.network(self.tokenise(texts)))
        return found.double().clone()


def scripted_pair(
    image_path: str | Path,
    text_path: str | Path,
    tokenise: Tokenise,
    window: tuple[float, float],
    *,
    size: int = 224,
    mean: tuple[float, float, float] = CLIP_MEAN,
    deviation: tuple[float, float, float] = CLIP_DEVIATION,
) -> ImageTextEncoder:
    """CLIP, MedCLIP or another pair of encoders from two TorchScript files; named after the first.

    Parameters
    ----------
    image_path, text_path:
        Networks from ``(n, 3, size, size)``, and from tokens, to ``(n, feature)``, both projected.
    tokenise:
        n texts to what the text network takes; the tokens that it was trained with.
    window, size, mean, deviation:
        As in :class:`ScriptedFeatures`; CLIP's by default.
    """
    images = ScriptedFeatures(image_path, window, size=size, mean=mean, deviation=deviation)
    return ImageTextEncoder(images.name, images.features, _ScriptedTexts(Path(text_path), tokenise))


class ImageTextMetric(Metric):
    """A value of each image and its text, from their vectors."""

    level = "feature"
    direction = "up"

    @property
    def unit(self) -> str:
        """A plain number."""
        return "1"

    @abstractmethod
    def of_cosine(self, cosine: Tensor) -> Tensor:
        """From the cosine of the angle between image and text, ``(n,)``, to the metric."""

    def statistic(self, images: Tensor, texts: Tensor) -> Tensor:
        """``(n,)`` float64 of vectors ``(n, feature)``, row by row; their lengths do not count.

        InputError for other shapes, NaN, and vectors of zeros.
        """
        return self.of_cosine(cosines(images, texts))

    def score(self, encoder: ImageTextEncoder, images: Tensor, texts: Sequence[str]) -> Tensor:
        """``(n,)`` of images ``(n, 1, *space)`` and the text of each."""
        if len(images) != len(texts):
            raise InputError(f"one text for each of {len(images)} images", came=len(texts))
        return self.statistic(encoder.images(images), encoder.texts(texts))


def cosines(a: Tensor, b: Tensor) -> Tensor:
    """Cosine of the angle between rows of ``(n, feature)`` and ``(n, feature)``, float64."""
    a, b = checked_sets(a, b, least=1)
    if len(a) != len(b):
        raise InputError("as many vectors of the one as of the other", came=f"{len(a)}, {len(b)}")
    return (unit_length(a) * unit_length(b)).sum(1).clamp(-1, 1)
