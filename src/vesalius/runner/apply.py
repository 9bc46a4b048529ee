"""A trained run on new images, file by file, on the grid that they came with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from vesalius.core.answer import Answer
from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically
from vesalius.core.image import Image
from vesalius.runner.agreement import combined, two_answers
from vesalius.runner.drawn_files import Places
from vesalius.runner.machine import describe_machine
from vesalius.runner.new_cases import KSPACE, NewCase, Read, new_cases, read_case
from vesalius.runner.orientation import Turn, slice_of, superior_axis
from vesalius.runner.run import Run, Silent, Watcher
from vesalius.runner.trained_on import Trained, add_note
from vesalius.tasks.task import collate

if TYPE_CHECKING:
    from vesalius.generative.system import System

SLICES_AT_ONCE = 8
NOTICE = "Synthetic image: made by a generative model, not measured. Not for diagnosis."
NOTICES: dict[Answer, str] = {
    "image": NOTICE,
    "labels": "Label map: made by a trained network, not by a person. Not for diagnosis.",
    "class": "Probabilities: made by a trained network, not by a person. Not for diagnosis.",
}


class BrokenCases(InputError):
    """Some cases could not be drawn; all others were."""

    def __init__(self, broken: Mapping[str, str], n_done: int) -> None:
        self.broken = dict(broken)
        listed = "; ".join(f"{name}: {why.rstrip('.')}" for name, why in broken.items())
        super().__init__(
            "cases that can be drawn",
            came=f"{len(broken)} of {len(broken) + n_done} that could not be ({listed})",
            remedy="the others are written; mend these and repeat the command",
        )


def apply(
    run: Run | str | Path,
    input: str | Path,  # noqa: A002 (the word that the command has)
    output: str | Path,
    *,
    draws: int = 8,
    seed: int = 0,
    overwrite: bool = False,
    watch: Watcher | None = None,
) -> list[Path]:
    """Draw the images of new cases with a trained run.

    Parameters
    ----------
    run:
        A trained run or its folder.
    input:
        A file or a folder: NIfTI, PNG, npz, npy, DICOM series; complex k-space (.npy, .npz, .h5)
        for reconstruction. See :func:`~vesalius.runner.new_cases.new_cases` for names.
    output:
        A folder, made if need be: ``mean/``, ``draw-01/`` ..., ``uncertainty/`` (standard deviation
        over draws) with a file a case, and ``<case>.json``, which says how it was made. Of a run
        that segments, ``labels/`` (each voxel's most frequent label) in place of ``mean/``, and
        the share of draws that differ as uncertainty; of one that classifies, ``<case>.json``
        alone, with ``probabilities``.
    draws:
        Images a case; one where the system draws the same image every time.
    overwrite:
        Whether cases that are already there are drawn again; otherwise they are skipped.

    Returns
    -------
    All files of all cases, also of those that were there before.

    Raises
    ------
    InputError
        For a run that is not trained, no images, results of another run in ``output``; and
        :class:`BrokenCases`, once all other cases are written, for files that are corrupt.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    watch = watch or Silent()
    if draws < 1:
        raise InputError("1 draw or more", came=draws)
    task, output = run.task, Path(output)
    if task.shape.given == 0:
        raise InputError(
            "a run that is given images",
            came=f"'{run.recipe.name}', which draws from nothing",
            remedy="use: vesalius sample",
        )
    cases = new_cases(task, Path(input))
    system = run.fitted_system()
    drawing = Drawing(run, system, run.trained_on(), draws, seed)
    written: list[Path] = []
    broken: dict[str, str] = {}
    for number, case in enumerate(cases, start=1):
        try:
            digest = case.digest()
            done = None if overwrite else _done(output, case, drawing, digest)
            if done is not None:
                watch.stage(f"{case.name} ({number} of {len(cases)}): already there", 1)
                watch.advance(1)
                written += done
                continue
            title = f"{case.name} ({number} of {len(cases)})"
            written += drawing.case(case, digest, output, title, watch)
        except ForeignResult:
            raise
        except InputError as error:
            broken[case.name] = str(error)
        except OSError as error:
            broken[case.name] = f"{error.strerror or type(error).__name__}."
    if broken:
        raise BrokenCases(broken, len(cases) - len(broken))
    return written


class ForeignResult(InputError):
    """The output folder holds a result that another run, seed or input left there."""

    def __init__(self, output: Path, case: str, differs: Sequence[str]) -> None:
        super().__init__(
            "results of this run and input",
            came=f"one with another {', '.join(differs)}",
            case=output / f"{case}.json",
            remedy="choose another folder, or pass --overwrite",
        )


def _done(output: Path, case: NewCase, drawing: Drawing, digest: str) -> list[Path] | None:
    """The files of a case that was finished before; None if it was not."""
    path = output / f"{case.name}.json"
    if not path.is_file():
        return None
    try:
        saved = json.loads(path.read_text())
    except json.JSONDecodeError:
        return None
    wanted = drawing.identity(digest)
    differs = [name for name, value in wanted.items() if saved.get(name) != value]
    if differs:
        raise ForeignResult(output, case.name, [name.replace("_", " ") for name in differs])
    files = [output / name for name in saved["files"]]
    return [*files, path] if all(file.is_file() for file in files) else None


@dataclass
class Drawing:
    """A trained system with the settings of one ``apply``."""

    run: Run
    system: System
    trained: Trained
    draws: int
    seed: int
    varies: bool | None = None

    def identity(self, digest: str) -> dict[str, Any]:
        """What makes a result this one."""
        return {
            "fingerprint": self.run.recipe.fingerprint(),
            "run_seed": self.run.seed,
            "seed": self.seed,
            "draws_asked": self.draws,
            "input_digest": digest,
        }

    def case(
        self, case: NewCase, digest: str, output: Path, title: str, watch: Watcher
    ) -> list[Path]:
        """Draw and write one case."""
        task = self.run.task
        answer = task.judgement.answer
        read = read_case(task, case)
        notes: list[str] = []
        if answer == "class":
            found = self.probabilities(case.name, read, notes, title, watch)
            files: list[Path] = []
        else:
            drawn = self.images(case.name, read, notes, title, watch)
            estimate, uncertainty = combined(drawn, answer)
            places = Places(output, case.name, case.suffix, read.header)
            places.write(estimate, drawn, uncertainty)
            notes += places.notes
            files = places.written
            found = {
                "draws": len(drawn),
                "unit": estimate.unit,
                "modality": estimate.modality,
                "scales": places.scales,
            }
        sidecar = {
            "case": case.name,
            "synthetic": answer == "image",
            "notice": NOTICES[answer],
            **self.identity(digest),
            **provenance(self.run, self.system),
            "given": list(task.given_images()),
            **found,
            **({"labels": list(task.judgement.labels)} if answer == "labels" else {}),
            "notes": notes,
            "files": [str(path.relative_to(output)) for path in files],
        }
        path = output / f"{case.name}.json"
        write_atomically(path, (json.dumps(sidecar, indent=1) + "\n").encode())
        return [*files, path]

    def probabilities(
        self, name: str, read: Read, notes: list[str], title: str, watch: Watcher
    ) -> dict[str, Any]:
        """Probability of each class, the mean of the draws, and their standard deviation."""
        task = self.run.task
        first = next(iter(read.images.values()))
        if len(first.space) != task.shape.dims:
            raise InputError(
                f"images with {task.shape.dims} axes of space",
                came=f"{len(first.space)}",
                case=name,
            )
        watch.stage(title, 1)
        ready, _ = self._turned(read.images, notes)
        batch, _ = task.prepare(ready, name)
        draws = task.judged(self._draw(batch, task.size)[:, 0]).double()
        watch.advance(1)
        found: dict[str, Any] = {
            "draws": len(draws),
            "probabilities": _by_label(task.judgement.labels, draws.mean(dim=0)),
        }
        if len(draws) > 1:
            found["uncertainty"] = _by_label(task.judgement.labels, draws.std(dim=0))
        return found

    def images(
        self, name: str, read: Read, notes: list[str], title: str, watch: Watcher
    ) -> list[Image]:
        """One image a draw, on the input's grid; volumes slice by slice where the run is 2D."""
        first = next(iter(read.images.values()))
        if read.stack:
            parts = [{KSPACE: image} for image in read.stack]
            slices, like = self._parts(name, parts, notes, title, watch)
            data = torch.stack([torch.stack(draws) for draws in slices], dim=2)
            return [replace(like, data=one) for one in data]
        dims = self.run.task.shape.dims
        if KSPACE not in read.images and len(first.space) == 3 and dims == 2:
            axis = superior_axis(first)
            add_note(notes, f"a volume drawn slice by slice along axis {axis} of the array")
            parts = [
                {channel: slice_of(image, axis, k) for channel, image in read.images.items()}
                for k in range(first.space[axis])
            ]
            slices, like = self._parts(name, parts, notes, title, watch)
            data = torch.stack([torch.stack(draws) for draws in slices], dim=axis + 2)
            return [replace(like, data=one, affine=first.affine) for one in data]
        if KSPACE not in read.images and len(first.space) != dims:
            raise InputError(
                f"images with {dims} axes of space",
                came=f"{len(first.space)}",
                case=name,
                remedy="give volumes to a run that was trained on volumes",
            )
        (draws,), like = self._parts(name, [dict(read.images)], notes, title, watch)
        affine = like.affine if KSPACE in read.images else first.affine
        return [replace(like, data=one, affine=affine) for one in draws]

    def _parts(
        self,
        name: str,
        parts: Sequence[Mapping[str, Image]],
        notes: list[str],
        title: str,
        watch: Watcher,
    ) -> tuple[list[list[Tensor]], Image]:
        """Drawn data of each part and draw, each on its part's grid, and one restored image."""
        watch.stage(title, len(parts))
        found: list[list[Tensor]] = []
        like: Image | None = None
        for start in range(0, len(parts), SLICES_AT_ONCE):
            group = parts[start : start + SLICES_AT_ONCE]
            drawn = self._group(name, start, len(parts), group, notes)
            for draws in drawn:
                like = like or draws[0]
                found.append([image.data for image in draws])
            watch.advance(start + len(group))
        assert like is not None
        return found, like

    def _group(
        self,
        name: str,
        start: int,
        total: int,
        group: Sequence[Mapping[str, Image]],
        notes: list[str],
    ) -> list[list[Image]]:
        """A few parts at once: turned, prepared, drawn, restored and turned back."""
        task = self.run.task
        turned, turns, batches, placed = [], [], [], []
        for k, images in enumerate(group):
            first = next(iter(images.values()))
            if KSPACE in images:
                turn, ready = Turn.none(len(first.space)), dict(images)
            else:
                ready, turn = self._turned(images, notes)
            case = name if total == 1 else f"{name}, slice {start + k + 1}"
            batch, place = task.prepare(ready, case)
            turned.append(ready)
            turns.append(turn)
            batches.append(batch)
            placed.append(place)
        batch = collate(batches)
        size = task.size if batch.given is None else tuple(batch.given.shape[2:])
        model = self._draw(batch, size)
        if start == 0 and KSPACE not in group[0]:
            self._remark_field(model[0, 0], turned[0], placed[0], notes)
        if len(model) < self.draws:
            add_note(notes, "the system draws the same image every time: one draw, no uncertainty")
        restored: list[list[Image]] = []
        for k, (ready, turn, place) in enumerate(zip(turned, turns, placed, strict=True)):
            draws = [task.restore(one[k], ready, place) for one in model]
            restored.append([replace(image, data=turn.back(image.data)) for image in draws])
        return restored

    def _turned(
        self, images: Mapping[str, Image], notes: list[str]
    ) -> tuple[dict[str, Image], Turn]:
        """Images as the networks saw them in training, and how they were turned."""
        turn = self.trained.turn(next(iter(images.values())), notes)
        ready = {channel: turn.forward(image) for channel, image in images.items()}
        self.trained.compare_spacing(next(iter(ready.values())), notes)
        return ready, turn

    def _draw(self, batch: Any, size: tuple[int, ...]) -> Tensor:
        """``(draw, batch, channel, *size)``; whether draws vary is found out by the first batch."""
        if self.draws > 1 and self.varies is None:
            pair = self.system.draw(batch, size, draws=2, seed=self.seed)
            self.varies = not torch.equal(pair[0], pair[1])
        n = self.draws if self.varies is not False else 1
        return self.system.draw(batch, size, draws=n, seed=self.seed).cpu()

    def _remark_field(
        self, model: Tensor, ready: Mapping[str, Image], place: Any, notes: list[str]
    ) -> None:
        """Remark on voxels that the run does not draw, told by drawing two other images there."""
        task = self.run.task
        low, high = (
            task.restore(other, ready, place).data
            for other in two_answers(model, task.judgement.answer)
        )
        covered = float((low != high).double().mean())
        if covered < 0.999:
            add_note(
                notes,
                f"{100 * covered:.0f} % of the voxels lie in the field that the run draws; the "
                "others have the lowest value",
            )


def _by_label(labels: Sequence[str], values: Tensor) -> dict[str, float]:
    return dict(zip(labels, values.tolist(), strict=True))


def provenance(run: Run, system: System) -> dict[str, Any]:
    """What every drawn image says of its maker; nothing that names a person or a place."""
    from vesalius import __version__

    machine = describe_machine()
    name = system.objective.drawing()[0]
    device = next(system.networks[name].parameters()).device
    return {
        "recipe": run.recipe.name,
        "system": run.recipe.provenance.system,
        "task": run.task.name,
        "trained_steps": run.info.get("steps", 0),
        "trained_on": run.info["task"]["dataset"],
        "split": run.info["task"]["split"],
        "software": {"vesalius": __version__, "torch": machine["torch"]},
        "device": machine["device"] if device.type == "cuda" else "cpu",
    }
