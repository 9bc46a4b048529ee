"""The corruption ladder as tables of a report."""

from __future__ import annotations

from vesalius.evaluation.ladder.reference import LadderLine
from vesalius.runner.ladder_tables import _table, ladder_tables


def test_a_line_a_corruption_and_a_column_a_level() -> None:
    lines = (
        LadderLine("blur", "a blur", "voxels", "pixel", 0.5, "mse"),
        LadderLine("blur", "a blur", "voxels", "clinical", None, ""),
        LadderLine("copies", "copied", "of the patients", "pixel", 0.25, ""),
    )
    table = _table("heads", lines)
    assert table.columns == ("planted fault", "severity in", "pixel level", "clinical level")
    assert table.rows == (
        ("blur: a blur", "voxels", "from 0.5: mse", "not noticed"),
        ("copies: copied", "of the patients", "from 0.25: several together", "no measure"),
    )


def test_the_ladder_that_was_measured_is_shown() -> None:
    digital, xrays = ladder_tables()
    assert "pixel level" in digital.columns
    assert "pixel level" not in xrays.columns, "X-rays of nobody have no reference"
    faults = [str(row[0]).split(":")[0] for row in digital.rows]
    assert "lesion at an impossible place" in faults
