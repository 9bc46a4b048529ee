from __future__ import annotations

import math
from pathlib import Path

import pytest

from vesalius.core import InputError, Record
from vesalius.core.record import read_records, write_records


def record(**changes: object) -> Record:
    fields: dict[str, object] = {
        "recipe": "r", "task": "t", "dataset": "d", "protocol": "p", "metric": "mae",
        "level": "pixel", "unit": "HU", "direction": "down", "value": 1.5,
    }  # fmt: skip
    return Record(**{**fields, **changes})  # type: ignore[arg-type]


def test_round_trip_also_of_what_is_not_a_number(tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    records = [record(), record(value=math.inf, low=-math.inf, n=3), record(value=math.nan)]
    write_records(path, records)
    again = read_records(path)
    assert again[:2] == records[:2]
    assert math.isnan(again[2].value)


@pytest.mark.parametrize(
    "text",
    ["", "{", '[{"recipe": "r"}]', "[5]", '[{"surprise": 1}]', "5", '{"a": 1}', "null"],
)
def test_other_content_is_an_input_error(tmp_path: Path, text: str) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(text)
    with pytest.raises(InputError):
        read_records(path)
    with pytest.raises(InputError, match="no such file"):
        read_records(tmp_path / "none.json")
