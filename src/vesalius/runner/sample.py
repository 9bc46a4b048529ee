"""A trained run's own images: drawn for conditions of its test set, or from nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vesalius.core.batch import Batch
from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically
from vesalius.core.image import Image
from vesalius.core.rng import derive
from vesalius.data.formats import write_image
from vesalius.data.source import Case
from vesalius.generative.system import System
from vesalius.runner.apply import NOTICES, provenance
from vesalius.runner.orientation import superior_axis
from vesalius.runner.run import Run, Silent, Watcher
from vesalius.tasks.described_synthesis import DescribedSynthesis
from vesalius.tasks.task import Task


@dataclass(frozen=True)
class Wanted:
    """One image to draw: its name, the test case whose condition it has, and which draw of it."""

    name: str
    case: Case | None
    draw: int


def wanted_samples(cases: tuple[Case, ...], n: int, conditional: bool) -> list[Wanted]:
    """``n`` images over the cases in turn: a second draw of a case after one of every case."""
    if not conditional:
        return [Wanted(f"sample-{k:05d}", None, 0) for k in range(n)]
    if not cases:
        raise InputError("test cases whose conditions can be drawn for", came="none")
    found = []
    for k in range(n):
        draw, place = divmod(k, len(cases))
        found.append(Wanted(f"{cases[place].identifier}-draw-{draw + 1}", cases[place], draw))
    return found


def sample(
    run: Run | str | Path,
    n: int,
    output: str | Path,
    *,
    seed: int = 0,
    text: str | None = None,
    watch: Watcher | None = None,
) -> list[Path]:
    """Draw ``n`` images with a trained run.

    Conditions are those of the test cases, in turn; a run that is given nothing draws from nothing.
    With ``text``, a run that draws from reports draws for that one; ``samples.json`` then has it,
    and the words in it that cannot be read.
    Writes ``images/<name>.nii.gz`` (float32, in the unit of the task), ``previews/<name>.png`` (8
    bits over the report's window; of a volume, the middle axial slice) and ``samples.json``, which
    says how they were made. The same seed draws the same images, whatever ``n`` is.

    Returns
    -------
    The NIfTI files.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    watch, output = watch or Silent(), Path(output)
    if n < 1:
        raise InputError("1 image or more", came=n)
    task = run.task
    if task.judgement.answer == "class":
        raise InputError(
            "a run that draws images",
            came=f"'{run.recipe.name}', which answers with classes",
            remedy="use: vesalius apply, which writes probabilities",
        )
    system = run.fitted_system()
    told: dict[str, Any] = {}
    if text is not None:
        told = {"text": text, "unread_words": list(unread_words(task, text))}
        samples = wanted_samples((), n, conditional=False)
    else:
        samples = wanted_samples(task.split["test"], n, task.shape.conditional)
    watch.stage("draw", n)
    images, entries = [], []
    for done, wanted in enumerate(samples, start=1):
        image = _draw(run, system, wanted, seed, text)
        path = output / "images" / f"{wanted.name}.nii.gz"
        write_image(path, image)
        window = task.judgement.window
        write_image(output / "previews" / f"{wanted.name}.png", preview(image, window))
        images.append(path)
        entries.append(
            {
                "file": f"images/{path.name}",
                "condition": wanted.case.identifier if wanted.case else None,
                "draw": wanted.draw + 1,
            }
        )
        watch.advance(done)
    about = {
        "synthetic": task.judgement.answer == "image",
        "notice": NOTICES[task.judgement.answer],
        "fingerprint": run.recipe.fingerprint(),
        "run_seed": run.seed,
        "seed": seed,
        **provenance(run, system),
        "unit": task.judgement.unit,
        "window": list(task.judgement.window),
        **told,
        "samples": entries,
    }
    write_atomically(output / "samples.json", (json.dumps(about, indent=1) + "\n").encode())
    return images


def unread_words(task: Task, text: str) -> tuple[str, ...]:
    """Words of ``text`` with letters that no training report has.

    Raises InputError where the task has no reports, or where no word is left.
    """
    if not isinstance(task, DescribedSynthesis) or task.report is None:
        raise InputError(
            "a run that draws from reports",
            came=f"one of the task '{task.name}'",
            remedy="leave out the text",
        )
    unread = task.vocabulary.unknown(text)
    if len(unread) == len(text.split()):
        raise InputError(
            "a text of words like those of the training reports", came="none that can be read"
        )
    return unread


def _draw(run: Run, system: System, wanted: Wanted, seed: int, text: str | None = None) -> Image:
    task = run.task
    # a draw of its own for each repetition of a case
    own_seed = derive(seed, "sample", wanted.draw)
    if wanted.case is None:
        batch = Batch(wanted=None, cases=(wanted.name,))
        if text is not None:
            assert isinstance(task, DescribedSynthesis), "told by unread_words"
            batch = task.told((text,), wanted.name)
        model = system.draw(batch, task.size, seed=own_seed)[0].cpu()
        return _judged(run, model)
    if task.given_images() and set(task.given_images()) <= set(task.channels):
        # the source's own image tells the grid alone: a task may be given a degraded one
        images = task.source.read(wanted.case)
        _, placed = task.prepare(images, wanted.case.identifier)
        model = system.draw(task.test_case(wanted.case), task.size, seed=own_seed)[0, 0].cpu()
        restored = task.restore(model, images, placed)
        if task.judgement.answer == "labels":
            return restored
        return Image(
            restored.data.float(), restored.affine, restored.unit, restored.modality, "float32"
        )
    model = system.draw(task.test_case(wanted.case), task.size, seed=own_seed)[0].cpu()
    return _judged(run, model)


def _judged(run: Run, model: Tensor) -> Image:
    """An image in the task's unit, on the task's own grid of 1 mm."""
    return Image(run.task.judged(model)[0].float(), unit=run.task.judgement.unit, stored="float32")


def preview(image: Image, window: tuple[float, float]) -> Image:
    """The middle axial slice as 8-bit grey over ``window``."""
    data = image.data[:1].float()
    if data.ndim == 4:
        axis = superior_axis(image)
        data = data.select(axis + 1, data.shape[axis + 1] // 2)
    low, high = window
    grey = torch.round((data - low) / (high - low) * 255).clamp(0, 255)
    return Image(grey, unit="a.u.", modality=image.modality, stored="uint8")
