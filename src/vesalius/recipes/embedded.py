"""What a recipe uses when it is given no data: digital patients, and a task that only they have."""

from __future__ import annotations

from vesalius.anatomy import DigitalPatients
from vesalius.core.call import Call
from vesalius.data.split import SplitRule
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.task import Downstream


def digital_patients(n: int = 160, matrix: int = 128) -> Call:
    """Axial slices of ``n`` digital heads."""
    return Call(DigitalPatients, n=n, size=(matrix, matrix))


def slice_from_class(matrix: int = 64) -> Call:
    """A slice of a person of 60 or younger, or over 60; ``xray-from-class`` is its real twin."""
    classes = ("60 or younger", "over 60")
    study = Call(Downstream, image="t1", label="over_60", classes=classes, fractions=(0.1, 1.0))
    return Call(
        LabelSynthesis,
        name="slice-from-class",
        phase="diagnosis",
        question="What does the head of a person under or over 60 look like?",
        source=digital_patients(n=240, matrix=matrix),
        rule=Call(SplitRule, shifted_sites=("C",)),
        image="t1",
        label="over_60",
        classes=classes,
        matrix=(matrix, matrix),
        study=study,
    )
