"""Whose images lie in which folder: pairs are of one patient, training patients of nobody else."""

from __future__ import annotations

from collections.abc import Sequence

from vesalius.core.errors import InputError
from vesalius.metrics.feature import OwnFeatures
from vesalius.metrics.metric import Extractor
from vesalius.runner.image_folder import PATIENTS, Item, Pairing


def require_pairs_of_one_patient(paired: Pairing) -> None:
    """Raise InputError where two folders name different patients for a pair.

    Only where both say it: a name alone is no patient.
    """
    both = [(a, b) for a, b in paired.pairs if a.listed and b.listed]
    wrong = [(a, b) for a, b in both if a.patient != b.patient]
    if not wrong:
        return
    if len(wrong) == len(both):
        raise InputError(
            "the same patients in both folders",
            came=f"{len(both)} pairs of files by name, none of one patient",
            remedy=f"check {PATIENTS}, or rename the files of one folder",
        )
    raise InputError(
        "pairs of one patient",
        came=f"{len(wrong)} of {len(both)} pairs of two patients",
        case=wrong[0][0].shown,
        remedy=f"check {PATIENTS} in both folders",
    )


def require_unseen(made: Extractor, paired: Pairing) -> str:
    """Raise InputError where an encoder was trained on patients it judges; else a remark."""
    judged = [item for pair in paired.pairs for item in pair]
    judged += [*paired.real_alone, *paired.generated_alone]
    made.require_unseen([item.patient for item in judged if item.listed])
    if not isinstance(made, OwnFeatures) or all(item.listed for item in judged):
        return ""
    return (
        f"Whether {made.name} was trained on patients that it judges is not known: give the "
        f"folders a {PATIENTS}."
    )


def require_independence(train: Sequence[Item], paired: Pairing) -> str:
    """Raise InputError for training patients among the real images; else a remark for the report.

    Held-out real images set how near a copy is, so none of theirs may have been trained on.
    """
    real = [item for item, _ in paired.pairs] + list(paired.real_alone)
    if not all(item.listed for item in (*train, *real)):
        return (
            "Whether training and real images share patients is not known: give both folders a "
            f"{PATIENTS}."
        )
    shared = {item.patient for item in train} & {item.patient for item in real}
    if shared:
        twice = [item for item in real if item.patient in shared]
        raise InputError(
            "real images of patients that were not trained on",
            came=f"{len(twice)} of {len(real)} images of patients in both folders",
            case=twice[0].shown,
            remedy=f"leave them out of one folder, or correct {PATIENTS}",
        )
    return ""
