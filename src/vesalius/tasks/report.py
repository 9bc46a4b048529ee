"""Short reports: a source's own, or written from what is known of a case."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from vesalius.core.errors import InputError
from vesalius.data.source import Case


class Report(ABC):
    """Writes what a report of a case might say; the same generator, the same words."""

    @abstractmethod
    def write(self, case: Case, rng: np.random.Generator) -> str:
        """A text; raises InputError naming the case where it does not know what it needs."""


@dataclass(frozen=True)
class OwnReport(Report):
    """The text that the source itself has as the covariate ``covariate``."""

    covariate: str = "report"

    def write(self, case: Case, rng: np.random.Generator) -> str:
        """As it stands there."""
        found = case.covariates.get(self.covariate)
        if not isinstance(found, str) or not found.strip():
            raise InputError(
                f"a text as the covariate '{self.covariate}'", came="none", case=case.identifier
            )
        return found


#: Sentences that say nothing of the lungs.
_VIEWS = (
    "Frontal chest radiograph.",
    "Chest X-ray of a child.",
    "Plain film of the chest.",
    "Single view of the chest.",
    "No earlier film for comparison.",
)
_ENDS = (
    "Clinical correlation is advised.",
    "The film was read once.",
    "Follow-up as clinically indicated.",
    "Thank you for this referral.",
)
#: What films of each class may be said to show. Denials name what they deny, as real ones do.
_LUNGS = (
    (
        "The lungs are clear.",
        "No evidence of pneumonia.",
        "Both lungs are well aerated, without consolidation.",
        "No focal opacity is seen.",
        "Normal chest.",
        "There is no infiltrate.",
        "Unremarkable lung fields.",
        "Pneumonia is not seen.",
    ),
    (
        "There is consolidation in keeping with pneumonia.",
        "Findings of pneumonia.",
        "Airspace opacity, most likely pneumonia.",
        "The lungs show an infiltrate.",
        "Patchy opacities suggest infection.",
        "Pneumonia is present.",
        "The lungs are not clear: consolidation is seen.",
        "Abnormal chest with signs of pneumonia.",
    ),
)


def _some(sentences: tuple[str, ...], chance: float, rng: np.random.Generator) -> list[str]:
    """One of the sentences, or with the rest of the chance none."""
    chosen = sentences[int(rng.integers(len(sentences)))]
    return [chosen] if rng.random() < chance else []


@dataclass(frozen=True)
class ChestReport(Report):
    """A chest film, of which only whether it shows pneumonia is known: ``label`` is 0 or 1.

    One or two of eight sentences say that, half of them by what is there and half by what is not;
    others before and after say nothing. Sides and lobes are never named, since no label knows them.
    """

    label: str = "label"

    def write(self, case: Case, rng: np.random.Generator) -> str:
        """One to four sentences."""
        found = case.covariates.get(self.label)
        if not isinstance(found, (int, float)) or found not in (0, 1):
            raise InputError(
                f"a covariate '{self.label}' of 0 or 1", came=repr(found), case=case.identifier
            )
        lungs = _LUNGS[int(found)]
        number = 2 if rng.random() < 0.3 else 1
        said = [lungs[k] for k in rng.permutation(len(lungs))[:number]]
        return " ".join([*_some(_VIEWS, 0.5, rng), *said, *_some(_ENDS, 0.3, rng)])


#: White-matter lesions in millilitres from which on they are spoken of like this.
_LOADS = (
    (0.0, ("no white matter lesions", "white matter of normal signal")),
    (0.001, ("a few small white matter lesions", "mild white matter disease")),
    (3.0, ("several white matter lesions", "moderate white matter disease")),
    (8.0, ("many confluent white matter lesions", "severe white matter disease")),
)


@dataclass(frozen=True)
class HeadReport(Report):
    """The head of a digital patient: age, sex and white-matter lesions, in changing words."""

    def write(self, case: Case, rng: np.random.Generator) -> str:
        """One or two sentences, some words of which say nothing."""
        known = case.covariates
        age, sex, volume = (known.get(k) for k in ("age_years", "sex", "lesion_volume_ml"))
        if not isinstance(age, (int, float)) or not isinstance(volume, (int, float)):
            raise InputError(
                "the age and the volume of lesions of a digital patient",
                came=f"{age!r} and {volume!r}",
                case=case.identifier,
            )
        words = ("woman", "female patient") if sex == "female" else ("man", "male patient")
        person = words[int(rng.integers(2))]
        years, decade = int(age), 10 * (int(age) // 10)
        who = (
            f"{person}, {years} years old",
            f"{years}-year-old {person}",
            f"{person} aged {years}",
            f"{person} between {decade} and {decade + 9}",
        )[int(rng.integers(4))]
        load = [said for least, said in _LOADS if volume >= least][-1]
        seen = load[int(rng.integers(2))]
        view = _some(("Axial slice.", "MR of the head.", "Routine study."), 0.4, rng)
        form = ("{who}: {seen}.", "{who}, {seen}.", "{seen} in a {who}.")[int(rng.integers(3))]
        sentence = form.format(who=who, seen=seen)
        return " ".join([*view, sentence[0].upper() + sentence[1:], *_some(_ENDS, 0.3, rng)])
