"""What a protocol is: what files must be, how they are prepared, what is measured, over what."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.core.record import Direction, Level
from vesalius.data.formats import read_image
from vesalius.metrics.metric import CaseMetric, SetMetric

#: Slices that are measured at once: memory and time, not values.
SLICES_AT_ONCE = 16

#: Values of a case by measure: one, or one a slice or structure where those are averaged.
Found = Mapping[str, tuple[float, ...]]
MaskNeed = Literal["none", "allowed", "needed"]


@dataclass(frozen=True)
class Measure:
    """A number that a protocol takes, as records name it."""

    name: str
    level: Level
    unit: str
    direction: Direction
    citation: str

    @staticmethod
    def of(metric: CaseMetric) -> Measure:
        """That of a metric."""
        return Measure(metric.name, metric.level, metric.unit, metric.direction, metric.citation)


@dataclass(frozen=True, eq=False)
class Content:
    """What a file holds: an image, regions of it by name, and across which axis slices lie.

    Regions are ``(1, *space)`` bool, as is ``judged``: where a pair is judged, None for everywhere.
    ``slice_axis`` is None where only the affine can tell.
    """

    image: Image
    regions: Mapping[str, Tensor] = field(default_factory=dict)
    slice_axis: int | None = None
    judged: Tensor | None = None


@dataclass(frozen=True, eq=False)
class Pair:
    """A generated image and the real one.

    Parameters
    ----------
    predicted, reference:
        ``(1, 1, *space)`` float64 in physical units.
    mask:
        ``(1, 1, *space)`` bool, or None.
    spacing_mm:
        Voxel size along each axis of space.
    slice_axis:
        The axis of space of a volume across which its slices lie.
    regions:
        Of the real image, ``(1, 1, *space)`` bool by name.
    """

    predicted: Tensor
    reference: Tensor
    mask: Tensor | None = None
    spacing_mm: tuple[float, ...] = (1.0, 1.0)
    slice_axis: int = 2
    regions: Mapping[str, Tensor] = field(default_factory=dict)

    def slices(self) -> Iterator[Pair]:
        """Groups of 2D slices along the batch axis; a 2D image is one slice."""
        if self.reference.ndim == 4:
            yield self
            return
        axis = self.slice_axis
        inside = tuple(size for k, size in enumerate(self.spacing_mm) if k != axis)
        for first in range(0, self.reference.shape[2 + axis], SLICES_AT_ONCE):
            yield replace(
                self,
                predicted=_slices(self.predicted, axis, first),
                reference=_slices(self.reference, axis, first),
                mask=None if self.mask is None else _slices(self.mask, axis, first),
                spacing_mm=inside,
                regions={name: _slices(part, axis, first) for name, part in self.regions.items()},
            )


def _slices(images: Tensor, axis: int, first: int) -> Tensor:
    """``(slice, 1, height, width)`` from slice ``first`` on."""
    count = min(SLICES_AT_ONCE, images.shape[2 + axis] - first)
    return images.narrow(2 + axis, first, count).movedim(2 + axis, 0).flatten(1, 2)


class Protocol(ABC):
    """Fixed rules under which numbers of different people compare.

    ``unit`` is "" where any does, and ``dims`` are the numbers of axes that files may have.
    ``over`` says what values are averaged over, and ``remarks`` what a reader of a number has to
    know: what is from memory, what this package does differently. The first line of the docstring
    is printed by ``vesalius list protocols``.
    """

    unit: str = ""
    dims: tuple[int, ...] = (2, 3)
    mask: MaskNeed = "allowed"
    over: str = "images"
    remarks: tuple[str, ...] = ()
    #: Whether generated files are label maps, as real ones are.
    labels: bool = False
    #: Whether a generated image larger than the real one is cropped to it.
    crops: bool = False
    #: The range that radiomic features divide; None: the unit's or that of the real images.
    value_range: tuple[float, float] | None = None
    #: Extractors that its sets are compared by (see ``vesalius.metrics.feature.extractors``); none
    #: leaves the choice to the user.
    extractors: tuple[str, ...] = ()
    #: Distances between sets; None for all that the package has.
    set_metrics: tuple[SetMetric, ...] | None = None
    #: Whether features are those of whole volumes (clips) instead of some of their slices.
    whole: bool = False

    @property
    @abstractmethod
    def name(self) -> str:
        """By which it is called."""

    @property
    @abstractmethod
    def citation(self) -> str:
        """Where it is laid down."""

    @property
    @abstractmethod
    def settings(self) -> str:
        """Preparation, masks and ranges in short, for records."""

    @property
    @abstractmethod
    def measures(self) -> tuple[Measure, ...]:
        """What is measured of pairs, the most telling first."""

    @abstractmethod
    def values(self, pair: Pair) -> Found:
        """Values of one case, for every measure; NaN where one is not defined."""

    def content(self, path: Path, *, real: bool) -> Content:
        """What is read from a file; by default the one image in it.

        ``real`` files may hold more (structures) than generated ones.
        """
        return Content(read_image(path))

    def distances(self, extractor: str) -> tuple[SetMetric, ...] | None:
        """Distances between sets of features of one of the extractors; None for all there are."""
        return self.set_metrics

    def text(self) -> str:
        """Name, settings, aggregation and remarks in one line, for records."""
        said = f"{self.name}: {self.settings}; mean over {self.over}"
        return "; ".join((said, *self.remarks))


def measured(metrics: Sequence[CaseMetric], pair: Pair) -> dict[str, tuple[float, ...]]:
    """Values of ``metrics`` of a pair, one for each case of its batch."""
    return {
        metric.name: tuple(
            metric.statistic(pair.predicted, pair.reference, pair.mask).double().tolist()
        )
        for metric in metrics
    }


def joined(parts: Sequence[Found]) -> dict[str, tuple[float, ...]]:
    """Values of several groups of slices in a row."""
    return {name: tuple(value for part in parts for value in part[name]) for name in parts[0]}


def clipped(pair: Pair, low: float, high: float) -> Pair:
    """Both images with values outside the limits set to the nearer one."""
    return replace(
        pair,
        predicted=torch.clamp(pair.predicted, low, high),
        reference=torch.clamp(pair.reference, low, high),
    )


def require_labels_or_images(image: Image, case: str, *, labels: bool) -> None:
    """Raise InputError unless a file holds what the protocol judges, with one channel."""
    if image.data.shape[0] != 1:
        raise InputError(
            "one channel", came=image.data.shape[0], case=case, remedy="convert it to grey values"
        )
    if labels and image.data.is_floating_point() and bool((image.data != image.data.round()).any()):
        raise InputError("a label map of whole numbers", came="fractions", case=case)
    if not labels and image.unit == "label":
        raise InputError(
            "an image of intensities", came="labels", case=case,
            remedy="name what the labels are to judge label maps: --labels 1=liver,2=spleen",
        )  # fmt: skip
