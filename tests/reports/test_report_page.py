from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from vesalius.core.errors import InputError
from vesalius.core.recipe import Provenance
from vesalius.reports import (
    Curve,
    Picture,
    Scatter,
    Strip,
    Table,
    records_table,
    write_comparison,
    write_report,
)
from vesalius.reports.charts import chart, nice_ticks
from vesalius.reports.comparison import best_of, comparison_rows
from vesalius.reports.rendering import doi, fact_rows

VOID = {"meta", "img", "link", "br", "hr", "input", "path", "circle"}
HOSTILE = "<script>alert('x')</script>\"'&"


class Page(HTMLParser):
    """What a browser would find: elements with attributes, text, and whether tags nest."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def page(tmp_path, content):
    path = tmp_path / "deep" / "report.html"
    write_report(path, content)
    return Page(path.read_text(encoding="utf-8"))


def check_self_contained(page: Page) -> None:
    assert not page.all("script")
    assert not page.all("link")
    assert not page.all("iframe")
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in ("src", "srcset", "href", "xlink:href", "action", "poster", "data"):
                allowed = ("data:image/png;base64,", "#")
                carried = ("data:application/json;base64,", "data:text/csv;base64,")
                assert (
                    value.startswith(allowed)
                    or (tag == "a" and value.startswith("https://doi.org/10."))
                    or (tag == "a" and "download" in attributes and value.startswith(carried))
                )
            if name == "style":
                assert "url(" not in value
    policy = [a["content"] for a in page.all("meta") if "http-equiv" in a]
    assert policy == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_one_file_that_fetches_nothing(page, tmp_path):
    check_self_contained(page)
    style = re.search(r"<style>(.*?)</style>", next(tmp_path.rglob("*.html")).read_text(), re.S)[1]
    assert "url(" not in style
    assert "@import" not in style
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["report.html"]


def test_order_is_decision_pictures_verdict_numbers_failures_recipe(page):
    ids = [a["id"] for tag, a in page.elements if tag == "section"]
    first = ["decision", "pictures", "verdict", "numbers"]
    assert ids == [*first, "worst", "curves", "tables", "downloads", "made"]


def test_navigation_leads_somewhere(page):
    ids = {a["id"] for _, a in page.elements if "id" in a}
    for link in page.all("a"):
        if link["href"].startswith("#"):
            assert link["href"][1:] in ids


def test_every_picture_has_words(page, content):
    images = page.all("img")
    assert len(images) == sum(len(strip.pictures) for strip in content.strips)
    for image in images:
        assert len(image["alt"]) > 10
        assert int(image["width"]) > 0
    for strip in content.strips:
        assert strip.case in page.text
        for picture in strip.pictures:
            assert picture.label in page.text


def test_every_table_has_headers_and_a_caption(page):
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(header.get("scope") for header in page.all("th"))


def test_facts_provenance_and_recipe_are_told(page, content):
    for words in (
        "0f1e2d3c4b5a", "a1b2c3d4e5f6", "train 120 · validation 12 · test 24 · shifted 8",
        "1 h 15 min", "3000 steps instead of 400 000", "python 3.11 · torch 2.13",
        "the mechanism and the equations of the paper", content.question, content.warnings[0],
        "Failures are shown, not hidden",
    ):  # fmt: skip
        assert words in page.text
    assert {
        "href": "https://doi.org/10.1109/ICCV51070.2023.00963",
        "rel": "noreferrer",
    } in page.all("a")
    shown = page.text[page.text.index("The recipe as JSON") + len("The recipe as JSON") :]
    assert json.loads(shown[: shown.rindex("}") + 1]) == content.recipe_json


def test_every_record_appears(page, content):
    for record in content.records:
        assert record.metric in page.text
        assert record.protocol in page.text
        assert record.note in page.text
    rows = "12.3 (11.0 to 13.9) 24 45.1 FBP better by 32.8 p < 0.001"
    assert rows in page.text
    assert "worse by 0.0059 p = 0.012" in page.text
    assert "18.2 (15.4 to 21.9) 8" in page.text


def test_hundreds_of_records_all_appear(record):
    many = [
        record(metric=f"metric-{i:03d}", group=group, value=float(i), low=i - 0.5, high=i + 0.5)
        for i in range(150)
        for group in ("test", "shifted")
    ]
    table = Page(str(records_table(many, "pixel")))
    assert all(table.text.count(f"metric-{i:03d}") == 1 for i in range(150))
    assert table.text.count("p < 0.001") == 300
    assert len([a for a in table.all("th") if a.get("rowspan") == "2"]) == 150
    assert "300 tests here, not corrected" in table.text


def test_levels_are_kept_apart(record):
    both = [record(), record(level="feature", metric="FID", floor=3.2)]
    assert "FID" not in str(records_table(both, "pixel"))
    assert "Real against real" in str(records_table(both, "feature"))
    assert "Real against real" not in str(records_table(both, "pixel"))
    assert records_table(both, "clinical") == ""


@pytest.mark.parametrize(
    ("p", "baseline", "outcome", "words"),
    [
        (0.01, 45.0, "better", "better by 32.7"),
        (0.01, 9.0, "worse", "worse by 3.3"),
        (0.2, 45.0, "undetected", "better by 32.7, not detectable"),
        (None, 9.0, "untested", "worse by 3.3, not tested"),
        (0.01, 12.34, "equal", "equal"),
        (0.01, float("nan"), "none", "not defined"),
        (0.01, float("inf"), "better", "better"),
    ],
)
def test_outcomes_in_word_and_colour(record, p, baseline, outcome, words):
    page = Page(str(records_table([record(p_value=p, baseline_value=baseline)], "pixel")))
    cells = [a["class"] for a in page.all("td") if "outcome" in (a.get("class") or "")]
    assert cells == [f"outcome-{outcome}"]
    assert words in page.text


def test_not_a_number_is_never_printed_bare(record):
    odd = [
        record(value=float("nan"), low=float("nan"), high=float("nan"), n=0),
        record(metric="PSNR", value=float("inf"), low=None, high=None, baseline_value=None),
        record(metric="x", value=1.0, low=float("-inf"), high=float("inf")),
    ]
    text = Page(str(records_table(odd, "pixel"))).text
    assert "not defined" in text
    assert "inf no interval" in text
    assert "−inf to inf" in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_hostile_text_is_shown_not_run(tmp_path, content, record):
    picture = Picture(HOSTILE, np.zeros((2, 2)), (0, 1), HOSTILE)
    labels = Picture("l", np.ones((2, 2)), (0, 1), "1", "labels", label_names={1: HOSTILE})
    hostile = replace(
        content,
        title=HOSTILE,
        question=HOSTILE,
        verdict=HOSTILE,
        facts={HOSTILE: HOSTILE},
        provenance=Provenance(system=HOSTILE, title=HOSTILE, doi=HOSTILE, deviations=(HOSTILE,)),
        strips=(Strip(HOSTILE, HOSTILE, (picture, labels), {HOSTILE: HOSTILE}, "worst"),),
        records=(
            record(metric=HOSTILE, unit=HOSTILE, group=HOSTILE, note=HOSTILE, dataset=HOSTILE,
                   protocol=HOSTILE, baseline=HOSTILE),
        ),
        curves=(
            Curve(HOSTILE, HOSTILE, HOSTILE, ((HOSTILE, [1, 2], [1, 2]), ("b", [1], [2]))),
            Scatter(HOSTILE, HOSTILE, HOSTILE, ((HOSTILE, [1, 2], [1, 2]),)),
        ),
        tables=(Table(HOSTILE, (HOSTILE,), ((HOSTILE,),), HOSTILE),),
        recipe_json={HOSTILE: HOSTILE},
        warnings=(HOSTILE,),
    )  # fmt: skip
    path = tmp_path / "r.html"
    write_report(path, hostile)
    page = Page(path.read_text(encoding="utf-8"))
    check_self_contained(page)
    assert page.text.count("<script>alert") > 20
    write_comparison(path, HOSTILE, {HOSTILE: hostile.records}, hostile.strips)
    check_self_contained(Page(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize("text", ["10.1109/x.1", "doi:10.1109/x.1", "https://doi.org/10.1109/x.1"])
def test_doi_becomes_a_link(text):
    assert 'href="https://doi.org/10.1109/x.1"' in str(doi(text))


@pytest.mark.parametrize("text", ["arXiv:2301.1", "javascript:alert(1)", '10.1/"x', ""])
def test_what_is_no_doi_stays_text(text):
    assert doi(text) == text


def test_copies_and_what_others_measured_have_sections_of_their_own(tmp_path, content):
    picture = Picture("generated", np.zeros((2, 2)), (0.0, 1.0), "1")
    strips = (Strip("twin", "A copy of p1.", (picture,), kind="copy"),)
    ladder = Table("Corruption ladder", ("fault", "pixel"), (("blur", "from 1"),), "Elsewhere.")
    path = tmp_path / "report.html"
    write_report(path, replace(content, strips=strips, reference=(ladder,)))
    text = path.read_text(encoding="utf-8")
    page = Page(text)
    assert {"copies", "reference"} <= {attrs.get("id") for _, attrs in page.elements}
    assert 'id="worst"' not in text
    assert text.index('id="copies"') < text.index("A copy of p1.") < text.index('id="reference"')


def test_an_empty_report_is_still_a_report(tmp_path, content):
    path = tmp_path / "r.html"
    empty = replace(content, verdict="", facts={}, strips=(), records=(), curves=(), tables=(),
                    recipe_json={}, warnings=(), provenance=Provenance())  # fmt: skip
    write_report(path, empty)
    text = Page(path.read_text(encoding="utf-8")).text
    assert "No pictures were given." in text
    assert "Nothing was measured." in text
    assert "none recorded" in text


def test_long_names_and_broken_unicode(tmp_path, content):
    long = replace(content, title="x" * 3000 + "\udc80", facts={"a_b": None})
    path = tmp_path / "r.html"
    write_report(path, long)
    page = Page(path.read_text(encoding="utf-8"))
    assert "x" * 3000 in page.text
    assert "a b not recorded" in page.text


def test_the_same_content_gives_the_same_bytes(tmp_path, content):
    for name in "ab":
        write_report(tmp_path / name, content)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_facts():
    assert fact_rows({"seconds": 75, "n": {"a": 1, "b": (2, 3)}, "ok": True}) == [
        ("time", "1 min 15 s"),
        ("n", "a 1 · b 2, 3"),
        ("ok", "yes"),
    ]


# figures


def points_of(svg: str, kind: str) -> list[tuple[float, float]]:
    path = re.search(rf'<path class="{kind}[^"]*" d="([^"]*)"', svg)[1]
    return [(float(a), float(b)) for a, b in re.findall(r"([-\d.]+) ([-\d.]+)", path)]


def test_a_curve_is_drawn_in_proportion():
    points = points_of(str(chart(Curve("t", "x", "y", (("a", [0, 1, 4], [0, 10, 5]),)))), "line")
    (x0, y0), (x1, y1), (x2, y2) = points
    assert (x1 - x0) / (x2 - x0) == pytest.approx(0.25, abs=1e-3)
    assert (y0 - y2) / (y0 - y1) == pytest.approx(0.5, abs=2e-3)
    assert y1 < y2 < y0  # up is more


def test_a_logarithmic_curve_is_straight_for_powers():
    points = points_of(
        str(chart(Curve("t", "x", "y", (("a", [0, 1, 2], [1, 10, 100]),), log_y=True))), "line"
    )
    assert points[0][1] - points[1][1] == pytest.approx(points[1][1] - points[2][1], abs=0.11)


def test_missing_points_break_a_line_and_are_counted():
    svg = str(chart(Curve("t", "x", "y", (("a", range(5), [1, 2, np.nan, 3, 4]),))))
    assert len(re.findall("M", re.search(r'class="line[^"]*" d="([^"]*)"', svg)[1])) == 2
    assert "1 points are not finite" in svg


def test_long_curves_keep_their_extremes():
    y = np.zeros(100_000)
    y[54_321] = 7.0
    points = points_of(str(chart(Curve("t", "x", "y", (("a", np.arange(y.size), y),)))), "line")
    assert len(points) < 1000
    assert len({p[1] for p in points}) == 2  # the single peak is still there


def test_scatter_draws_every_point_on_equal_axes():
    figure = Scatter("t", "x", "y", (("a", [0, 10, 5], [0, 10, 5]),), diagonal=True)
    svg = str(chart(figure))
    points = points_of(svg, "dots")
    assert len(points) == 3
    assert 'class="diagonal"' in svg


@pytest.mark.parametrize("y", [[], [np.nan, np.inf], [-1.0, 0.0]])
def test_nothing_to_draw_is_said(y):
    figure = Curve("t", "x", "y", (("a", range(len(y)), y),), log_y=True)
    assert "Nothing to draw" in str(chart(figure))


@pytest.mark.parametrize("log", [True, False])
@pytest.mark.parametrize("y", [[3.0], [3.0, 3.0], [1e-9, 2e-9], [1e12, 3e12], [1.0, 1.0 + 1e-15]])
def test_constant_and_extreme_curves_have_finite_places(y, log):
    svg = str(chart(Curve("t", "x", "y", (("a", range(len(y)), y),), log_y=log)))
    assert "nan" not in svg
    assert "inf" not in svg.replace("infinity", "")
    assert svg.count('class="tick end"') >= 2


def test_ticks_are_round_and_inside():
    ticks, decimals = nice_ticks(0.0137, 0.0961)
    assert ticks == [0.02, 0.04, 0.06, 0.08]
    assert decimals == 2


def test_series_and_tables_must_fit():
    with pytest.raises(InputError, match="as many x as y"):
        Curve("t", "x", "y", (("a", [1], [1, 2]),))
    with pytest.raises(InputError, match="2 cells a row"):
        Table("t", ("a", "b"), ((1,),))


# comparison


def test_comparison_shows_every_system_and_number(tmp_path, content, record):
    path = tmp_path / "c.html"
    other = [record(recipe="other", value=20.0, low=18.0, high=22.0)]
    write_comparison(path, "Three", {"dolce": content.records, "other": other, "none": []},
                     content.strips)  # fmt: skip
    page = Page(path.read_text(encoding="utf-8"))
    check_self_contained(page)
    assert "12.3 (11.0 to 13.9) best n = 24" in page.text
    assert "20.0 (18.0 to 22.0) n = 24" in page.text
    assert "not measured" in page.text
    for item in content.records:
        assert item.metric in page.text


def test_best_needs_intervals_apart(record):
    near, far = record(value=12.3, low=11.0, high=13.9), record(value=20.0, low=18.0, high=22.0)
    touching = record(value=15.0, low=13.9, high=17.0)
    assert best_of([near, far]) == 0
    assert best_of([far, near]) == 1
    assert best_of([near, touching]) is None
    assert best_of([near, far, touching]) is None
    assert best_of([near]) is None
    assert best_of([near, None]) is None
    assert best_of([near, None, far]) == 0
    assert best_of([near, record(value=20.0, low=None, high=None)]) is None
    assert best_of([near, record(value=float("nan"))]) is None


def test_best_follows_the_direction(record):
    def made(value, direction):
        return record(value=value, low=value - 0.1, high=value + 0.1, direction=direction)

    assert best_of([made(1.0, "up"), made(2.0, "up")]) == 1
    assert best_of([made(1.0, "down"), made(2.0, "down")]) == 0
    assert best_of([made(-0.3, "zero"), made(-2.0, "zero"), made(3.0, "zero")]) == 0


def test_what_cannot_be_compared_never_shares_a_row(tmp_path, record):
    apart = {"a": [record()], "b": [record(split="other", value=30.0, low=29.0, high=31.0)]}
    rows = comparison_rows(apart, "pixel")
    assert len(rows) == 2
    assert not any(entry.best for row in rows for entry in row.entries if entry)
    assert "split other" in rows[1].where
    write_comparison(tmp_path / "c.html", "t", apart)
    assert "not all judged on the same split" in (tmp_path / "c.html").read_text()


def test_repeats_each_get_a_row(record):
    rows = comparison_rows({"a": [record(seed=0), record(seed=1, value=13.0)]}, "pixel")
    assert [row.entries[0].value for row in rows] == ["12.3", "13.0"]


def test_importing_the_room_imports_nothing_heavy():
    code = (
        "import sys, vesalius.reports; "
        "print([m for m in ('matplotlib', 'monai', 'skimage') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_tables_say_when_p_values_are_adjusted(record):
    adjusted = [record(note="paired Wilcoxon by patient, Holm over 2", metric=m) for m in "ab"]
    assert "2 tests here, adjusted by Holm" in Page(str(records_table(adjusted, "pixel"))).text
    mixed = [*adjusted, record(note="", metric="c")]
    assert "3 tests here, not corrected" in Page(str(records_table(mixed, "pixel"))).text
