"""What a recipe uses when it is given no data: digital patients, and a task that only they have."""

from __future__ import annotations

from vesalius.anatomy import DigitalPatients
from vesalius.anatomy.tissue import DEEP_NUCLEI, Tissue
from vesalius.core.call import Call
from vesalius.data.split import SplitRule
from vesalius.tasks.described_synthesis import Covariate, DescribedSynthesis
from vesalius.tasks.image_classification import ImageClassification
from vesalius.tasks.image_segmentation import ImageSegmentation
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.report import HeadReport
from vesalius.tasks.task import Downstream


def digital_patients(n: int = 160, matrix: int = 128) -> Call:
    """Axial slices of ``n`` digital heads."""
    return Call(DigitalPatients, n=n, size=(matrix, matrix))


#: Classes that heads of digital patients are told apart by.
AGES = ("60 or younger", "over 60")


def _study_of_ages() -> Call:
    return Call(Downstream, image="t1", label="over_60", classes=AGES, fractions=(0.1, 1.0))


def slice_from_class(matrix: int = 64) -> Call:
    """A slice of a person of 60 or younger, or over 60; ``xray-from-class`` is its real twin."""
    return Call(
        LabelSynthesis,
        name="slice-from-class",
        phase="diagnosis",
        question="What does the head of a person under or over 60 look like?",
        source=digital_patients(n=240, matrix=matrix),
        rule=Call(SplitRule, shifted_sites=("C",)),
        image="t1",
        label="over_60",
        classes=AGES,
        matrix=(matrix, matrix),
        study=_study_of_ages(),
    )


def head_volumes(n: int = 120, matrix: int = 32) -> Call:
    """Whole digital heads as volumes; with ``hippocampus-volumes`` they are drawn from nothing."""
    return Call(DigitalPatients, n=n, size=(matrix,) * 3)


#: Tissues to segment, and the labels of a digital head that they are made of.
TISSUES = {
    "skull": (Tissue.CORTICAL_BONE, Tissue.MARROW),
    "fluid": (Tissue.CEREBROSPINAL_FLUID, Tissue.VENTRICLE),
    "grey matter": (Tissue.GREY_MATTER,),
    "white matter": (Tissue.WHITE_MATTER, Tissue.WHITE_MATTER_LESION),
    "deep nuclei": DEEP_NUCLEI,
}


def tissues_of_slice(matrix: int = 64) -> Call:
    """The tissues in a T1-weighted slice; ``hippocampus-segmentation`` is its real twin, in 3D."""
    return Call(
        ImageSegmentation,
        name="tissues-of-slice",
        phase="diagnosis",
        question="Which tissues does this slice show, and where?",
        source=digital_patients(matrix=matrix),
        rule=Call(SplitRule, shifted_sites=("C",)),
        image="t1",
        label="tissues",
        classes=tuple(TISSUES),
        merged=tuple(tuple(int(label) for label in labels) for labels in TISSUES.values()),
        matrix=(matrix, matrix),
    )


def class_of_slice(matrix: int = 64) -> Call:
    """Whether a slice is of a person over 60; ``xray-classification`` is its real twin."""
    return Call(
        ImageClassification,
        name="class-of-slice",
        phase="diagnosis",
        question="Is this the head of a person over 60?",
        source=digital_patients(n=240, matrix=matrix),
        rule=Call(SplitRule, shifted_sites=("C",)),
        image="t1",
        label="over_60",
        classes=("60 or younger", "over 60"),
        matrix=(matrix, matrix),
    )


def slice_from_text(matrix: int = 28) -> Call:
    """A slice of the head that a report describes; ``xray-from-text`` is its real twin."""
    return Call(
        DescribedSynthesis,
        name="slice-from-text",
        phase="diagnosis",
        question="What does the head look like of which this report was written?",
        source=digital_patients(n=240, matrix=matrix),
        rule=Call(SplitRule, shifted_sites=("C",)),
        image="t1",
        label="over_60",
        classes=AGES,
        matrix=(matrix, matrix),
        study=_study_of_ages(),
        report=Call(HeadReport),
    )


def slice_from_covariates(matrix: int = 64) -> Call:
    """A slice of a head of known age, sex and lesions, a quarter of which is not known."""
    return Call(
        DescribedSynthesis,
        name="slice-from-covariates",
        phase="diagnosis",
        question="What does the head of a person of this age and sex and with these lesions show?",
        source=digital_patients(n=240, matrix=matrix),
        rule=Call(SplitRule, shifted_sites=("C",)),
        image="t1",
        label="over_60",
        classes=AGES,
        matrix=(matrix, matrix),
        study=_study_of_ages(),
        covariates=(
            Call(Covariate, name="age_years"),
            Call(Covariate, name="sex", categories=("female", "male")),
            Call(Covariate, name="lesion_volume_ml"),
        ),
        missing=0.25,
    )
