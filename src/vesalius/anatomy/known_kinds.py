"""Digital patients of known kinds in known shares, and a rule that reads the kind of any image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from vesalius.anatomy.digital_patients import DigitalPatients
from vesalius.core.image import Image
from vesalius.core.rng import numpy_stream
from vesalius.data.source import Case, Source

#: Where a lesion may lie, as parts of the image's height and width.
PLACES: Mapping[str, tuple[float, float]] = {
    "front left": (0.36, 0.36),
    "front right": (0.36, 0.64),
    "middle": (0.50, 0.50),
    "back left": (0.66, 0.36),
    "back right": (0.66, 0.64),
}
SIGNS: Mapping[str, float] = {"bright": 1.9, "dark": 0.1}
#: Names of the kinds: a lesion's sign and its place.
KINDS = tuple(f"{sign} {place}" for sign in SIGNS for place in PLACES)
#: Each kind is this part as frequent as the one before.
RARER = 0.8
#: Radii as parts of the image's side: of a lesion, and of the ring that it is compared with.
LESION_RADIUS, RING_RADIUS = 0.07, 0.13
#: Side of the lead marker, and how far it lies from the border.
MARKER, MARGIN = 0.125, 0.03
MARKER_LEVEL = 1.9
#: Contrast, in units of the brain's level, from which a lesion or a marker counts as seen.
SEEN = 0.3


def shares() -> tuple[float, ...]:
    """How frequent each of :data:`KINDS` is; they add up to one."""
    raw = [RARER**k for k in range(len(KINDS))]
    return tuple(value / sum(raw) for value in raw)


@dataclass(frozen=True)
class KnownKinds(Source):
    """Slices of digital heads, each with one lesion of ten kinds and a lead marker far from it.

    The lesion is bright or dark, at one of five places; its kind is drawn with :func:`shares`, from
    frequent to rare. The marker stands in the bottom right corner where the lesion is bright and
    in the bottom left one where it is dark: what it says lies half an image away, so images in
    which the two agree show that far ends of an image were learnt together. Levels are in units of
    the brain's (its 90th percentile).

    Parameters
    ----------
    n:
        Patients: different heads.
    cases_per_patient:
        Images of each head, every one with a lesion of its own.
    size:
        Rows and columns.
    """

    n: int = 100
    cases_per_patient: int = 10
    size: tuple[int, int] = (32, 32)
    seed: int = 0

    name: ClassVar[str] = "known-kinds"
    licence: ClassVar[str] = DigitalPatients.licence
    citation: ClassVar[str] = DigitalPatients.citation

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Never: these patients are in no file."""
        del path
        return False

    @cached_property
    def _heads(self) -> DigitalPatients:
        return DigitalPatients(
            n=self.n, size=self.size, seed=self.seed, contrasts=("t1",), lesions="none"
        )

    @cached_property
    def _photographed(self) -> dict[str, tuple[Image, Image]]:
        """Heads that were made before: T1 in units of the brain's level, and the mask."""
        return {}

    def channels(self) -> Mapping[str, str]:
        """One image, and the mask of the head."""
        return {name: kind for name, kind in self._heads.channels().items() if name in _PARTS}

    def cases(self) -> tuple[Case, ...]:
        """All cases; the covariate ``kind`` is the place in :data:`KINDS`."""
        found = []
        for head in self._heads.cases():
            for number in range(self.cases_per_patient):
                name = f"{head.identifier}-lesion-{number}"
                kind = numpy_stream(self.seed, "kind", name).choice(len(KINDS), p=shares())
                found.append(replace(head, identifier=name, covariates={"kind": float(kind)}))
        return tuple(found)

    def read(self, case: Case) -> Mapping[str, Image]:
        """``t1`` and ``mask``; raises InputError for cases of another source."""
        if case.patient not in self._photographed:
            found = self._heads.read(replace(case, identifier=case.patient))
            inside = found["mask"].data > 0
            level = float(np.percentile(found["t1"].data[inside].numpy(), 90))
            scaled = replace(found["t1"], data=found["t1"].data / level, unit="1")
            self._photographed[case.patient] = (scaled, found["mask"])
        head, mask = self._photographed[case.patient]
        return {
            "t1": replace(head, data=painted(head.data, int(case.covariates["kind"]))),
            "mask": mask,
        }


_PARTS = ("t1", "mask")


def _distance(size: tuple[int, ...], place: tuple[float, float]) -> Tensor:
    """Distance of every voxel to ``place``, as part of the image's side."""
    rows = (torch.arange(size[0]) + 0.5) / size[0] - place[0]
    columns = (torch.arange(size[1]) + 0.5) / size[1] - place[1]
    return torch.hypot(rows[:, None], columns[None])


def _corner(size: tuple[int, ...], right: bool) -> tuple[slice, slice]:
    """The voxels of the marker's square."""
    side, away = (max(2, round(part * size[0])) for part in (MARKER, MARGIN))
    away = max(1, away - 1)
    rows = slice(size[0] - away - side, size[0] - away)
    if right:
        return rows, slice(size[1] - away - side, size[1] - away)
    return rows, slice(away, away + side)


def painted(image: Tensor, kind: int) -> Tensor:
    """``image`` ``(1, rows, columns)``, in units of the brain's level, with lesion and marker."""
    sign, place = divmod(kind, len(PLACES))
    size = tuple(image.shape[1:])
    found = image.clone()
    inside = _distance(size, tuple(PLACES.values())[place]) <= LESION_RADIUS
    found[:, inside] = tuple(SIGNS.values())[sign]
    rows, columns = _corner(size, right=sign == 0)
    found[:, rows, columns] = MARKER_LEVEL
    return found


@dataclass(frozen=True)
class Readings:
    """What :func:`read_kinds` sees in images.

    ``kind``: int64 (n,), the place in :data:`KINDS`, -1 where no lesion stands out. ``sign``: int64
    (n,), what the marker says, 0 bright and 1 dark, -1 where not exactly one corner has one.
    """

    kind: Tensor
    sign: Tensor

    @property
    def readable(self) -> Tensor:
        """(n,) bool: lesion and marker are both there."""
        return (self.kind >= 0) & (self.sign >= 0)

    @property
    def agrees(self) -> Tensor:
        """(n,) bool: both are there, and the marker says the lesion's sign."""
        return self.readable & (self.kind // len(PLACES) == self.sign)


def read_kinds(images: Tensor) -> Readings:
    """Read lesion and marker of images ``(n, 1, rows, columns)`` in units of the brain's level.

    A lesion is where a disc differs most from the ring around it, by :data:`SEEN` at least.
    """
    flat, size = images[:, 0], tuple(images.shape[2:])
    contrasts = []
    for place in PLACES.values():
        distance = _distance(size, place)
        disc, ring = (
            distance <= LESION_RADIUS,
            (distance > LESION_RADIUS) & (distance <= RING_RADIUS),
        )
        contrasts.append(flat[:, disc].mean(1) - flat[:, ring].median(1).values)
    contrast = torch.stack(contrasts, 1)
    size_of, place_of = contrast.abs().max(1)
    dark = contrast.gather(1, place_of[:, None])[:, 0] < 0
    kind = torch.where(size_of >= SEEN, place_of + len(PLACES) * dark, -1)
    marks = []
    for right in (True, False):
        rows, columns = _corner(size, right)
        marks.append(flat[:, rows, columns].mean((1, 2)) >= MARKER_LEVEL / 2)
    sign = torch.where(marks[0] ^ marks[1], marks[1].long(), -1)
    return Readings(kind, sign)
