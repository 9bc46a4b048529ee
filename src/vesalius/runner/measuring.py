"""One pass over files: each is read once, for its measures and its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.evaluation.protocols import Content, Found, Pair, Protocol
from vesalius.metrics.feature.extractors import extractor, sees_volumes
from vesalius.metrics.metric import Extractor
from vesalius.runner.image_folder import Item, read_mask
from vesalius.runner.orientation import has_geometry, superior_axis
from vesalius.runner.scene import Scene, content_of

Side = Literal["real", "generated", "train"]
SIDES: tuple[Side, ...] = ("real", "generated", "train")
#: Axial slices a volume whose features are measured.
FEATURE_SLICES = 8
#: Files that are measured, kept and sent at once: 2D images, volumes.
CASES_AT_ONCE = {2: 32, 3: 1}

#: What a chunk leaves behind: arrays by name.
Part = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Job:
    """A pair, or a file without a partner; its mask."""

    real: Item | None = None
    generated: Item | None = None
    train: Item | None = None
    mask: Item | None = None

    @property
    def items(self) -> dict[Side, Item]:
        """Files by side."""
        found: dict[Side, Item | None] = {
            "real": self.real,
            "generated": self.generated,
            "train": self.train,
        }
        return {side: item for side, item in found.items() if item is not None}


@dataclass(frozen=True)
class Plan:
    """What is done to every file: how it is read, what is measured, which features."""

    protocol: Protocol
    scene: Scene
    extractors: tuple[str, ...]

    def dimensions(self, spec: str) -> int:
        """Axes of space that an extractor sees: slices of volumes, unless it takes them whole."""
        return self.scene.dims if self.protocol.whole or _of_volumes(spec) else 2

    def extractor(self, spec: str) -> Extractor:
        """The extractor that a word names."""
        return _extractor(spec, self.scene.value_range, self.dimensions(spec))


@lru_cache(maxsize=4)
def _extractor(spec: str, window: tuple[float, float], dimensions: int) -> Extractor:
    return extractor(spec, window, dimensions)


@lru_cache(maxsize=4)
def _of_volumes(spec: str) -> bool:
    return sees_volumes(spec)


@dataclass(frozen=True)
class Failure:
    """An InputError of a worker, in words: errors with arguments do not cross processes."""

    expected: str
    came: str | None
    case: str | None
    remedy: str | None

    @staticmethod
    def of(error: InputError) -> Failure:
        """What it said."""
        parts = (None if x is None else str(x) for x in (error.came, error.case, error.remedy))
        return Failure(error.expected, *parts)

    def error(self) -> InputError:
        """To be raised where the user sees it."""
        return InputError(self.expected, came=self.came, case=self.case, remedy=self.remedy)


@dataclass(frozen=True)
class _Waiting:
    """An image whose features are not measured yet: its job, ``(1, 1, *space)``, mask, slices."""

    job: int
    image: Tensor
    mask: Tensor | None
    slice_axis: int | None

    def seen(self, dimensions: int) -> tuple[Tensor, Tensor | None]:
        """What an extractor sees: the whole, or up to eight axial slices ``(n, 1, *plane)``."""
        image, mask, axis = self.image, self.mask, self.slice_axis
        if image.ndim - 2 == dimensions or axis is None:
            return image, mask
        known = np.arange(image.shape[axis + 2])
        if mask is not None:
            others = tuple(a for a in range(5) if a != axis + 2)
            known = np.flatnonzero(mask.numpy().any(axis=others))
        n = min(FEATURE_SLICES, len(known))
        places = torch.from_numpy(known[[int((k + 0.5) * len(known) / n) for k in range(n)]])

        def slices(volume: Tensor) -> Tensor:
            return volume[0].index_select(axis + 1, places).movedim(axis + 1, 0)

        return slices(image), None if mask is None else slices(mask)


@dataclass
class _Chunk:
    """Values, sizes (one an image) and images whose features wait, by side."""

    values: dict[str, list[float]] = field(default_factory=dict)
    owners: dict[str, list[int]] = field(default_factory=dict)
    images: dict[Side, list[_Waiting]] = field(default_factory=lambda: {side: [] for side in SIDES})
    sizes: dict[Side, list[tuple[int, ...]]] = field(
        default_factory=lambda: {side: [] for side in SIDES}
    )


def measure(plan: Plan, jobs: Sequence[Job]) -> Part | Failure:
    """Values and features of some jobs, the same in whichever process or machine it runs.

    One thread a process: how sums are parted among threads would change their last digits.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        chunk = _Chunk()
        for number, job in enumerate(jobs):
            _measure_job(plan, job, number, chunk)
        return _part(plan, chunk)
    except InputError as error:
        return Failure.of(error)
    finally:
        torch.set_num_threads(threads)


