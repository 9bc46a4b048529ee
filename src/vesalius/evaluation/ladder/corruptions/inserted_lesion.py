"""Real lesions put where they could be, and where none can be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch

from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corrupted, Corruption, replaced, share_of_patients
from vesalius.evaluation.ladder.lesion_template import LesionTemplate, place_for


class InsertedLesion(Corruption):
    """Another patient's lesion put into a share of the patients.

    Both kinds put the same lesions in, so they differ in nothing but the place.

    Parameters
    ----------
    templates:
        Lesions of patients who are not judged, see :func:`lesion_templates`.
    place:
        "plausible": where the cohort says that lesions are possible and this patient has none.
        "impossible": in the mask (the body), where none is possible.
    """

    severity_unit = "of the patients"

    def __init__(
        self,
        templates: Sequence[LesionTemplate],
        place: Literal["plausible", "impossible"],
        severities: tuple[float, ...] = (0.1, 0.25, 0.5, 1.0),
    ) -> None:
        article = "a" if place == "plausible" else "an"
        self.name = f"lesion at {article} {place} place"  # type: ignore[misc]
        self.what = f"a real lesion of another patient put in at {article} {place} place"  # type: ignore[misc]
        self.needs = ("possible", "lesion") if place == "plausible" else ("possible", "mask")  # type: ignore[misc]
        self.templates = tuple(templates)
        self.place = place
        self.severities = severities

    def applies(self, cohort: Cohort, severity: float, rng: np.random.Generator) -> Corrupted:
        """A share of the images with one lesion more; ``planted`` says where."""
        self.check(cohort)
        assert cohort.possible is not None
        if self.place == "plausible":
            assert cohort.lesion is not None
            allowed = (cohort.possible & ~cohort.lesion).numpy()
        else:
            assert cohort.mask is not None
            allowed = (cohort.mask & ~cohort.possible).numpy()
        rows = share_of_patients(cohort, severity, rng)
        planted = torch.zeros(cohort.images.shape, dtype=torch.bool)
        # which lesions, before where: so that both places get the same ones
        which = rng.integers(len(self.templates), size=len(rows))
        shown = []
        for row, number in zip(rows, which, strict=True):
            template = self.templates[int(number)]
            corner = place_for(template, allowed[row, 0], rng)
            image = cohort.images[row, 0].double().numpy().copy()
            template.put(image, corner)
            shown.append(torch.from_numpy(image)[None])
            sides = zip(corner, template.region.shape, strict=True)
            box = tuple(slice(at, at + size) for at, size in sides)
            planted[int(row), 0][box] = torch.from_numpy(template.region)
        found = replaced(cohort.images, rows, torch.stack(shown))
        return Corrupted(found.images, found.changed, planted)
