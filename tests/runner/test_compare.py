"""Runs and evaluated folders side by side: what is found, what is refused, what is written."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vesalius.core.errors import InputError
from vesalius.core.record import Record, write_records
from vesalius.runner.compare import Terms, compare
from vesalius.runner.covariates import read_covariates
from vesalius.runner.judged_folder import open_judged
from vesalius.runner.run import Run

N = 20
CONTEXT = Record(
    recipe="", task="images", dataset="real", protocol="range 0 to 255", metric="", level="pixel",
    unit="HU", direction="down", value=0.0,
)  # fmt: skip
METRICS = {"mae": ("HU", "down", 1.0), "psnr": ("dB", "up", -1.0)}

Made = Callable[..., Path]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """Folders as ``vesalius evaluate`` leaves them: errors around ``error``, a value a case."""

    def make(name: str, error: float, n: int = N, **changes: str) -> Path:
        folder = tmp_path / name
        rng = np.random.default_rng(sum(name.encode()))
        hard = np.random.default_rng(0).normal(0, 3, 100)[:n]  # cases are hard for all
        columns, records = {}, []
        for metric, (unit, direction, sign) in METRICS.items():
            values = 40 + sign * (error + hard + rng.normal(0, 0.5, n))
            columns[metric] = values
            context = replace(CONTEXT, recipe=name, **changes)
            records.append(
                replace(context, metric=metric, unit=unit, direction=direction, n=n,
                        value=float(values.mean()), low=0.0, high=1.0)
            )  # fmt: skip
        records.append(replace(CONTEXT, recipe=name, metric="frd[x]", level="feature", n=n,
                               value=1.0, low=0.5, high=2.0, **changes))  # fmt: skip
        write_records(folder / "metrics.json", records)
        with open(folder / "cases.csv", "w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["case", "patient", *columns])
            for k in range(n):
                row = [repr(float(values[k])) for values in columns.values()]
                writer.writerow([f"case{k:02d}", f"p{k // 2:02d}", *row])
        return folder

    return make


def found_in(out: Path) -> dict:
    return json.loads((out / "comparison.json").read_text())


def test_evaluated_folders(made: Made, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = compare([made("a", 0.0), made("b", 5.0), made("c", 5.0)], out)
    assert report == out / "report.html"
    found = found_in(out)
    assert found["systems"] == ["a", "b", "c"]
    assert [one["metric"] for one in found["measures"]] == ["mae", "psnr"]
    for one in found["measures"]:
        assert one["best"] == "a"
        assert one["n"] == N // 2
        assert [sorted(group) for group in one["not_told_apart"]] == [["b", "c"]]
        assert one["ranks"]["shares"]["a"][0] == 1.0
        assert one["values"]["a"]["q25"] <= one["values"]["a"]["median"]
    pair = next(p for p in found["measures"][0]["pairs"] if (p["a"], p["b"]) == ("a", "b"))
    assert pair["low"] < pair["gain"] < pair["high"]
    assert pair["gain"] == pytest.approx(5, abs=0.5)
    assert pair["p_holm"] == pytest.approx(6 * 2 / 2**10)  # ten patients, all better; six tests
    assert any("Features of the images were not kept" in text for text in found["warnings"])
    html = report.read_text()
    assert "told apart from every other system" in html
    assert "frd[x]" in html
    rows = list(csv.DictReader((out / "comparison.csv").read_text().splitlines()))
    first = next(row for row in rows if (row["system"], row["metric"]) == ("a", "mae"))
    assert float(first["value"]) == pytest.approx(found["measures"][0]["values"]["a"]["value"])
    assert (first["rank"], first["first"], first["n"]) == ("1", "1.0", str(N // 2))
    assert float(first["low"]) < float(first["value"]) < float(first["high"])


def test_the_same_seed_gives_the_same_files(made: Made, tmp_path: Path) -> None:
    folders = [made("a", 0.0), made("b", 1.0)]
    outs = [tmp_path / name for name in ("one", "two")]
    for out in outs:
        compare(folders, out, seed=5)
    for name in ("report.html", "comparison.json", "comparison.csv"):
        one, two = ((out / name).read_bytes() for out in outs)
        assert one == two


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"protocol": "range 0 to 1"},
            "the protocol 'range 0 to 255' in a and 'range 0 to 1' in b",
        ),
        ({"dataset": "other"}, "the dataset 'real' in a and 'other' in b"),
        ({"task": "mr-to-ct"}, "the task 'images' in a and 'mr-to-ct' in b"),
    ],
)
def test_what_differs_is_named(
    changes: dict[str, str], told: str, made: Made, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="same task, data and protocol") as raised:
        compare([made("a", 0.0), made("b", 0.0, **changes)], tmp_path / "out")
    assert told in str(raised.value)
    assert not (tmp_path / "out").exists()


def test_other_cases_need_leave(made: Made, tmp_path: Path) -> None:
    folders = [made("a", 0.0), made("b", 5.0, n=14)]
    with pytest.raises(InputError) as raised:
        compare(folders, tmp_path / "out")
    assert "20 in a, 14 in b, 14 of them in all" in str(raised.value)
    assert "--common" in str(raised.value)
    assert "case0" not in str(raised.value)
    compare(folders, tmp_path / "out", terms=Terms(common=True))
    found = found_in(tmp_path / "out")
    assert {one["n"] for one in found["measures"]} == {7}
    with open(folders[0] / "cases.csv") as file:
        values = [float(row["mae"]) for row in csv.DictReader(file)][:14]
    assert found["measures"][0]["values"]["a"]["value"] == pytest.approx(np.mean(values))
    assert any("Only the 14 cases" in text for text in found["warnings"])
    # numbers of all cases have no place beside those of some
    assert "frd[x]" not in (tmp_path / "out" / "report.html").read_text()


def test_no_case_in_common(made: Made, tmp_path: Path) -> None:
    folders = [made("a", 0.0), made("b", 5.0)]
    text = (
        (folders[1] / "cases.csv").read_text().replace("case", "other").replace("other", "case", 1)
    )
    (folders[1] / "cases.csv").write_text(text)
    with pytest.raises(InputError, match="0 of them in all"):
        compare(folders, tmp_path / "out")
    with pytest.raises(InputError, match="that every folder has"):
        compare(folders, tmp_path / "out", terms=Terms(common=True))


def test_a_case_belongs_to_one_patient(made: Made, tmp_path: Path) -> None:
    folders = [made("a", 0.0), made("b", 5.0)]
    table = folders[1] / "cases.csv"
    table.write_text(table.read_text().replace("p03", "p99"))
    with pytest.raises(InputError, match="the same patient of a case") as raised:
        compare(folders, tmp_path / "out")
    assert "p03" not in str(raised.value)
    assert "p99" not in str(raised.value)


def test_margins(made: Made, tmp_path: Path) -> None:
    folders = [made("a", 0.0), made("b", 0.3), made("c", 5.0)]
    terms = Terms(reference="a", margins={"mae": 1.5})
    compare(folders, tmp_path / "out", terms=terms)
    tests = {one["system"]: one for one in found_in(tmp_path / "out")["margins"]}
    assert tests["b"]["shown"]
    assert not tests["c"]["shown"]
    assert tests["c"]["gain"] == pytest.approx(-5, abs=0.5)
    html = (tmp_path / "out" / "report.html").read_text()
    assert "no more than 1.5 HU worse than a?" in html
    assert "non-inferior to a: b" in html
    for wrong, told in (
        (Terms(margins={"mae": 1.0}), "a reference"),
        (Terms(reference="z", margins={"mae": 1.0}), "a known system"),
        (Terms(reference="a", margins={"mea": 1.0}), "did you mean mae"),
        (Terms(reference="a", margins={"mae": -1.0}), "a positive margin"),
    ):
        with pytest.raises(InputError, match=told):
            compare(folders, tmp_path / "out", terms=wrong)


def test_subgroups_from_a_table(made: Made, tmp_path: Path) -> None:
    folders = [made("a", 0.0), made("b", 5.0)]
    for name in ("mae", "psnr"):  # every second patient is served worse by a
        del name
    rows = list(csv.DictReader((folders[0] / "cases.csv").read_text().splitlines()))
    for row in rows:
        if int(row["patient"][1:]) % 2:
            row["mae"] = repr(float(row["mae"]) + 30)
    with open(folders[0] / "cases.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    table = tmp_path / "subgroups.csv"
    lines = [f"p{k:02d},{'MF'[k % 2]},{20 + 5 * k}" for k in range(9)]  # the tenth is not known
    table.write_text("\n".join(["patient,sex,age", *lines]) + "\n")
    terms = Terms(subgroups=table, bands={"age": (30, 50)})
    compare(folders, tmp_path / "out", terms=terms)
    found = found_in(tmp_path / "out")
    first = next(
        one for one in found["subgroups"]
        if (one["metric"], one["system"], one["column"]) == ("mae", "a", "sex")
    )  # fmt: skip
    assert first["worst"] == "F"
    assert first["gap"] == pytest.approx(30, abs=4)
    assert first["groups"]["F"]["n_patients"] == 4
    assert first["n_missing"] == 2
    age = next(one for one in found["subgroups"] if one["column"] == "age")
    assert list(age["groups"]) == ["under 30", "30 to under 50", "50 and over"]
    html = (tmp_path / "out" / "report.html").read_text()
    assert "F (4 patients)" in html
    table.write_text("patient,sex\nnobody,F\n")
    with pytest.raises(InputError, match="none of them"):
        compare(folders, tmp_path / "out", terms=Terms(subgroups=table))
    with pytest.raises(InputError, match="--subgroups"):
        compare(folders, tmp_path / "out", terms=Terms(bands={"age": (3,)}))


def test_a_table_of_covariates(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text("case,dose,scanner,volume\nx,1,A,10\ny,2,,20\nz,1,B,nan\nw,2,B,40\nv,1,A,50\n"
                    "u,2,A,60\nt,1,A,70\n")  # fmt: skip
    table = read_covariates(path)
    assert table.key == "case"
    cases = ["x", "y", "z", "w", "v", "u", "t", "?"]
    dose, scanner, volume = table.of(cases, cases, {})
    assert dose.labels == ("1", "2", "1", "2", "1", "2", "1", None)
    assert dose.order == ("1", "2")
    assert scanner.labels == ("A", None, "B", "B", "A", "A", "A", None)
    assert volume.labels[0] == "under 33.3"  # of 10, 20, 40, 50, 60, 70
    assert volume.labels[2] is None
    assert len(volume.order) == 3
    with pytest.raises(InputError, match="bands of a column among dose, scanner, volume"):
        table.of(cases, cases, {"age": (3,)})
    with pytest.raises(InputError, match="numbers in 'scanner'"):
        table.of(cases, cases, {"scanner": (3,)})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name,site\na,b\n", "a column 'case' or 'patient'"),
        ("patient\na\n", "a column 'case' or 'patient'"),
        ("patient,site\na,b\na,c\n", "one 'site' for each patient"),
        ("patient,site\n", "at least one row"),
        ("patient,site\n" + "".join(f"p{k},s{k}\n" for k in range(40)), "at most 24 groups"),
    ],
)
def test_tables_that_do_not_part(text: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    patients = [f"p{k}" for k in range(40)]
    with pytest.raises(InputError, match=told):
        read_covariates(path).of(patients, patients, {})


def test_systems_of_one_name_are_called_by_their_folders(made: Made, tmp_path: Path) -> None:
    first = made("same", 0.0)
    copy = tmp_path / "copy"
    shutil.copytree(first, copy)
    compare([first, copy], tmp_path / "out")
    found = found_in(tmp_path / "out")
    assert found["systems"] == ["same", "copy"]
    assert {pair["p_holm"] for one in found["measures"] for pair in one["pairs"]} == {1.0}
    with pytest.raises(InputError, match="one folder twice"):
        compare([first, first], tmp_path / "out")


def test_what_is_no_judged_folder(made: Made, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        compare([made("a", 0.0), tmp_path / "nowhere"], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"without metrics\.json"):
        compare([made("a", 0.0), tmp_path / "empty"], tmp_path / "out")
    with pytest.raises(InputError, match="two systems"):
        compare([made("a", 0.0)], tmp_path / "out")


def test_an_unfinished_run_is_refused(translation_run: Run) -> None:
    with pytest.raises(InputError, match="a judged run"):
        open_judged(translation_run.folder)


def test_runs_with_what_is_used_today(
    translation_run: Run, deterministic_run: Run, tmp_path: Path
) -> None:
    folders = []
    for run in (translation_run, deterministic_run):
        folder = tmp_path / run.folder.name
        shutil.copytree(run.folder, folder)
        Run.open(folder).go()
        folders.append(folder)
    compare(folders, tmp_path / "out")
    found = found_in(tmp_path / "out")
    today = found["baseline"]
    assert found["systems"] == ["conditional-diffusion", "unet-regression", today]
    own = open_judged(folders[0])
    assert "mae" in {one["metric"] for one in found["measures"]}
    for one in found["measures"]:
        for name, method in (("conditional-diffusion", own.method), (today, today)):
            wanted = (one["metric"], method, one["group"])
            record = next(r for r in own.records if (r.metric, r.recipe, r.group) == wanted)
            assert one["values"][name]["value"] == pytest.approx(record.value)
    # three test patients are too few for sets, and for any claim
    assert not any(one["best"] for one in found["measures"] if one["group"] == "test")
    assert any("too few to compare distributions" in text for text in found["warnings"])
    assert any("of one draw" in text for text in found["warnings"])
    # runs of earlier versions did not keep patients
    cases = json.loads((folders[0] / "cases.json").read_text())
    kept = [found.pop("patients") for found in cases["partitions"].values()]
    (folders[0] / "cases.json").write_text(json.dumps(cases))
    again = open_judged(folders[0])
    assert [list(group.patients) for group in again.groups.values()] == kept
