"""Which cases a report shows."""

from __future__ import annotations

from math import nan

from vesalius.runner.shown_cases import TYPICAL, WORST, ShownCase, from_best, shown_cases


def test_directions() -> None:
    values = [3.0, -1.0, nan, 2.0, -1.0]
    assert from_best(values, "down") == [1, 4, 3, 0]
    assert from_best(values, "up") == [0, 3, 1, 4]
    assert from_best(values, "zero") == [1, 4, 3, 0]
    assert from_best([-4.0, 1.0], "zero") == [1, 0]


def test_the_main_measure_shows_more() -> None:
    values = {"mae": [float(k) for k in range(20)], "psnr": [float(k) for k in range(20)]}
    shown = {one.place: one for one in shown_cases({"mae": "down", "psnr": "up"}, values)}
    by_kind = {
        kind: sorted(place for place, one in shown.items() if "mae" in one.roles.get(kind, []))
        for kind in ("typical", "best", "worst")
    }
    assert by_kind == {"typical": [8, 9, 10], "best": [0], "worst": [16, 17, 18, 19]}
    assert (len(by_kind["typical"]), len(by_kind["worst"])) == (TYPICAL, WORST)
    # the measures disagree: what one finds best, the other finds worst
    assert shown[0].kind == shown[19].kind == "worst"
    assert shown[0].reasons == "Best by mae; worst by psnr."
    assert shown[10].reasons == "Typical by mae and psnr."


def test_few_cases() -> None:
    (one,) = shown_cases({"mae": "down"}, {"mae": [1.0]})
    assert one.roles == {"typical": ["mae"], "best": ["mae"]}  # and worst of none
    two = {one.place: set(one.roles) for one in shown_cases({"mae": "down"}, {"mae": [5.0, 1.0]})}
    assert two == {0: {"worst"}, 1: {"best", "typical"}}
    assert shown_cases({"mae": "down"}, {"mae": [nan, nan]}) == ()
    assert shown_cases({}, {}) == ()


def test_what_a_case_is() -> None:
    assert ShownCase(0).kind == "typical"
    assert ShownCase(0).reasons == ""
    assert ShownCase(0, {"typical": ["a"], "best": ["b"]}).kind == "best"
