"""Radiotherapy dose as OpenKBP judges it: in the possible-dose mask, and by its histograms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.arrays import array_names, read_arrays
from vesalius.data.formats import read_image
from vesalius.data.source import Case
from vesalius.data.sources import OpenKBP as Plans
from vesalius.data.sources.openkbp import STRUCTURES, structure_mask
from vesalius.evaluation.protocols.protocol import Content, Found, Measure, Pair, Protocol, measured
from vesalius.metrics.clinical import DoseScore, DVHScore

_DOSE, _DVH = DoseScore(), DVHScore()
POSSIBLE_DOSE = "possible dose"
#: Stored whole numbers are hundredths of a Gy.
STORED_GY = 0.01


@dataclass(frozen=True)
class OpenKBPChallenge(Protocol):
    """Dose of head-and-neck plans: OpenKBP's dose score and DVH score."""

    name = "openkbp"
    citation = "Babier et al., Med Phys 48:5549, 2021, doi:10.1002/mp.14845"
    unit = "Gy"
    dims = (3,)
    mask = "none"
    over = "patients (dose score) and over criteria of all patients (DVH score)"
    value_range = (0.0, 80.0)
    settings = (
        "prediction zero outside the possible-dose mask; D_0.1cc and mean of seven organs, D99, "
        "D95, D1 of three targets"
    )
    remarks = ("the leaderboard is on 100 test patients after training on 200",)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Both scores."""
        shared = ("clinical", "Gy", "down", _DVH.citation)
        return (Measure.of(_DOSE), Measure(_DVH.name, *shared))  # type: ignore[arg-type]

    def content(self, path: Path, *, real: bool) -> Content:
        """Of real files dose, structures and possible-dose mask; of generated ones the dose.

        A generated npz has an array ``dose``, in Gy or, as whole numbers, in hundredths of a Gy;
        other files are images in Gy.
        """
        if not path.name.endswith(".npz") or (not real and "dose" not in array_names(path)):
            if real:
                raise InputError(
                    "an npz with ct, dose, structures and spacing_mm", came=path.suffix, case=path
                )
            image = read_image(path)
            return Content(
                image.with_data(image.data, unit="Gy") if image.unit == "a.u." else image
            )
        if not real:
            (dose,) = read_arrays(path, "dose")
            scale = STORED_GY if dose.dtype.kind in "iu" else 1.0
            data = torch.from_numpy(np.asarray(dose, dtype=np.float64) * scale)[None]
            image = Image(data, unit="Gy", modality="RTDOSE").require_finite(path.name)
            return Content(image, slice_axis=2)
        plans = Plans(path.parent.parent)
        found = plans.read(Case(path.stem, path.stem, partition=path.parent.name))
        field = found["structures"].data
        regions = {name: structure_mask(field, name) for name in STRUCTURES}
        regions[POSSIBLE_DOSE] = found["possible_dose"].data > 0
        return Content(found["dose"], regions, slice_axis=2, judged=regions[POSSIBLE_DOSE])

    def values(self, pair: Pair) -> Found:
        """One dose score, and the absolute error of every criterion that the patient has."""
        possible = pair.regions[POSSIBLE_DOSE]
        inside = replace(pair, predicted=pair.predicted.masked_fill(~possible, 0), mask=possible)
        errors = _DVH.errors(
            inside.predicted, inside.reference, pair.regions, spacing_mm=pair.spacing_mm
        )
        known = errors[0][~errors[0].isnan()].abs()
        return measured((_DOSE,), inside) | {_DVH.name: tuple(known.tolist())}


def openkbp() -> OpenKBPChallenge:
    """Dose of head-and-neck plans: OpenKBP's dose score and DVH score."""
    return OpenKBPChallenge()
