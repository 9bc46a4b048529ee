"""What a page lets its reader decide, and what it refuses."""

from __future__ import annotations

import base64
import csv
import io
import json
import math
from dataclasses import replace
from pathlib import Path

from vesalius.core.record import Record, read_records
from vesalius.reports import ReportContent, write_report
from vesalius.reports.decision import COPIED, QUESTIONS, decision, mark


def make_record(**changes: object) -> Record:
    """An error that is detectably smaller than the baseline's."""
    fields: dict[str, object] = {
        "recipe": "dolce", "task": "ct", "dataset": "phantom", "protocol": "", "metric": "MAE",
        "level": "pixel", "unit": "HU", "direction": "down", "value": 12.34, "low": 10.98,
        "high": 13.87, "n": 24, "baseline": "FBP", "baseline_value": 45.12, "p_value": 0.0004,
    }  # fmt: skip
    return Record(**{**fields, **changes})  # type: ignore[arg-type]


def feature(**changes: object) -> Record:
    """A distance of sets with its floor."""
    fields: dict[str, object] = {
        "metric": "frd[radiomics]", "level": "feature", "unit": "1", "value": 9.0, "low": 8.0,
        "high": 10.0, "baseline": None, "baseline_value": None, "p_value": None, "floor": 4.0,
    }  # fmt: skip
    return make_record(**{**fields, **changes})


def words(*records: Record) -> dict[str, str]:
    return {answer.level: answer.word for answer in decision(records).answers}


def test_nothing_measured_answers_nothing_and_allows_nothing() -> None:
    found = decision([])
    assert [answer.word for answer in found.answers] == ["not measured"] * 3
    assert len(found.not_for) == 5


def test_a_tested_number_claims_what_its_test_found() -> None:
    assert mark(make_record()).state == "good"
    assert mark(make_record(value=60.0)).state == "bad"
    assert mark(make_record(p_value=0.2)).state == "open"
    assert mark(make_record(p_value=None)).state == "silent"
    assert mark(make_record(value=math.nan)).state == "silent"


def test_a_distance_is_held_against_real_images() -> None:
    assert mark(feature()).state == "bad"
    assert mark(feature(floor=8.5)).state == "good"
    assert mark(feature(floor=30.0)).state == "good", "nearer than real halves are to each other"
    assert mark(feature(low=None)).state == "silent", "no interval, no claim"
    assert mark(feature(direction="up", floor=12.0)).state == "bad"
    assert mark(feature(direction="up", floor=9.5)).state == "good"


def test_real_images_are_the_measure_of_a_set_even_beside_a_baseline() -> None:
    tested = feature(baseline="PCA", baseline_value=30.0, p_value=0.001)
    assert mark(tested).state == "bad", "better than the baseline, yet unlike real images"


def test_the_word_follows_the_marks() -> None:
    worse = make_record(metric="SSIM", value=90.0)
    assert words(make_record())["pixel"] == "better", "than the baseline, which is not a yes"
    assert words(make_record(), worse)["pixel"] == "mixed"
    assert words(worse)["pixel"] == "worse"
    assert words(make_record(p_value=0.4))["pixel"] == "no difference"
    assert words(make_record(baseline_value=None, p_value=None))["pixel"] == "no answer"
    near = feature(metric="kid", floor=8.5)
    assert words(feature())["feature"] == "no"
    assert words(near)["feature"] == "yes"
    assert words(feature(), near)["feature"] == "partly"
    assert words(feature())["clinical"] == "not measured"


def test_the_sentence_counts_and_names() -> None:
    (pixel, _, _) = decision([make_record(), make_record(metric="SSIM", value=90.0)]).answers
    assert pixel.sentence == "1 of 2 better than FBP (MAE); 1 of 2 worse than FBP (SSIM)."


def test_baselines_and_shifted_sites_do_not_answer() -> None:
    baseline = make_record(recipe="FBP", metric="SSIM", value=90.0)
    shifted = make_record(group="shifted", value=90.0)
    assert words(make_record(), baseline, shifted)["pixel"] == "better"


def test_what_is_not_allowed_follows_from_what_was_found() -> None:
    told = " ".join(decision([make_record(), feature()]).not_for)
    assert "Diagnosis" in told
    assert "frd[radiomics] tell them apart" in told
    assert "Planning a dose" in told
    assert "copies of training images were not looked for" in told
    assert "24 patients" in told
    dose = make_record(level="clinical", metric="dose_score", unit="Gy", n=100)
    shifted = make_record(group="shifted", n=100)
    clean = feature(metric="copied_share[pixels]", value=0.0, low=0.0, high=0.0, floor=0.01, n=100)
    told = " ".join(decision([make_record(n=100), dose, shifted, clean]).not_for)
    assert told == ""
    copied = feature(metric="copied_share[pixels]", value=0.3, low=0.2, high=0.4, floor=0.01)
    assert "copies of training images" in " ".join(decision([copied]).not_for)


def test_the_page_shows_it_and_carries_its_numbers(tmp_path: Path) -> None:
    records = (make_record(), feature())
    path = tmp_path / "report.html"
    extra = {"cases.csv": b"case,MAE\na,1\n"}
    write_report(
        path,
        ReportContent("t", "q", "v", {}, records=records, downloads=extra),
    )
    page = path.read_text()
    assert "Does it keep the pixels?" in page
    assert 'data-word="better"' in page
    carried = {
        name: base64.b64decode(
            page.split(f'download="{name}" href="')[1].split('"')[0].split(",")[1]
        )
        for name in ("numbers.json", "numbers.csv", "cases.csv")
    }
    assert carried["cases.csv"] == extra["cases.csv"]
    (tmp_path / "numbers.json").write_bytes(carried["numbers.json"])
    assert read_records(tmp_path / "numbers.json") == list(records)
    rows = list(csv.DictReader(io.StringIO(carried["numbers.csv"].decode())))
    assert [row["metric"] for row in rows] == [record.metric for record in records]
    assert json.loads(carried["numbers.json"])[0]["value"] == 12.34


def test_copies_are_a_question_of_their_own() -> None:
    copied = feature(metric="copied_share[radiomics]", value=0.2, low=0.1, high=0.3, floor=0.01)
    alone = decision([feature(floor=8.5)])
    found = decision([feature(floor=8.5), copied])
    assert [answer.question for answer in alone.answers] == list(QUESTIONS.values())
    assert [answer.question for answer in found.answers] == [*QUESTIONS.values(), COPIED]
    assert [answer.word for answer in found.answers[1:]] == ["yes", "not measured", "no"]
    assert not any("as a set" in use for use in found.not_for)
    assert any("copies of training images" in use for use in found.not_for)
    few = decision([replace(copied, low=0.0)])
    assert few.answers[-1].word == "yes"


def test_a_metric_apart_from_what_it_is_measured_by() -> None:
    assert (mark(feature()).name, mark(feature()).by) == ("frd", "radiomics")
    shifted = mark(feature(group="women"))
    assert (shifted.name, shifted.by) == ("frd, women", "radiomics")
    assert (mark(make_record()).name, mark(make_record()).by) == ("MAE", "")


def test_only_what_was_compared_names_a_baseline() -> None:
    alone = make_record(metric="MAE of one draw", baseline=None, baseline_value=None, p_value=None)
    sentence = decision([make_record(), alone]).answers[0].sentence
    assert sentence == "1 of 1 better than FBP (MAE)."
