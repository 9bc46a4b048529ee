"""What generated images are worth: classifiers learn from them, on MedMNIST's official split."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.errors import InputError
from vesalius.core.files import write_arrays
from vesalius.core.image import Image
from vesalius.core.record import Record
from vesalius.data.arrays import array_names, read_arrays
from vesalius.data.sources import MedMNIST
from vesalius.evaluation.downstream import downstream_study, draw_baseline
from vesalius.evaluation.protocols.study_protocol import StudyProtocol
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.task import Downstream
from vesalius.training.fit import Engine

BASELINE = "class mean"
ARRAYS = ("images", "labels")
_CLASSES = ("normal", "pneumonia")


@dataclass(frozen=True)
class MedmnistAugmentation(StudyProtocol):
    """Classifiers of PneumoniaMNIST learn from real, real and generated, or generated images.

    Parameters
    ----------
    fractions:
        Of the real training images.
    seeds, steps:
        Of every arm.
    """

    fractions: tuple[float, ...] = (0.01, 0.05, 0.1, 1.0)
    seeds: int = 3
    steps: int = 150

    name = "medmnist-augmentation"
    citation = "Yang et al., MedMNIST v2, Sci Data 10:41, 2023, doi:10.1038/s41597-022-01721-8"
    remarks = (
        "but for 'not augmented' every arm is augmented alike by classical means; real and "
        "generated images take turns by chance, half and half, or 1:2 for '2 x'; every arm takes "
        "the same number of steps",
        "that the generator saw the training split only is the user's word",
    )

    @property
    def settings(self) -> str:
        """Arms, fractions, seeds."""
        shares = ", ".join(f"{100 * fraction:g} %" for fraction in self.fractions)
        return (
            f"official split; real (augmented, not augmented, classes oversampled) and real + "
            f"generated (1:1, 1:2) at {shares} of the training images, generated alone; "
            f"{self.seeds} seeds of {self.steps} steps each; AUC, accuracy, sensitivity and "
            "probability of the true class on the test images"
        )

    def records(
        self,
        real: Path,
        generated: Path,
        folder: Path,
        context: Record,
        *,
        engine: Engine | None = None,
        watch: Callable[[str, int, int], None] = lambda arm, done, total: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[Record]:
        """See :class:`StudyProtocol`.

        ``real`` is a PneumoniaMNIST file, ``generated`` an npz with ``images`` (n, row, column)
        from 0 to 255 and ``labels`` (n,), or a folder with one such file.
        """
        study = Call(
            Downstream,
            image="image",
            label="label",
            classes=_CLASSES,
            fractions=self.fractions,
            seeds=self.seeds,
            steps=self.steps,
            controls=("plain", "balanced", "double"),
        )
        source = Call(MedMNIST, path=str(real))
        call = tasks.get("xray-from-class", source).replace(study=study)
        task: LabelSynthesis = call.build()
        images, labels = labelled_images(generated)
        ours = folder / "drawn" / "generated"
        hand_out(task, images, labels, ours)
        control = folder / "drawn" / "baseline"
        draw_baseline(task, BASELINE, control)
        return downstream_study(
            call,
            {context.recipe: str(ours), BASELINE: str(control)},
            folder,
            replace(context, task=self.name, split=task.split.hash, level="clinical"),
            engine=engine,
            watch=watch,
            stop=stop,
        )


def labelled_images(path: Path) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """``images`` (n, row, column) and ``labels`` (n,) of an npz file, or of the one in a folder."""
    files = sorted(path.glob("*.npz")) if path.is_dir() else [path]
    if len(files) != 1:
        raise InputError("one npz with generated images and labels", came=len(files), case=path)
    missing = set(ARRAYS) - set(array_names(files[0]))
    if missing:
        raise InputError("arrays 'images' and 'labels'", came=f"no '{min(missing)}'", case=files[0])
    images, labels = read_arrays(files[0], *ARRAYS)
    labels = labels.reshape(len(labels), -1)
    if images.ndim != 3 or labels.shape != (len(images), 1):
        raise InputError(
            "images (n, row, column) and a label for each",
            came=f"shapes {images.shape} and {labels.shape}",
            case=files[0],
        )
    if not np.isfinite(images).all() or images.min() < 0 or images.max() > 255:
        raise InputError("grey values from 0 to 255, as MedMNIST has them", case=files[0],
                         came=f"{images.min():g} to {images.max():g}")  # fmt: skip
    if images.max() <= 1:
        raise InputError(
            "grey values from 0 to 255, as MedMNIST has them", came=f"at most {images.max():g}",
            case=files[0], remedy="multiply by 255",
        )  # fmt: skip
    return images, labels[:, 0].astype(np.int64)


def hand_out(
    task: LabelSynthesis, images: NDArray[Any], labels: NDArray[np.int64], folder: Path
) -> None:
    """Give every training case generated images of its class, each image to one case in turn.

    Where a class has fewer images than cases, images are given again. Raises InputError for a class
    without images and for images of another size.
    """
    if images.shape[1:] != task.matrix:
        raise InputError(f"images of size {task.matrix}", came=images.shape[1:])
    study = task.judgement.downstream
    assert study is not None
    by_class: dict[int, list[str]] = {}
    for case in task.split["train"][: study.cases]:
        by_class.setdefault(task.class_of(case), []).append(case.identifier)
    for number, cases in by_class.items():
        places = np.flatnonzero(labels == number)
        if not len(places):
            raise InputError(
                f"generated images of class {number} ({task.classes[number]})", came="none"
            )
        for turn, name in enumerate(cases):
            own = places[turn :: len(cases)] if turn < len(places) else places[[turn % len(places)]]
            draws = [
                task.placed(Image(torch.from_numpy(images[place][None].astype(np.float32))), name)
                for place in own
            ]
            write_arrays(folder / f"{name}.npz", draws=torch.stack(draws).numpy())


def medmnist_augmentation() -> MedmnistAugmentation:
    """PneumoniaMNIST: what classifiers learn from real, generated and both kinds of images."""
    return MedmnistAugmentation()
