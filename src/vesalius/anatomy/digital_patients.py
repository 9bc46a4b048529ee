"""Digital patients as a data set: as many as wanted, with the truth, and nothing to download."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from vesalius.anatomy.grid import Grid
from vesalius.anatomy.imaging import LABELS, MODALITIES, photograph
from vesalius.anatomy.patient import LesionKind, Patient, draw_patient
from vesalius.anatomy.scanner import scanner_of
from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.core.rng import numpy_stream
from vesalius.data.source import Case, Source

#: Where slices are taken, from the basal ganglia to above the ventricles.
SLICES_MM = (0.0, 32.0)


@dataclass(frozen=True)
class DigitalPatients(Source):
    """Heads of digital patients in MR, CT and PET.

    Parameters
    ----------
    n:
        Patients. Patient ``i`` of a seed is the same for every ``n``.
    size:
        ``(rows, columns)`` for axial slices, ``(slices, rows, columns)`` for volumes.
    slices_per_patient:
        Slices a patient, spread over ``SLICES_MM``; one for volumes.
    lesions:
        ``"none"``, ``"white_matter"``, ``"tumour"`` or ``"mixed"``, see :func:`draw_patient`.
    field_of_view_mm:
        Extent of the grid, one entry an axis of ``size``; by default 216 mm in the plane and 192 mm
        across.
    """

    n: int = 200
    size: tuple[int, ...] = (128, 128)
    seed: int = 0
    slices_per_patient: int = 1
    contrasts: tuple[str, ...] = ("t1", "t2", "flair", "pd", "ct", "pet")
    lesions: LesionKind = "white_matter"
    sites: tuple[str, ...] = ("A", "B", "C")
    field_of_view_mm: tuple[float, ...] | None = None

    name: ClassVar[str] = "digital-patients"
    licence: ClassVar[str] = "Apache-2.0"
    citation: ClassVar[str] = "Vesalius digital patients, docs/adr/0003-digital-patients.md"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """Never: these patients are in no file."""
        del path
        return False

    def channels(self) -> Mapping[str, str]:
        """Contrasts and truths by modality."""
        images = {name: MODALITIES[name][0] for name in self.contrasts}
        return {**images, **{name: kind for name, (kind, _) in LABELS.items()}}

    def patient(self, index: int) -> Patient:
        """Patient ``index``."""
        return draw_patient(self.seed, index, lesions=self.lesions, sites=self.sites)

    def grid(self, index: int, number: int = 0) -> Grid:
        """Where slice ``number`` of patient ``index`` lies; for volumes, the whole head."""
        volume = len(self.size) == 3
        extent = self.field_of_view_mm or ((192.0, 216.0, 216.0) if volume else (216.0, 216.0))
        if volume:
            return Grid.of(self.size, extent, 6.0)
        low, high = SLICES_MM
        part = (high - low) / self.slices_per_patient
        place = numpy_stream(self.seed, "digital", index, "slice", number).uniform()
        return Grid.of(self.size, extent, round(low + part * (number + float(place)), 2))

    def _check(self) -> None:
        if self.n < 1:
            raise InputError("one patient or more", came=str(self.n), case="n")
        if self.slices_per_patient < 1:
            raise InputError(
                "one slice or more", came=str(self.slices_per_patient), case="slices_per_patient"
            )
        if len(self.size) == 3 and self.slices_per_patient != 1:
            raise InputError(
                "slices_per_patient=1 for volumes",
                came=str(self.slices_per_patient),
                remedy="give a size of two numbers for slices",
            )

    def cases(self) -> tuple[Case, ...]:
        """All cases, patient by patient."""
        self._check()
        found = []
        for index in range(self.n):
            patient = self.patient(index)
            for number in range(self.slices_per_patient):
                suffix = f"-slice-{number}" if self.slices_per_patient > 1 else ""
                covariates: dict[str, float | str] = {
                    "age_years": patient.age_years,
                    "over_60": float(patient.age_years > 60),
                    "sex": patient.sex,
                    "lesion_volume_ml": round(patient.lesion_volume_ml, 3),
                    "tumour_days": patient.tumour.age_days if patient.tumour else 0.0,
                    "field_tesla": scanner_of(patient.site).field_tesla,
                    "z_mm": self.grid(index, number).z_mm,
                }
                found.append(
                    Case(
                        identifier=patient.identifier + suffix,
                        patient=patient.identifier,
                        site=patient.site,
                        covariates=covariates,
                    )
                )
        return tuple(found)

    def locate(self, case: Case) -> tuple[Patient, Grid]:
        """Find patient and grid of a case; raises InputError for cases of another source."""
        parts = case.identifier.split("-")
        sound = parts[0] == "digital" and all(part.isdigit() for part in parts[1::2])
        if not sound or len(parts) not in (2, 4) or int(parts[1]) >= self.n:
            raise InputError(
                "a case of this source",
                came="an unknown identifier",
                case=case.identifier,
                remedy="take cases from cases()",
            )
        index, number = int(parts[1]), int(parts[3]) if len(parts) == 4 else 0
        return self.patient(index), self.grid(index, number)

    def read(self, case: Case) -> Mapping[str, Image]:
        """Images by contrast, ``mask``, ``tissues`` and ``lesion``; see :func:`photograph`."""
        patient, grid = self.locate(case)
        return photograph(patient, grid, self.contrasts)
