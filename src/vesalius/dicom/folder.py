"""A folder of DICOM series as a source: one case a series, identities hashed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.source import Case, Source, pseudonym
from vesalius.dicom.header import raw_text
from vesalius.dicom.read import image_files, open_file, read_series

_UNIT_YEARS = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}


def age_years(text: str) -> float | None:
    """A DICOM age string in years, None if it is none.

    >>> age_years("042Y"), age_years("006M"), age_years("42")
    (42.0, 0.5, None)
    """
    if len(text) == 4 and text[:3].isdigit() and text[3] in _UNIT_YEARS:
        return int(text[:3]) * _UNIT_YEARS[text[3]]
    return None


@dataclass(frozen=True)
class DicomFolder(Source):
    """Every series in a folder and its subfolders: ``image``.

    Case, patient and site are keyed hashes of series, patient and institution, so that they may be
    printed and stay the same in every process. Whoever knows ``salt`` can test a guess: set a
    secret one where the results leave the house. With ``modality`` ("CT", "MR", ...) only its
    series are taken; without, the folder has to hold one modality. Covariates: ``sex`` and
    ``age_years`` where given.
    """

    path: Path
    modality: str = ""
    salt: str = "vesalius"

    name: ClassVar[str] = "dicom-folder"
    licence: ClassVar[str] = "the user's own"
    citation: ClassVar[str] = ""

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """A folder with ``.dcm`` files or a DICOMDIR, in it or in its subfolders."""
        return path.is_dir() and any(
            next(path.rglob(pattern), None) is not None for pattern in ("*.dcm", "DICOMDIR")
        )

    @cached_property
    def _series(self) -> Mapping[str, tuple[Case, str, tuple[Path, ...]]]:
        """Case, modality and files by case identifier."""
        files: dict[str, list[Path]] = {}
        found: dict[str, tuple[Case, str]] = {}
        for number, file in enumerate(image_files(Path(self.path)), start=1):
            if file.stat().st_size == 0:
                raise InputError("DICOM files", came="an empty one", case=f"file {number} by name")
            dataset = open_file(file, f"file {number} by name", pixels=False)
            if dataset is None or "Rows" not in dataset:
                continue
            modality = raw_text(dataset, "Modality")
            if self.modality and modality != self.modality:
                continue
            identifier = pseudonym(raw_text(dataset, "SeriesInstanceUID"), self.salt)
            files.setdefault(identifier, []).append(file)
            if identifier in found:
                continue
            who = raw_text(dataset, "PatientID") or raw_text(dataset, "StudyInstanceUID")
            where = raw_text(dataset, "InstitutionName")
            covariates: dict[str, float | str] = {}
            if sex := raw_text(dataset, "PatientSex"):
                covariates["sex"] = sex
            if (age := age_years(raw_text(dataset, "PatientAge"))) is not None:
                covariates["age_years"] = age
            case = Case(
                identifier,
                pseudonym(who, self.salt),
                site=pseudonym(where, self.salt) if where else "",
                covariates=covariates,
            )
            found[identifier] = (case, modality)
        if not found:
            raise InputError(
                f"DICOM images{' of modality ' + self.modality if self.modality else ''}",
                came="none",
                case="DICOM folder",
                remedy="check the path",
            )
        modalities = sorted({modality for _, modality in found.values()})
        if len(modalities) > 1:
            raise InputError(
                "series of one modality",
                came=", ".join(modalities),
                case="DICOM folder",
                remedy="choose one with the argument modality",
            )
        return {key: (*found[key], tuple(files[key])) for key in sorted(found)}

    def channels(self) -> Mapping[str, str]:
        """``image``, with DICOM's word for the modality."""
        return {"image": next(iter(self._series.values()))[1]}

    def cases(self) -> tuple[Case, ...]:
        """One case a series, in the order of their hashes."""
        return tuple(case for case, _, _ in self._series.values())

    def read(self, case: Case) -> Mapping[str, Image]:
        """The series as :func:`~vesalius.dicom.read.read_series` reads it."""
        if case.identifier not in self._series:
            raise InputError("a case of this source", came=case.identifier, case="DICOM folder")
        files = self._series[case.identifier][2]
        image, _ = read_series(files, case=case.identifier)
        return {"image": image}
