"""Two folders of images compared: what other software drew, judged as our own runs are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically
from vesalius.core.record import Record, write_records
from vesalius.data.files import require_file
from vesalius.evaluation import protocols
from vesalius.evaluation.protocols import (
    ByMetrics,
    LabelMaps,
    Protocol,
    StudyProtocol,
    named_labels,
)
from vesalius.evaluation.protocols.label_maps import TOLERANCE_MM
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import fastmri, synthrad_like
from vesalius.reports import ReportContent, Table, verdict, write_report
from vesalius.runner.chosen_metrics import by_name, fitting
from vesalius.runner.folder_patients import (
    require_independence,
    require_pairs_of_one_patient,
    require_unseen,
)
from vesalius.runner.folder_pictures import copy_strips, strips
from vesalius.runner.folder_records import (
    RADIOMICS,
    case_records,
    memory_records,
    set_records,
    subgroup_rows,
)
from vesalius.runner.folder_study import run_study
from vesalius.runner.folder_tables import copies_table, extremes_table, subgroups_table
from vesalius.runner.image_folder import Item, Pairing, Pairs, image_items, pairing
from vesalius.runner.ladder_tables import ladder_tables
from vesalius.runner.machine import describe_machine
from vesalius.runner.measured import Measured, extremes, gathered, table
from vesalius.runner.measuring import CASES_AT_ONCE, Job, Plan
from vesalius.runner.orientation import superior_axis
from vesalius.runner.parts import PARTS, Parts
from vesalius.runner.run import Silent, Watcher
from vesalius.runner.scene import Scene, content_of, look
from vesalius.runner.workers import Workers

#: By which copies are looked for, whatever else is measured.
PIXELS = "pixels"
#: Of pairs, whose sets are alike by their patients before anything is drawn.
TWINS = (
    "Both sets are of the same patients, real against real is of different ones: a distance as "
    "small as that does not yet show that the images are alike."
)
_UNTOLD = ByMetrics("", "", ())


@dataclass(frozen=True)
class Folders:
    """What is judged: files by partner, masks, training images."""

    real: str
    generated: str
    paired: Pairing
    masks: dict[str, Item] | None
    train: tuple[Item, ...]

    @property
    def jobs(self) -> tuple[Job, ...]:
        """Pairs, then files without a partner, then training images."""
        paired = self.paired
        return (
            *(Job(real=a, generated=b, mask=self._mask(a)) for a, b in paired.pairs),
            *(Job(real=item, mask=self._mask(item)) for item in paired.real_alone),
            *(Job(generated=item, mask=self._mask(item)) for item in paired.generated_alone),
            *(Job(train=item) for item in self.train),
        )

    def _mask(self, item: Item) -> Item | None:
        if self.masks is None:
            return None
        if item.name not in self.masks:
            raise InputError(
                "a mask of this name", came="none", case=item.shown, remedy="add it, or use none"
            )
        return self.masks[item.name]


def evaluate_folders(
    real: str | Path,
    generated: str | Path,
    *,
    out: str | Path,
    protocol: str | None = None,
    mask: str | Path | None = None,
    task: str | None = None,
    unit: str | None = None,
    value_range: tuple[float, float] | None = None,
    labels: str | None = None,
    tolerance_mm: float = TOLERANCE_MM,
    lesions: bool = False,
    metrics: Sequence[str] = (),
    extractors: Sequence[str] = (),
    train: str | Path | None = None,
    subgroups: str | Path | None = None,
    pairs: Pairs = "every",
    workers: Workers | None = None,
    seed: int = 0,
    watch: Watcher | None = None,
) -> Path:
    """Judge a folder of generated images against a folder of real ones, reading each file once.

    Files of one name are pairs and are compared voxel by voxel; the sets are compared by features
    beside the value of real against real. Patients are what ``patients.csv`` in a folder says, else
    the DICOM header, else file names. What is measured is kept as it goes: the same call goes on
    where an earlier one stopped, and measures again what has changed.

    Parameters
    ----------
    real, generated:
        Folders of NIfTI, PNG, npz, npy or h5 files with one channel, 2D or 3D, or of DICOM files
        (one image each) or subfolders (one series each).
    out:
        Receives ``report.html``, ``metrics.json`` (records), ``cases.csv`` (values by case) and
        ``parts/`` (what was measured so far).
    protocol:
        A published protocol's name (see :mod:`vesalius.evaluation.protocols`), whose preparation,
        masks, ranges and averages are then fixed. Studies (``medmnist-augmentation``) take files
        of their own and none of the other options but the seed.
    mask:
        A folder with a mask for every image, by the names of the real ones; all metrics are inside.
    task:
        A task's name: its measures are taken (fastMRI's for reconstruction, else SynthRAD's).
    unit, value_range:
        Of both folders, where files and unit do not say it; intensities are compared over the
        range. Without one it is taken from the real images, and the report says so.
    labels, tolerance_mm, lesions:
        ``"1=liver,2=spleen"``: the files are label maps, judged label by label; the tolerance is
        that of surface Dice, and parts of labels that are ``lesions`` are counted.
    metrics:
        Names of pixel metrics beside those that are always taken, or ``"all"`` of
        :func:`vesalius.metrics.pixel.pixel_metrics`; a protocol has its own.
    extractors:
        What sets are compared by (see :func:`vesalius.metrics.feature.extractors.extractor`);
        radiomics by default. Of volumes, eight axial slices are seen.
    train:
        Images that the generator was trained on: copies of them are counted and shown.
    subgroups:
        A CSV table of covariates by case or patient: every measure in each group.
    pairs:
        ``"every"`` file needs a partner of its name; ``"common"`` allows files without one, which
        count in the comparison of sets; ``"none"`` compares sets only, whatever files are named.
    workers:
        Processes or a Ray cluster; numbers do not depend on it.

    Returns
    -------
    The report.

    Raises
    ------
    InputError
        For files without a partner, pairs of two patients, mixed units, bit depths or sizes, broken
        files, empty masks, patients who were trained on among the real ones.
    """
    watch = watch or Silent()
    out = Path(out)
    named = None if protocol is None else protocols.get(protocol)
    if isinstance(named, StudyProtocol):
        return run_study(named, Path(real), Path(generated), out, seed, watch)
    folders, remarks = _opened(Path(real), Path(generated), mask, train, pairs)
    if subgroups is not None:
        require_file(Path(subgroups))
    maps = None
    if labels is not None:
        maps = LabelMaps.of(named_labels(labels), tolerance_mm, lesions=lesions)
    plan, thin = _planned(folders, named, task, unit, value_range, maps, metrics, watch)
    specs = dict.fromkeys(extractors or plan.protocol.extractors or (RADIOMICS,))
    if folders.train:
        specs.setdefault(PIXELS)
    plan = replace(plan, extractors=() if plan.protocol.labels else tuple(specs))
    for spec in plan.extractors:  # a missing weight is told before hours of work
        remarks += (require_unseen(plan.extractor(spec), folders.paired),)
    size = CASES_AT_ONCE[plan.scene.dims]
    jobs = folders.jobs
    chunks = tuple(jobs[first : first + size] for first in range(0, len(jobs), size))
    parts = Parts(out / PARTS, plan, chunks)
    parts.complete(workers or Workers(), watch)
    measured = gathered(parts)
    context = Record(
        recipe=folders.generated, task=task or "images", dataset=folders.real,
        protocol=plan.protocol.text(), metric="", level="pixel", unit="", direction="down",
        value=0.0, seed=seed, device=describe_machine()["device"],
    )  # fmt: skip
    watch.stage("statistics", 0)
    compared = tuple(spec for spec in plan.extractors if spec != PIXELS or spec in extractors)
    sets, notes = set_records(measured, replace(plan, extractors=compared), context, seed)
    memory, copied, few = memory_records(measured, plan, context, seed)
    records = [*case_records(plan.protocol.measures, measured, context, seed), *sets, *memory]
    write_records(out / "metrics.json", records)
    if measured.cases and measured.values:
        write_atomically(out / "cases.csv", table(measured).encode())
    else:  # that of an earlier evaluation, which had pairs
        (out / "cases.csv").unlink(missing_ok=True)
    if not records:
        raise InputError(
            "pairs, or enough patients to compare sets", came="; ".join(notes) or "neither",
            case=folders.generated,
        )  # fmt: skip
    shown = strips(plan, folders.paired, folders.masks, measured)
    if copied:
        items = {item.name: item for _, item in folders.paired.pairs}
        items |= {item.name: item for item in folders.paired.generated_alone}
        shown += copy_strips(plan, copied, items, {item.name: item for item in folders.train})
    tables: list[Table] = []
    if measured.cases and measured.values:
        tables.append(extremes_table(extremes(plan.protocol.measures, measured)))
        tables += _subgroups(plan, measured, subgroups, folders.generated, seed)
    if copied:
        tables.append(copies_table(copied))
    if sets and folders.paired.pairs:
        remarks += (TWINS,)
    content = ReportContent(
        title=f"{folders.generated} against {folders.real}",
        question="Are the generated images like the real ones?",
        verdict=verdict(records, held_out=False),
        facts=_facts(folders, plan, seed),
        strips=tuple(shown),
        records=tuple(records),
        tables=tuple(tables),
        reference=() if plan.protocol.labels else ladder_tables(),
        warnings=(
            *plan.scene.warnings,
            *thin,
            *_alone(folders.paired),
            *filter(None, remarks),
            *notes,
            *few,
        ),
    )
    path = out / "report.html"
    write_report(path, content)
    return path


def _opened(
    real: Path, generated: Path, mask: str | Path | None, train: str | Path | None, pairs: Pairs
) -> tuple[Folders, tuple[str, ...]]:
    """Files of the folders, checked by name and patient; remarks for the report."""
    if pairs == "none" and mask is not None:
        raise InputError(
            "pairs, since masks are those of real images", came="a folder of masks and no pairs",
            remedy="leave --mask out, or let files of one name be pairs",
        )  # fmt: skip
    found = image_items(real), image_items(generated)
    paired = Pairing.none(*found) if pairs == "none" else pairing(*found)
    if pairs == "every":
        paired.require_partners()
    require_pairs_of_one_patient(paired)
    masks = None if mask is None else {item.name: item for item in image_items(Path(mask))}
    trained = () if train is None else image_items(Path(train))
    remark = require_independence(trained, paired) if trained else ""
    folders = Folders(real.resolve().name, generated.resolve().name, paired, masks, trained)
    return folders, (remark,)


def _planned(
    folders: Folders,
    chosen: Protocol | None,
    task: str | None,
    unit: str | None,
    value_range: tuple[float, float] | None,
    maps: LabelMaps | None,
    metrics: Sequence[str],
    watch: Watcher,
) -> tuple[Plan, tuple[str, ...]]:
    """The protocol and what the images share, and a remark on measures left out."""
    if sum(given is not None for given in (chosen, task, maps)) > 1:
        raise InputError("a protocol, a task or labels", came="two of them")
    if chosen is not None:
        _require_mask(chosen, folders)
    elif maps is not None:
        chosen = maps
    if chosen is not None and chosen.value_range is not None and value_range is not None:
        raise InputError(
            f"the ranges of '{chosen.name}', which are fixed", came=f"--range {value_range}",
            remedy="leave --range out",
        )  # fmt: skip
    if chosen is not None and metrics:
        raise InputError(
            f"the measures of '{chosen.name}'", came="others by name", remedy="leave --metric out"
        )
    paired = folders.paired
    items = [item for item, _ in paired.pairs] + list(paired.real_alone)
    scene = look(items, chosen, unit, value_range, chosen or _UNTOLD, watch)
    if chosen is not None:
        return Plan(chosen, scene, ()), ()
    usual, told = _of_task(task, scene, items[0])
    chosen_by_name, thin = fitting((*usual, *by_name(metrics, usual, scene)), scene)
    where = _where(scene, masked=folders.masks is not None)
    return Plan(ByMetrics(told, where, chosen_by_name), scene, ()), thin


def _require_mask(protocol: Protocol, folders: Folders) -> None:
    if protocol.mask == "needed" and folders.masks is None:
        raise InputError(
            f"a folder of masks, which '{protocol.name}' judges in", came="none",
            remedy="pass --mask FOLDER",
        )  # fmt: skip
    if protocol.mask == "none" and folders.masks is not None:
        raise InputError(
            f"whole images, as '{protocol.name}' judges them", came="a folder of masks",
            remedy="leave --mask out",
        )  # fmt: skip


def _where(scene: Scene, *, masked: bool) -> str:
    low, high = scene.value_range
    inside = ", in a mask" if masked else ""
    return f"{scene.dims}D files{inside}, range {low:g} to {high:g} {scene.unit}"


def _of_task(task: str | None, scene: Scene, first: Item) -> tuple[tuple[CaseMetric, ...], str]:
    """Measures of pairs where no protocol is named, and whose they are."""
    if task is not None:
        from vesalius import tasks
        from vesalius.anatomy import DigitalPatients
        from vesalius.tasks.reconstruction import Reconstruction

        if tasks.get(task, Call(DigitalPatients)).target is Reconstruction:
            axis: int = 0
            if scene.dims == 3:
                axis = superior_axis(content_of(first, _UNTOLD, real=True).image)
            return fastmri(slice_axis=axis), "fastmri measures"  # type: ignore[arg-type]
    low, high = scene.value_range
    return synthrad_like(low, high, scene.unit), "synthrad2023 measures"


def _subgroups(
    plan: Plan, measured: Measured, subgroups: str | Path | None, method: str, seed: int
) -> list[Table]:
    if subgroups is None:
        return []
    found = subgroup_rows(plan.protocol.measures, measured, Path(subgroups), method, seed)
    return [subgroups_table(found)] if found else []


def _alone(paired: Pairing) -> tuple[str, ...]:
    found = []
    for where, alone in (("real", paired.real_alone), ("generated", paired.generated_alone)):
        if alone:
            found.append(f"{len(alone)} {where} images have no partner.")
    return tuple(found)


def _facts(folders: Folders, plan: Plan, seed: int) -> dict[str, object]:
    from vesalius import __version__

    paired, scene, protocol = folders.paired, plan.scene, plan.protocol
    real = [item for item, _ in paired.pairs] + list(paired.real_alone)
    facts: dict[str, object] = {
        "real": f"{len(real)} images of {len({item.patient for item in real})} patients",
        "generated": f"{len(paired.pairs) + len(paired.generated_alone)} images",
        "pairs": len(paired.pairs),
        "unit": scene.unit,
        "range": f"{scene.value_range[0]:g} to {scene.value_range[1]:g} {scene.unit}",
        "mask": "yes" if folders.masks is not None else "none: the whole image",
        "protocol": protocol.text(),
        "citation": protocol.citation,
        "seed": seed,
        "software": f"vesalius {__version__}, torch {describe_machine()['torch']}",
    }
    if folders.train:
        facts["training images"] = len(folders.train)
    if protocol.labels:
        del facts["range"]
    return facts
