"""Two folders of images compared: what other software drew, judged as our own runs are."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically
from vesalius.core.image import Image
from vesalius.core.record import Record, write_records
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.set_comparison import compared_sets
from vesalius.evaluation.sets import MINIMUM_SET, SET_METRICS, resamples
from vesalius.evaluation.statistics import summarise
from vesalius.metrics.feature import (
    RadiomicFeatures,
    RobustScale,
    enough_cases,
    real_floor,
    robustly_named,
)
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import SSIM, fastmri, synthrad_like
from vesalius.reports import ReportContent, verdict, write_report
from vesalius.runner.folder_pictures import strips
from vesalius.runner.image_folder import Item, Pairing, image_items, mask_of, pairing
from vesalius.runner.machine import describe_machine
from vesalius.runner.orientation import has_geometry, superior_axis
from vesalius.runner.run import Silent, Watcher

#: Intensities that are compared where the unit says so by itself: SynthRAD's for HU.
RANGES = {"HU": (-1024.0, 3000.0)}
#: Axial slices a volume whose features are measured.
FEATURE_SLICES = 8


@dataclass(frozen=True)
class Scene:
    """What all images share: unit, intensities compared, axes of space."""

    unit: str
    value_range: tuple[float, float]
    dims: int
    sizes: frozenset[tuple[int, ...]]
    warnings: tuple[str, ...]


@dataclass
class Measured:
    """Values by metric and case, and features by set with their patients."""

    cases: list[tuple[str, str]] = field(default_factory=list)
    values: dict[str, list[float]] = field(default_factory=dict)
    features: dict[str, list[Tensor]] = field(default_factory=lambda: {"real": [], "generated": []})
    patients: dict[str, list[str]] = field(default_factory=lambda: {"real": [], "generated": []})

    def add_features(self, which: str, features: Tensor, patient: str) -> None:
        """Rows of one image."""
        self.features[which].append(features)
        self.patients[which] += [patient] * len(features)


def evaluate_folders(
    real: str | Path,
    generated: str | Path,
    *,
    out: str | Path,
    mask: str | Path | None = None,
    task: str | None = None,
    unit: str | None = None,
    value_range: tuple[float, float] | None = None,
    unpaired: bool = False,
    seed: int = 0,
    watch: Watcher | None = None,
) -> Path:
    """Judge a folder of generated images against a folder of real ones.

    Files of one name are pairs and are compared voxel by voxel; the sets are compared by radiomic
    features beside the value of real against real. Patients are file names, or what
    ``patients.csv`` in a folder says.

    Parameters
    ----------
    real, generated:
        Folders of NIfTI, PNG, npz, npy or h5 files with one channel, 2D or 3D.
    out:
        Receives ``report.html``, ``metrics.json`` (records) and ``cases.csv`` (values by case).
    mask:
        A folder with a mask for every image, by the names of the real ones; all metrics are inside.
    task:
        A task's name: its measures are taken (fastMRI's for reconstruction, else SynthRAD's).
    unit, value_range:
        Of both folders, where files and unit do not say it; intensities are compared over the
        range. Without one it is taken from the real images, and the report says so.
    unpaired:
        Whether files without a partner are allowed; they count in the comparison of sets.

    Returns
    -------
    The report.

    Raises
    ------
    InputError
        For files without a partner, mixed units or sizes, broken files, empty masks.
    """
    watch = watch or Silent()
    out, real, generated = Path(out), Path(real), Path(generated)
    real_items, generated_items = image_items(real), image_items(generated)
    paired = pairing(real_items, generated_items)
    if not unpaired:
        paired.require_partners()
    masks = {item.name: item for item in image_items(Path(mask))} if mask is not None else None
    scene = _scene(real_items, unit, value_range, watch)
    metrics, protocol = _protocol(task, scene, paired)
    metrics, thin = _fitting(metrics, scene)
    measured = _measure(paired, masks, scene, metrics, watch)
    context = Record(
        recipe=generated.resolve().name, task=task or "images", dataset=real.resolve().name,
        protocol=protocol, metric="", level="pixel", unit="", direction="down", value=0.0,
        seed=seed, device=describe_machine()["device"],
    )  # fmt: skip
    watch.stage("statistics", 0)
    records = _case_records(metrics, measured, context, seed)
    set_records, notes = _set_records(measured, scene, context, seed)
    records += set_records
    write_records(out / "metrics.json", records)
    if measured.cases:
        write_atomically(out / "cases.csv", _table(measured).encode())
    path = out / "report.html"
    content = ReportContent(
        title=f"{generated.resolve().name} against {real.resolve().name}",
        question="Are the generated images like the real ones?",
        verdict=verdict(records),
        facts={
            "real": f"{len(real_items)} images of {len({i.patient for i in real_items})} patients",
            "generated": f"{len(generated_items)} images",
            "pairs": len(paired.pairs),
            "unit": scene.unit,
            "range": f"{scene.value_range[0]:g} to {scene.value_range[1]:g} {scene.unit}",
            "mask": "yes" if masks is not None else "none: the whole image",
            "protocol": protocol,
            "seed": seed,
            "software": _software(),
        },
        strips=tuple(strips(paired, masks, scene.unit, metrics, measured.values)),
        records=tuple(records),
        warnings=(*scene.warnings, *thin, *_alone(paired), *notes),
    )
    write_report(path, content)
    return path


def _software() -> str:
    from vesalius import __version__

    return f"vesalius {__version__}, torch {describe_machine()['torch']}"


def _alone(paired: Pairing) -> tuple[str, ...]:
    found = []
    for where, alone in (("real", paired.real_alone), ("generated", paired.generated_alone)):
        if alone:
            found.append(f"{len(alone)} {where} images have no partner.")
    return tuple(found)


def _unit_of(image: Image, item: Item, unit: str | None) -> str:
    """The unit of an image: what the file says, or ``unit`` where it says nothing."""
    if unit is None or image.unit == unit:
        return image.unit
    if image.unit != "a.u.":
        raise InputError(f"images in {unit}", came=image.unit, case=item.path)
    return unit


def _scene(
    items: Sequence[Item], unit: str | None, value_range: tuple[float, float] | None, watch: Watcher
) -> Scene:
    """What the real images share; raises InputError where they are not of one kind."""
    watch.stage("look at real images", len(items))
    units: dict[str, Item] = {}
    dims: dict[int, Item] = {}
    sizes: set[tuple[int, ...]] = set()
    stored: set[str] = set()
    lows, highs = [], []
    for done, item in enumerate(items, start=1):
        image = item.read()
        units.setdefault(_unit_of(image, item, unit), item)
        dims.setdefault(len(image.space), item)
        sizes.add(image.space)
        stored.add(image.stored)
        values = image.data.flatten().double().numpy()
        lows.append(float(values.min()))
        highs.append(float(np.quantile(values, 0.999)))
        watch.advance(done)
    for what, found in (("unit", units), ("number of axes", dims)):
        if len(found) > 1:
            told = ", ".join(f"{key} ({item.path.name})" for key, item in found.items())
            raise InputError(f"one {what} in a folder", came=told, remedy="part the folder")
    the_unit = next(iter(units))
    warnings: tuple[str, ...] = ()
    if value_range is None:
        if the_unit in RANGES:
            value_range = RANGES[the_unit]
        elif stored == {"uint8"}:
            value_range = (0.0, 255.0)
        else:
            value_range = (min(lows), max(highs))
            warnings = (
                f"The range of intensities, {value_range[0]:g} to {value_range[1]:g} {the_unit}, "
                "was taken from the real images: pass --range to compare with other folders.",
            )
    if not value_range[0] < value_range[1]:
        raise InputError("a range with LOW below HIGH", came=value_range, remedy="pass --range")
    return Scene(the_unit, value_range, next(iter(dims)), frozenset(sizes), warnings)


def _protocol(
    task: str | None, scene: Scene, paired: Pairing
) -> tuple[tuple[CaseMetric, ...], str]:
    """Measures of pairs, and how they are named."""
    low, high = scene.value_range
    where = f"{scene.dims}D files, range {low:g} to {high:g} {scene.unit}"
    if task is not None:
        from vesalius import tasks
        from vesalius.anatomy import DigitalPatients
        from vesalius.tasks.reconstruction import Reconstruction

        if tasks.get(task, Call(DigitalPatients)).target is Reconstruction:
            axis: int = 0
            if scene.dims == 3 and paired.pairs:
                axis = superior_axis(paired.pairs[0][0].read())
            return fastmri(slice_axis=axis), f"fastmri measures, {where}"  # type: ignore[arg-type]
    return synthrad_like(low, high, scene.unit), f"synthrad2023 measures, {where}"


def _fitting(
    metrics: tuple[CaseMetric, ...], scene: Scene
) -> tuple[tuple[CaseMetric, ...], tuple[str, ...]]:
    """The measures that the images are large enough for, and a remark on one left out."""
    windows = {m.name: m.window.size for m in metrics if isinstance(m, SSIM)}
    least = min(min(size) for size in scene.sizes)
    for name, size in windows.items():
        if least < size:
            kept = tuple(metric for metric in metrics if metric.name != name)
            return kept, (f"SSIM needs {size} voxels along every axis: left out.",)
    return metrics, ()


def _measure(
    paired: Pairing,
    masks: dict[str, Item] | None,
    scene: Scene,
    metrics: Sequence[CaseMetric],
    watch: Watcher,
) -> Measured:
    """Read every image once more, and keep numbers alone."""
    found = Measured()
    total = len(paired.pairs) + len(paired.real_alone) + len(paired.generated_alone)
    watch.stage("measure", total)
    done = 0
    for real_item, generated_item in paired.pairs:
        reference, image = real_item.read(), _generated(generated_item, scene)
        if has_geometry(reference) and has_geometry(image):
            reference.require_same_grid(image, generated_item.path.name)
        elif reference.space != image.space:
            raise InputError(
                f"a pair of one size, {reference.space}", came=str(image.space),
                case=generated_item.path.name, remedy="resample one of the two onto the other",
            )  # fmt: skip
        mask = mask_of(masks, real_item.name, reference)
        a, b = image.data[None].double(), reference.data[None].double()
        for metric in metrics:
            value = float(metric.statistic(a, b, None if mask is None else mask[None])[0])
            found.values.setdefault(metric.name, []).append(value)
        found.cases.append((real_item.name, real_item.patient))
        axis = superior_axis(reference) if scene.dims == 3 else None
        found.add_features("real", _features(reference, mask, scene, axis), real_item.patient)
        found.add_features("generated", _features(image, mask, scene, axis), real_item.patient)
        done += 1
        watch.advance(done)
    for which, items in (("real", paired.real_alone), ("generated", paired.generated_alone)):
        for item in items:
            image = item.read() if which == "real" else _generated(item, scene)
            if image.space not in scene.sizes:
                raise InputError(
                    "the size of a real image", came=str(image.space), case=item.path.name,
                    remedy="resample: textures of other resolutions cannot be compared",
                )  # fmt: skip
            mask = mask_of(masks, item.name, image)
            axis = superior_axis(image) if scene.dims == 3 else None
            found.add_features(which, _features(image, mask, scene, axis), item.patient)
            done += 1
            watch.advance(done)
    return found


def _generated(item: Item, scene: Scene) -> Image:
    """A generated image, of the real ones' unit and number of axes."""
    image = item.read()
    if _unit_of(image, item, scene.unit) != scene.unit:
        raise InputError(f"images in {scene.unit}", came=image.unit, case=item.path)
    if len(image.space) != scene.dims:
        raise InputError(f"{scene.dims} axes of space", came=len(image.space), case=item.path)
    return image


