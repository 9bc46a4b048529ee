"""Questions of diagnosis: translation and synthesis."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.tasks.synthesis import MaskSynthesis
from vesalius.tasks.translation import Translation
from vesalius.data.split import SplitRule


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


def image_from_mask(source: Call) -> Call:
    """An image with the anatomy of a label map; judged by what a segmenter learns from it."""
    return Call(
        MaskSynthesis,
        name="image-from-mask",
        phase="diagnosis",
        question="Which image could have this label map, and can a segmenter learn from it?",
        source=source,
    )
