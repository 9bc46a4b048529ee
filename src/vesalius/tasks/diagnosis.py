"""Questions of diagnosis: translation and synthesis."""

from __future__ import annotations

from vesalius.anatomy.tissue import Tissue
from vesalius.core.call import Call
from vesalius.data.split import SplitRule
from vesalius.tasks.described_synthesis import DescribedSynthesis
from vesalius.tasks.image_classification import ImageClassification
from vesalius.tasks.image_segmentation import ImageSegmentation
from vesalius.tasks.label_synthesis import LabelSynthesis
from vesalius.tasks.report import ChestReport
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.task import Downstream
from vesalius.tasks.translation import Translation
from vesalius.tasks.unconditional import ImageSynthesis
from vesalius.tasks.variants import Variants


def mr_to_ct(source: Call) -> Call:
    """CT from MR; centre C is a site that was never trained on."""
    return Call(
        Translation,
        name="mr-to-ct",
        phase="diagnosis",
        question="Which CT belongs to this MR image?",
        source=source,
        rule=Call(SplitRule, shifted_sites=("C",)),
        given_names=("mr", "t1w", "t1"),
        wanted="ct",
    )


def t1_to_t2(source: Call) -> Call:
    """T2-weighted from T1-weighted MR; site C was never trained on."""
    return Call(
        Translation,
        name="t1-to-t2",
        phase="diagnosis",
        question="What would the T2-weighted image of this patient show?",
        source=source,
        rule=Call(SplitRule, shifted_sites=("C",)),
        given_names=("t1", "t1w"),
        wanted="t2",
    )


def hippocampus_from_mask(source: Call) -> Call:
    """Whole 3D crops of T1 MR from the label map of the hippocampus."""
    return Call(
        MaskSynthesis,
        name="hippocampus-from-mask",
        phase="diagnosis",
        question="Which image could have this hippocampus, and can a segmenter learn from it?",
        source=source,
    )


def head_from_tissues(source: Call) -> Call:
    """A T1-weighted slice from the tissue map of a digital patient."""
    return Call(
        MaskSynthesis,
        name="head-from-tissues",
        phase="diagnosis",
        question="Which T1-weighted image could have these tissues?",
        source=source,
        image="t1",
        label="tissues",
        classes=tuple(tissue.name.lower() for tissue in Tissue if tissue.value > 0),
        matrix=(128, 128),
    )


def xray_from_class(source: Call) -> Call:
    """A chest X-ray of a class (normal, pneumonia); judged by what a classifier learns from it."""
    return Call(
        LabelSynthesis,
        name="xray-from-class",
        phase="diagnosis",
        question="How does a chest X-ray of this class look, and can a classifier learn from it?",
        source=source,
        shift_voxels=0,  # whole films: a shifted one would show a border that none has
        study=Call(
            Downstream,
            image="image",
            label="label",
            classes=("normal", "pneumonia"),
            fractions=(0.01, 0.1),
        ),
    )


def xray_from_text(source: Call) -> Call:
    """A chest X-ray that a short report describes, written from its label where it has none."""
    return Call(
        DescribedSynthesis,
        name="xray-from-text",
        phase="diagnosis",
        question="How does the chest X-ray look of which this report was written?",
        source=source,
        shift_voxels=0,  # whole films: a shifted one would show a border that none has
        report=Call(ChestReport),
        text_length=36,
        study=Call(
            Downstream,
            image="image",
            label="label",
            classes=("normal", "pneumonia"),
            fractions=(0.01, 0.1),
        ),
    )


def ct_slices(source: Call) -> Call:
    """Axial CT slices of the head and neck in HU, from nothing."""
    return Call(
        ImageSynthesis,
        name="ct-slices",
        phase="diagnosis",
        question="Do drawn CT slices look like those of patients never seen?",
        source=source,
        channel_names=("ct",),
        matrix=(64, 64),
        averaging=1,
        interval=(-1024.0, 1024.0),
        judged_over=(-160.0, 240.0),
        slices=8,
    )


def mr_slices(source: Call) -> Call:
    """MR slices of the head, from nothing."""
    return Call(
        ImageSynthesis,
        name="mr-slices",
        phase="diagnosis",
        question="Do drawn MR slices look like those of patients never seen?",
        source=source,
        rule=Call(SplitRule, validation=0.05, test=0.3),
        channel_names=("mr", "t1", "t1w"),
        matrix=(64, 64),
    )


def xrays(source: Call) -> Call:
    """Chest X-rays of either class, from nothing."""
    return Call(
        ImageSynthesis,
        name="xrays",
        phase="diagnosis",
        question="Do drawn chest X-rays look like those of patients never seen?",
        source=source,
        channel_names=("image", "t1"),
        matrix=(28, 28),
        flip=False,
        shift_voxels=0,  # whole films: a shifted one would show a border that none has
    )


def hippocampus_volumes(source: Call) -> Call:
    """T1 MR of the hippocampus as 32x32x32 volumes, from nothing.

    The field of 32 x 48 x 32 voxels about the middle of each crop holds 99.97 % of the labelled
    voxels of the Decathlon's patients (98.6 % of the worst; 32 x 32 x 32 voxels would hold 89 %)
    with hardly any margin: one and a half voxels are averaged along the hippocampus' length.
    """
    return Call(
        ImageSynthesis,
        name="hippocampus-volumes",
        phase="diagnosis",
        question="Do drawn hippocampi look like those of patients never seen?",
        source=source,
        channel_names=("image", "t1"),
        mask_names=(),
        matrix=(32, 32, 32),
        averaging=(1.0, 1.5, 1.0),
        relative=True,
    )


def hippocampus_variants(source: Call) -> Call:
    """New hippocampi, image and label map, from a tenth of the training patients."""
    return Call(
        Variants,
        name="hippocampus-variants",
        phase="diagnosis",
        question="Can a segmenter learn from variants of few labelled patients?",
        source=source,
        image="image",
        label="label",
        classes=("anterior", "posterior"),
    )


def head_variants(source: Call) -> Call:
    """New T1-weighted slices with their tissues, from a tenth of the digital patients."""
    return Call(
        Variants,
        name="head-variants",
        phase="diagnosis",
        question="Can a segmenter learn from variants of few labelled patients?",
        source=source,
        image="t1",
        label="tissues",
        classes=tuple(tissue.name.lower() for tissue in Tissue if tissue.value > 0),
        matrix=(64, 64),
    )


def hippocampus_segmentation(source: Call) -> Call:
    """Anterior and posterior hippocampus in whole 3D crops of T1 MR."""
    return Call(
        ImageSegmentation,
        name="hippocampus-segmentation",
        phase="diagnosis",
        question="Where in this image is the hippocampus?",
        source=source,
        image="image",
        label="label",
        classes=("anterior", "posterior"),
    )


def xray_classification(source: Call) -> Call:
    """Pneumonia or none in a chest X-ray."""
    return Call(
        ImageClassification,
        name="xray-classification",
        phase="diagnosis",
        question="Does this chest X-ray show pneumonia?",
        source=source,
        image="image",
        label="label",
        classes=("normal", "pneumonia"),
    )