def _features(image: Image, mask: Tensor | None, scene: Scene, axis: int | None) -> Tensor:
    """Radiomic features, ``(slice, feature)``: one row an image, up to eight a volume."""
    extractor = RadiomicFeatures(scene.value_range, dimensions=2)
    if axis is None:
        return extractor.features(image.data[None], None if mask is None else mask[None])
    n = image.space[axis]
    known = np.arange(n)
    if mask is not None:
        others = [a for a in range(4) if a != axis + 1]
        known = np.flatnonzero(mask.numpy().any(axis=tuple(others)))
    parts = min(FEATURE_SLICES, len(known))
    places = torch.from_numpy(known[[int((k + 0.5) * len(known) / parts) for k in range(parts)]])
    slices = image.data.index_select(axis + 1, places).movedim(axis + 1, 0)
    inside = None if mask is None else mask.index_select(axis + 1, places).movedim(axis + 1, 0)
    return extractor.features(slices, inside)


def _case_records(
    metrics: Sequence[CaseMetric], measured: Measured, context: Record, seed: int
) -> list[Record]:
    records = []
    for metric in metrics if measured.cases else ():
        rng = numpy_stream(seed, "bootstrap", metric.name)
        found = summarise(measured.values[metric.name], [p for _, p in measured.cases], rng)
        dropped = f"not defined for {found.n_dropped} cases" if found.n_dropped else ""
        records.append(
            replace(
                context, metric=metric.name, level=metric.level, unit=metric.unit,
                direction=metric.direction, value=found.value, low=_bound(found.low),
                high=_bound(found.high), n=found.n_patients, note=dropped,
            )
        )  # fmt: skip
    return records


