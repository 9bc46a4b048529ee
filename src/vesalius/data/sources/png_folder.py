"""A folder of PNG images with a table that says whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.checks import require_channels
from vesalius.data.formats import read_image
from vesalius.data.source import Case, Source
from vesalius.data.tables import covariates, partition_name, read_table

_OWN = ("file", "patient", "site", "partition")


def _tables(path: Path) -> list[Path]:
    """The table of a folder: ``cases.csv`` where there is one, else every CSV file."""
    named = path / "cases.csv"
    return [named] if named.is_file() else sorted(path.glob("*.csv"))


@dataclass(frozen=True)
class PngFolder(Source):
    """``image`` by row of the folder's CSV file.

    Columns ``file`` and ``patient`` are required, ``site`` and ``partition`` are understood, and
    all others (``label``, ``age``, ...) become covariates: numbers where they are numbers. File
    names and patients are printed in messages and reports, so they have to be pseudonyms already.
    """

    path: Path
    modality: str = "DX"
    channel_count: int = 1

    name: ClassVar[str] = "png-folder"
    licence: ClassVar[str] = "the user's own"
    citation: ClassVar[str] = ""

    @classmethod
    def recognises(cls, path: Path) -> bool:
        """A folder with a CSV file and PNG files, in it or in its subfolders."""
        return bool(_tables(path)) and next(path.rglob("*.png"), None) is not None

    def channels(self) -> Mapping[str, str]:
        """``image``."""
        return {"image": self.modality}

    def cases(self) -> tuple[Case, ...]:
        """One case a row; raises InputError for a file that is listed twice or missing."""
        tables = _tables(Path(self.path))
        if len(tables) != 1:
            raise InputError(
                "one CSV file that lists the images",
                came=f"{len(tables)}",
                case=self.path,
                remedy="name it cases.csv, with the columns file and patient",
            )
        found: dict[str, Case] = {}
        for row in read_table(tables[0], "file", "patient"):
            file = row["file"]
            if not row["patient"]:
                raise InputError("a patient in every row", came="none", case=file)
            if file in found:
                raise InputError("every file once", came="two rows for it", case=file)
            if not (Path(self.path) / file).is_file():
                raise InputError(
                    "every listed file in the folder",
                    came="a missing one",
                    case=file,
                    remedy="remove its row or add the file",
                )
            found[file] = Case(
                file,
                row["patient"],
                partition=partition_name(row.get("partition", "")),
                site=row.get("site", ""),
                covariates=covariates(row, _OWN),
            )
        return tuple(found.values())

    def read(self, case: Case) -> Mapping[str, Image]:
        """Data ``(channel, row, column)`` float32 in the file's own values."""
        image = read_image(Path(self.path) / case.identifier)
        require_channels(image, self.channel_count, case.identifier)
        return {"image": replace(image, modality=self.modality)}