def _measure_job(plan: Plan, job: Job, number: int, chunk: _Chunk) -> None:
    contents = {
        side: content_of(item, plan.protocol, real=side != "generated")
        for side, item in job.items.items()
    }
    for side, content in contents.items():
        plan.scene.check(content.image, job.items[side])
    whose = contents.get("real") or next(iter(contents.values()))
    mask = None if job.mask is None else read_mask(job.mask, whose.image)
    if "real" in contents and "generated" in contents:
        assert job.generated is not None
        pair = _pair(plan, contents["real"], contents["generated"], mask, job.generated)
        for measure_name, values in _values(plan.protocol, pair, job.generated).items():
            chunk.values.setdefault(measure_name, []).extend(values)
            chunk.owners.setdefault(measure_name, []).extend([number] * len(values))
    for side, content in contents.items():
        chunk.sizes[side].append(content.image.space)
        if not plan.protocol.labels:
            inside = mask if mask is not None and mask.shape[1:] == content.image.space else None
            chunk.images[side].append(
                _Waiting(
                    number,
                    content.image.data[None],
                    None if inside is None else inside[None],
                    _slice_axis(content) if len(content.image.space) == 3 else None,
                )
            )


def _values(protocol: Protocol, pair: Pair, item: Item) -> Found:
    try:
        return protocol.values(pair)
    except InputError as error:
        if error.case is not None:
            raise
        raise InputError(
            error.expected, came=error.came, case=item.shown, remedy=error.remedy
        ) from error


def _pair(plan: Plan, real: Content, generated: Content, mask: Tensor | None, item: Item) -> Pair:
    reference, image = real.image, generated.image
    if reference.space == image.space:
        if has_geometry(reference) and has_geometry(image):
            reference.require_same_grid(image, item.shown)
    elif not plan.protocol.crops:
        raise InputError(
            f"a pair of one size, {reference.space}", came=str(image.space), case=item.shown,
            remedy="resample one of the two onto the other",
        )  # fmt: skip
    return Pair(
        image.data[None].double(),
        reference.data[None].double(),
        None if mask is None else mask[None],
        spacing_mm=reference.spacing_mm,
        slice_axis=_slice_axis(real),
        regions={key: region[None] for key, region in real.regions.items()},
    )


def _slice_axis(content: Content) -> int:
    if content.slice_axis is not None:
        return content.slice_axis
    return superior_axis(content.image)


def _part(plan: Plan, chunk: _Chunk) -> Part:
    found: Part = {}
    for number, measure_name in enumerate(m.name for m in plan.protocol.measures):
        found[f"values-{number}"] = np.asarray(chunk.values.get(measure_name, []), dtype=np.float64)
        found[f"owners-{number}"] = np.asarray(chunk.owners.get(measure_name, []), dtype=np.int64)
    for side in SIDES:
        found[f"sizes-{side}"] = np.asarray(chunk.sizes[side], dtype=np.int64)
        if not chunk.images[side]:
            continue
        for number, spec in enumerate(plan.extractors):
            seen = [one.seen(plan.dimensions(spec)) for one in chunk.images[side]]
            jobs = [one.job for one in chunk.images[side]]
            counts = [len(images) for images, _ in seen]
            found[f"rows-{side}-{number}"] = np.repeat(np.asarray(jobs, dtype=np.int64), counts)
            found[f"features-{side}-{number}"] = _features(plan.extractor(spec), seen)
    return found


def _features(made: Extractor, seen: Sequence[tuple[Tensor, Tensor | None]]) -> Any:
    """Features of the images in order; neighbours of one size are measured together."""
    found, first = [], 0
    while first < len(seen):
        size = seen[first][0].shape[1:]
        last = first
        while last < len(seen) and seen[last][0].shape[1:] == size:
            last += 1
        group = seen[first:last]
        masks = [inside for _, inside in group if inside is not None]
        images = torch.cat([images for images, _ in group])
        found.append(made.features(images, torch.cat(masks) if masks else None).double())
        first = last
    return torch.cat(found).numpy()
