from __future__ import annotations

import pytest

from vesalius.core.errors import InputError
from vesalius.core.record import write_records
from vesalius.reports import records_markdown, results_table
from vesalius.reports.results import collect, filled


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.replace("\\|", "¦").strip().strip("|").split("|")]


def test_one_row_a_record(content):
    lines = records_markdown(content.records).splitlines()
    assert len(lines) == 2 + len(content.records)
    assert len({len(cells(line)) for line in lines}) == 1
    assert cells(lines[2])[:8] == [
        "pixel", "MAE ↓", "test", "12.3 HU (11.0 to 13.9)", "24", "45.1 (FBP)",
        "**better by 32.8**", "p &lt; 0.001",
    ]  # fmt: skip


def test_only_detected_differences_are_bold(record):
    assert "**" not in records_markdown([record(p_value=0.2)])
    assert "**" not in records_markdown([record(p_value=None)])
    assert "**worse by" in records_markdown([record(baseline_value=1.0)])


def test_empty_columns_are_left_out(record):
    text = records_markdown([record(baseline=None, baseline_value=None, p_value=None)])
    assert "baseline" not in text
    assert "floor" not in text


def test_text_cannot_break_the_table(record):
    text = records_markdown([record(metric="a|b\n<script>", note="x|y")])
    assert len(text.splitlines()) == 3
    assert "<script>" not in text
    assert len({len(cells(line)) for line in text.splitlines()}) == 1


def test_nothing():
    assert records_markdown([]) == "No results.\n"


def test_results_are_collected_from_files(tmp_path, record):
    write_records(tmp_path / "b.json", [record(task="beta", recipe="two", steps=500)])
    write_records(
        tmp_path / "a.json", [record(task="alpha"), record(task="alpha", group="shifted")]
    )
    assert [item.task for item in collect([tmp_path])] == ["alpha", "alpha", "beta"]
    assert len(collect([tmp_path, tmp_path / "a.json"])) == 3
    lines = results_table([tmp_path]).splitlines()
    assert [cells(line)[0] for line in lines[2:]] == ["alpha", "alpha", "beta"]
    assert "0f1e2d3c4b5a" in lines[2]
    assert "a1b2c3d4e5f6" in lines[2]
    assert len(results_table([tmp_path], task="alpha", group="test").splitlines()) == 3
    assert results_table([tmp_path], recipe="nobody") == "No results.\n"
    assert results_table([tmp_path], level="clinical") == "No results.\n"


def test_missing_results_are_an_error(tmp_path):
    with pytest.raises(InputError, match="run the benchmark"):
        collect([tmp_path / "none.json"])


def test_documents_are_filled_between_markers(tmp_path, record):
    write_records(tmp_path / "a.json", [record(task="alpha"), record(task="beta", metric="PSNR")])
    document = "# T\n<!-- results: task=alpha level=pixel -->\nold\n<!-- /results -->\nend\n"
    once = filled(document, [tmp_path])
    assert "old" not in once
    assert "MAE" in once
    assert "PSNR" not in once
    assert once.startswith("# T\n<!-- results: task=alpha level=pixel -->\n| task")
    assert once.endswith("<!-- /results -->\nend\n")
    assert filled(once, [tmp_path]) == once


@pytest.mark.parametrize("keys", ["tsk=alpha", "level=pixels", "task="])
def test_wrong_markers_are_errors(tmp_path, record, keys):
    write_records(tmp_path / "a.json", [record()])
    with pytest.raises(InputError):
        filled(f"<!-- results: {keys} -->\n<!-- /results -->", [tmp_path])