def _bound(value: float) -> float | None:
    return None if math.isnan(value) else value


def _set_records(
    measured: Measured, scene: Scene, context: Record, seed: int
) -> tuple[list[Record], list[str]]:
    """The sets compared by radiomic features, with real against real beside them."""
    counts = {which: len(set(found)) for which, found in measured.patients.items()}
    few = [which for which, count in counts.items() if count < MINIMUM_SET]
    if few:
        told = " and ".join(f"{counts[which]} {which}" for which in few)
        return [], [
            f"{told} patients are too few to compare distributions (at least {MINIMUM_SET}): "
            "no feature-level numbers."
        ]
    real, generated = (torch.cat(measured.features[which]) for which in ("real", "generated"))
    extractor = RadiomicFeatures(scene.value_range, dimensions=2)
    scale = RobustScale.fit(real)  # there are no training images here to take it from
    real, generated = scale(real), scale(generated)
    records, notes = [], []
    for metric in SET_METRICS:
        rng = numpy_stream(seed, "sets", metric.name)
        floor, _, _ = real_floor(metric, real, measured.patients["real"], rng)
        interval = compared_sets(
            metric, {"generated": generated}, real, measured.patients["generated"],
            measured.patients["real"], rng, n_boot=resamples(metric, len(real)),
        ).intervals["generated"]  # fmt: skip
        name = robustly_named(metric.name, extractor)
        note = enough_cases(metric, min(counts.values()), real.shape[1])
        if note:
            notes.append(f"{name}: {note}.")
        records.append(
            replace(
                context, metric=name, level="feature", unit=metric.unit,
                direction=metric.direction, value=interval.value, low=_bound(interval.low),
                high=_bound(interval.high), n=min(counts.values()), floor=floor, note=note,
            )
        )  # fmt: skip
    return records, notes


def _table(measured: Measured) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["case", "patient", *measured.values])
    for row, (case, patient) in enumerate(measured.cases):
        writer.writerow([case, patient, *(repr(v[row]) for v in measured.values.values())])
    return text.getvalue()
