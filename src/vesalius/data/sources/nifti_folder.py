"""A folder of NIfTI files: plain, one folder a case, or BIDS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import read_image
from vesalius.data.modality import modality_of, unit_of
from vesalius.data.source import Case, Source
from vesalius.data.tables import covariates, partition_name, read_table

_OWN = ("case", "participant_id", "patient", "site", "partition")


def _stem(file: Path) -> str:
    return file.name.removesuffix(".gz").removesuffix(".nii")


def _files(folder: Path, pattern: str) -> list[Path]:
    found = (*folder.glob(f"{pattern}.nii"), *folder.glob(f"{pattern}.nii.gz"))
    return sorted(file for file in found if file.is_file() and not file.name.startswith("."))


def _subfolders(path: Path) -> list[Path]:
    return sorted(f for f in path.glob("*") if f.is_dir() and not f.name.startswith("."))


def _flat(file: Path) -> tuple[str, str]:
    """Case and channel of ``<case>_<channel>.nii.gz``; "image" where there is no underscore."""
    before, _, last = _stem(file).rpartition("_")
    return (before, last.lower()) if before else (last, "image")


def _nested(file: Path) -> tuple[str, str]:
    """Case and channel of ``<case>/<channel>.nii.gz`` or ``<case>/<case>_<channel>.nii.gz``."""
    case, stem = file.parent.name, _stem(file)
    channel = stem.removeprefix(case).lstrip("_-") if stem.startswith(case) else stem
    return case, channel.lower() or "image"


def _bids(file: Path) -> tuple[str, str]:
    """Case (subject and session) and channel (suffix) of a file in a BIDS folder ``anat``."""
    parts = _stem(file).split("_")
    return "_".join(part for part in parts if part.startswith(("sub-", "ses-"))), parts[-1].lower()


@dataclass(frozen=True)
class NiftiFolder(Source):
    """NIfTI files by case and channel, told from their names.

    Plain: ``<case>_<channel>.nii.gz``; one folder a case: ``<case>/<channel>.nii.gz`` or
    ``<case>/<case>_<channel>.nii.gz``; BIDS:
    ``sub-XX[/ses-YY]/anat/sub-XX[_ses-YY][...]_T1w.nii.gz``, channel ``t1w``. Only files whose
    name (without suffix) matches ``pattern`` are taken. Every case has to have every channel; with
    ``channel_names`` only those are read and cases without them left out.

    The table ``cases.csv`` (column ``case``) or BIDS's ``participants.tsv`` gives ``patient``,
    ``site``, ``partition`` and covariates. Modality and unit follow from the channel's name (see
    :mod:`vesalius.data.modality`); ``modalities`` overrides them by channel. Names are printed in
    messages and reports, so they have to be pseudonyms already.
    """

    path: Path
    pattern: str = "*"
    channel_names: tuple[str, ...] = ()
    modalities: Mapping[str, str] = field(default_factory=dict, hash=False)

    name: ClassVar[str] = "nifti-folder"
    licence: ClassVar[str] = "the user's own"
    citation: ClassVar[str] = ""

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """A folder with NIfTI files, in it, in its subfolders or in BIDS's ``anat`` folders."""
        places = ("*", "*/*", "sub-*/anat/*", "sub-*/ses-*/anat/*")
        return path.is_dir() and any(
            next(path.glob(f"{place}{suffix}"), None) is not None
            for place in places
            for suffix in (".nii", ".nii.gz")
        )

    @cached_property
    def _found(self) -> dict[str, dict[str, Path]]:
        """Files by case and channel."""
        path = Path(self.path)
        subjects = [folder for folder in _subfolders(path) if folder.name.startswith("sub-")]
        named: list[tuple[tuple[str, str], Path]] = []
        if any(any(s.glob("anat")) or any(s.glob("ses-*/anat")) for s in subjects):
            for subject in subjects:
                for folder in (*sorted(subject.glob("anat")), *sorted(subject.glob("ses-*/anat"))):
                    named += [(_bids(file), file) for file in _files(folder, self.pattern)]
        else:
            named += [(_flat(file), file) for file in _files(path, self.pattern)]
            for folder in _subfolders(path):
                named += [(_nested(file), file) for file in _files(folder, self.pattern)]
        found: dict[str, dict[str, Path]] = {}
        for (case, channel), file in named:
            if channel in found.setdefault(case, {}):
                raise InputError(
                    f"one file of channel '{channel}'",
                    case=case,
                    came=f"{found[case][channel].name} and {file.name}",
                    remedy="choose files with a pattern",
                )
            found[case][channel] = file
        if not found:
            raise InputError(
                f"NIfTI files that match '{self.pattern}'",
                came="none",
                case=path,
                remedy="check the path and the pattern",
            )
        return found

    @cached_property
    def _complete(self) -> dict[str, dict[str, Path]]:
        """Files by case and channel, every case with every channel."""
        found = self._found
        if self.channel_names:
            complete = {
                case: {channel: files[channel] for channel in self.channel_names}
                for case, files in sorted(found.items())
                if set(self.channel_names) <= set(files)
            }
            if not complete:
                known = sorted({channel for files in found.values() for channel in files})
                raise InputError(
                    f"a case with the channels {', '.join(self.channel_names)}",
                    case=self.path,
                    came=f"cases with some of {', '.join(known)}",
                )
            return complete
        wanted = dict.fromkeys(channel for files in found.values() for channel in files)
        for case, files in sorted(found.items()):
            lacking = [channel for channel in wanted if channel not in files]
            if lacking:
                raise InputError(
                    f"the channels {', '.join(wanted)} of every case",
                    case=case,
                    came=f"{', '.join(files)}",
                    remedy="add the missing files, choose channels with channel_names, "
                    "or choose files with a pattern",
                )
        return {case: {c: files[c] for c in wanted} for case, files in sorted(found.items())}

    def channels(self) -> Mapping[str, str]:
        """Channels and the modalities that their names stand for."""
        first = next(iter(self._complete.values()))
        return {name: self.modalities.get(name, modality_of(name)) for name in first}

    def _rows(self) -> dict[str, dict[str, str]]:
        for name, column in (("cases.csv", "case"), ("participants.tsv", "participant_id")):
            table = Path(self.path) / name
            if table.is_file():
                return {row[column]: row for row in read_table(table, column)}
        return {}

    def cases(self) -> tuple[Case, ...]:
        """Cases by name."""
        rows = self._rows()
        found = []
        for case in self._complete:
            subject = case.split("_ses-")[0] if case.startswith("sub-") else case
            row = (
                rows.get(case) or rows.get(subject) or rows.get(subject.removeprefix("sub-")) or {}
            )
            found.append(
                Case(
                    case,
                    row.get("patient") or subject,
                    partition=partition_name(row.get("partition", "")),
                    site=row.get("site", ""),
                    covariates=covariates(row, _OWN),
                )
            )
        return tuple(found)

    def read(self, case: Case) -> Mapping[str, Image]:
        """Data ``(1, *space)`` in the file's own axis order; labels int64, others float."""
        if case.identifier not in self._complete:
            raise InputError("a case of this source", came=case.identifier, case=self.path)
        images: dict[str, Image] = {}
        first: Image | None = None
        for channel, modality in self.channels().items():
            image = read_image(self._complete[case.identifier][channel])
            unit = unit_of(modality) if image.unit == "a.u." else image.unit
            if unit == "label" and image.data.is_floating_point():
                whole = image.data.round()
                if not bool((whole == image.data).all()):
                    raise InputError(
                        "whole numbers as labels",
                        came="fractions",
                        case=f"{case.identifier} {channel}",
                    )
                image = image.with_data(whole.long())
            if modality == "unknown":
                modality = image.modality
            image = replace(image, unit=unit, modality=modality)
            first = first or image
            first.require_same_grid(image, case.identifier)
            images[channel] = image
        return images
