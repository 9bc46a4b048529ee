"""Known faults, one a file."""

from __future__ import annotations

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corruption
from vesalius.evaluation.ladder.corruptions.blur import Blur
from vesalius.evaluation.ladder.corruptions.collapse import ModeCollapse
from vesalius.evaluation.ladder.corruptions.contrast import WrongContrast
from vesalius.evaluation.ladder.corruptions.copies import CopiedTraining
from vesalius.evaluation.ladder.corruptions.inserted_lesion import InsertedLesion
from vesalius.evaluation.ladder.corruptions.mirrored import Mirrored
from vesalius.evaluation.ladder.corruptions.noise import Noise
from vesalius.evaluation.ladder.corruptions.nothing import Nothing
from vesalius.evaluation.ladder.corruptions.removed_lesion import RemovedLesion
from vesalius.evaluation.ladder.corruptions.shift import Shift
from vesalius.evaluation.ladder.lesion_template import lesion_templates

__all__ = [
    "Blur",
    "CopiedTraining",
    "InsertedLesion",
    "Mirrored",
    "ModeCollapse",
    "Noise",
    "Nothing",
    "RemovedLesion",
    "Shift",
    "WrongContrast",
    "standard_corruptions",
]


def standard_corruptions(training: Cohort, limits: tuple[float, float]) -> tuple[Corruption, ...]:
    """All rungs, from no corruption to copied training images.

    ``limits`` is the range (low, high) of the images. Lesions are cut out of ``training``, and its
    images are what is copied; without lesions there, the rungs with lesions are left out.
    """
    data_range = limits[1] - limits[0]
    rungs: list[Corruption] = [
        Nothing(),
        Noise(data_range),
        Blur(),
        Shift(),
        WrongContrast(limits),
    ]
    if training.lesion is not None:
        templates = lesion_templates(training)
        rungs += [
            RemovedLesion(),
            InsertedLesion(templates, "plausible"),
            InsertedLesion(templates, "impossible"),
        ]
    rungs += [Mirrored(), ModeCollapse(0.01 * data_range), CopiedTraining(training.images)]
    return tuple(rungs)
