"""Axial slices of a source of volumes; slices stay as they are."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.source import Case, Source


def axial_axis(image: Image) -> int:
    """The axis of a volume that runs most nearly from feet to head."""
    directions = np.abs(image.affine[2, :3]) / np.linalg.norm(image.affine[:3, :3], axis=0)
    return int(directions.argmax())


def axial_slice(image: Image, place: int) -> Image:
    """Slice ``place`` of a volume, on its own 2D grid: the slice normal is the third column.

    Places beyond the ends give the first or the last slice.
    """
    axis = axial_axis(image)
    place = min(max(place, 0), image.space[axis] - 1)
    affine = image.affine.copy()
    affine[:3, 3] += place * image.affine[:3, axis]
    within = [other for other in range(3) if other != axis]
    affine[:3, :3] = image.affine[:3, [*within, axis]]
    return dataclasses.replace(image, data=image.data.select(axis + 1, place), affine=affine)


@dataclass(frozen=True)
class AxialSlices(Source):
    """``count`` axial slices of every volume of ``source``.

    Slice k of n lies at the fraction (k + 1/2) / n of the extent of the first mask of ``regions``
    that the source has (of the whole volume without one). A case is named after its volume,
    ``pt_1-slice-3``, and keeps patient, partition and site. ``names`` are the channels that are
    kept, None for all. ``neighbours`` adds, for every image that is no mask, the slices below and
    above as ``ct_below_1``, ``ct_above_1``, ...; at the ends, the last slice stands in. A source of
    slices is passed on unchanged, where a slice is its own neighbour.
    """

    source: Source
    count: int = 8
    names: tuple[str, ...] | None = None
    regions: tuple[str, ...] = ("mask",)
    neighbours: int = 0

    name: ClassVar[str] = "axial-slices"
    licence: ClassVar[str] = ""
    citation: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for what in ("name", "licence", "citation"):
            object.__setattr__(self, what, getattr(self.source, what))

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Never: another source finds the volumes."""
        del path
        return False

    @cached_property
    def _inner(self) -> Mapping[str, str]:
        channels = self.source.channels()
        return {k: v for k, v in channels.items() if self.names is None or k in self.names}

    @cached_property
    def _volumes(self) -> dict[str, Case]:
        return {case.identifier: case for case in self.source.cases()}

    @cached_property
    def has_volumes(self) -> bool:
        """Whether there is anything to slice, told from the first case."""
        if self.count < 1 or self.neighbours < 0:
            raise InputError("one slice or more, neighbours from zero on", came=self.count)
        first = next(iter(self._volumes.values()))
        return len(next(iter(self.source.read(first).values())).space) == 3

    def channels(self) -> Mapping[str, str]:
        """Those kept, and neighbours."""
        found = dict(self._inner)
        for name, modality in self._inner.items():
            if modality != "mask":
                found |= dict.fromkeys(self.neighbour_names(name), modality)
        return found

    def neighbour_names(self, channel: str) -> tuple[str, ...]:
        """Names of the slices beside ``channel``, nearest first, below before above."""
        distances = range(1, self.neighbours + 1)
        return tuple(f"{channel}_{side}_{k}" for k in distances for side in ("below", "above"))

    def cases(self) -> tuple[Case, ...]:
        """The slices of all cases, volume by volume."""
        if not self.has_volumes:
            return tuple(self._volumes.values())
        return tuple(
            dataclasses.replace(
                case,
                identifier=f"{case.identifier}-slice-{number}",
                covariates={**case.covariates, "slice": float(number)},
            )
            for case in self._volumes.values()
            for number in range(self.count)
        )

    def read(self, case: Case) -> Mapping[str, Image]:
        """One slice."""
        return self.read_volume(case)[case.identifier]

    def read_volume(self, case: Case) -> Mapping[str, Mapping[str, Image]]:
        """All slices of the volume that ``case`` is of, by case identifier; read once."""
        if not self.has_volumes:
            images = self.source.read(case)
            beside = {
                other: images[name]
                for name, modality in self._inner.items()
                if modality != "mask"
                for other in self.neighbour_names(name)
            }
            return {case.identifier: {**{name: images[name] for name in self._inner}, **beside}}
        stem, _, number = case.identifier.rpartition("-slice-")
        if stem not in self._volumes or not number.isdigit() or int(number) >= self.count:
            raise InputError("a case of this source", came=case.identifier)
        images = self.source.read(self._volumes[stem])
        places = self._places(images, stem)
        return {f"{stem}-slice-{k}": self._at(images, place) for k, place in enumerate(places)}

    def _places(self, images: Mapping[str, Image], case: str) -> list[int]:
        first = images[next(iter(self._inner))]
        if len(first.space) != 3:
            raise InputError("a volume", came=f"{len(first.space)} axes of space", case=case)
        axis = axial_axis(first)
        low, high = 0, first.space[axis]
        region = next((images[name] for name in self.regions if name in images), None)
        if region is not None:
            others = [other for other in range(1, 4) if other != axis + 1]
            inside = (region.data > 0).sum(dim=(0, *others)).nonzero()
            if len(inside):
                low, high = int(inside.min()), int(inside.max()) + 1
        return [low + int((k + 0.5) / self.count * (high - low)) for k in range(self.count)]

    def _at(self, images: Mapping[str, Image], place: int) -> dict[str, Image]:
        found = {name: axial_slice(images[name], place) for name in self._inner}
        for name, modality in self._inner.items():
            if modality == "mask":
                continue
            steps = [sign * k for k in range(1, self.neighbours + 1) for sign in (-1, 1)]
            # below is nearer the feet, wherever the axis runs
            up = 1 if images[name].affine[2, axial_axis(images[name])] > 0 else -1
            for other, step in zip(self.neighbour_names(name), steps, strict=True):
                found[other] = axial_slice(images[name], place + up * step)
        return found
