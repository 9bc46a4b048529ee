"""One number of a report, with everything that it needs to be believed."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically

Level = Literal["pixel", "feature", "clinical", "cost"]
Direction = Literal["up", "down", "zero"]


@dataclass(frozen=True)
class Record:
    """A measured value: what of whom, under which protocol, how sure, against what.

    ``low`` and ``high`` bound the 95 % interval (bootstrap by patient unless ``protocol`` says
    otherwise); ``n`` counts patients; ``baseline`` names what is used today, and ``p_value`` is
    that of the paired test against it. ``group`` names the part of the test set ("test", "shifted",
    an arm of a downstream study). ``floor`` is the real-against-real value of a distribution
    metric.
    """

    recipe: str
    task: str
    dataset: str
    protocol: str
    metric: str
    level: Level
    unit: str
    direction: Direction
    value: float
    low: float | None = None
    high: float | None = None
    n: int = 0
    group: str = "test"
    baseline: str | None = None
    baseline_value: float | None = None
    p_value: float | None = None
    floor: float | None = None
    note: str = ""
    seed: int = 0
    steps: int = 0
    seconds: float = 0.0
    device: str = "cpu"
    split: str = ""
    fingerprint: str = ""

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Record:
        """The record that ``to_json`` wrote; unknown or missing fields raise InputError."""
        try:
            return Record(**data)
        except TypeError as error:
            raise InputError("the fields of a record", came=str(error)) from None


def write_records(path: Path, records: Iterable[Record]) -> None:
    """Write ``records`` as a JSON list, whole or not at all."""
    text = json.dumps([record.to_json() for record in records], indent=1, allow_nan=True)
    write_atomically(path, (text + "\n").encode())


def read_records(path: Path) -> list[Record]:
    """Read what :func:`write_records` wrote; InputError where it is missing or something else."""
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError("a file of records", came="no such file", case=path) from None
    except ValueError as error:
        came = f"broken JSON ({error})"
        raise InputError("a JSON list of records", came=came, case=path) from None
    if not isinstance(data, list) or not all(isinstance(item, dict) for item in data):
        raise InputError("a JSON list of records", came="something else", case=path)
    return [Record.from_json(item) for item in data]
