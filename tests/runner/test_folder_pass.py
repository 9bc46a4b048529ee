"""One pass over two folders: it goes on, sees changes, and does not depend on who does the work."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.core.record import Record, read_records
from vesalius.data.formats import read_image, write_image
from vesalius.evaluation.protocols import Measure
from vesalius.runner import parts
from vesalius.runner.folders import evaluate_folders
from vesalius.runner.measured import Measured, extremes
from vesalius.runner.parts import PARTS
from vesalius.runner.workers import Workers


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four images a chunk."""
    monkeypatch.setattr("vesalius.runner.folders.CASES_AT_ONCE", {2: 4, 3: 1})


def film(seed: int, shift: float = 0.0) -> Image:
    rng = np.random.default_rng(seed)
    rows = np.linspace(0, 3, 24)
    field = np.sin(rows * rng.uniform(1, 3))[:, None] + np.cos(rows * rng.uniform(1, 3))
    values = 120 + 30 * field + 5 * rng.standard_normal((24, 24)) + shift
    return Image(torch.from_numpy(values.clip(0, 255)[None]).round().float(), stored="uint8")


def folders(top: Path, n: int) -> tuple[Path, Path]:
    for k in range(n):
        write_image(top / "real" / f"{k:03d}.png", film(k))
        write_image(top / "drawn" / f"{k:03d}.png", film(k, shift=4))
    return top / "real", top / "drawn"


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many cases each measured chunk has, as they are measured."""
    seen: list[int] = []
    measure = parts.measure

    def counting(plan: object, jobs: list[object]) -> object:
        seen.append(len(jobs))
        return measure(plan, jobs)  # type: ignore[arg-type]

    monkeypatch.setattr(parts, "measure", counting)
    return seen


def numbers(out: Path) -> list[Record]:
    return read_records(out / "metrics.json")


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, drawn = folders(tmp_path, 10)
    read: list[str] = []

    def reading(path: Path) -> Image:
        read.append(str(path))
        return read_image(path)

    monkeypatch.setattr("vesalius.evaluation.protocols.protocol.read_image", reading)
    monkeypatch.setattr("vesalius.runner.folders.strips", lambda *given: [])
    evaluate_folders(real, drawn, out=tmp_path / "out")
    twice = {path for path in read if read.count(path) > 1}
    assert twice == {str(real / "000.png")}, "the first says what kind of images these are"
    assert len(set(read)) == 20


def test_a_stopped_pass_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, drawn = folders(tmp_path, 10)
    evaluate_folders(real, drawn, out=tmp_path / "whole")
    measure = parts.measure
    done = []

    def failing(plan: object, jobs: list[object]) -> object:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(len(jobs))
        return measure(plan, jobs)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(parts, "measure", failing)
        with pytest.raises(KeyboardInterrupt):
            evaluate_folders(real, drawn, out=tmp_path / "out")
    assert len(list((tmp_path / "out" / PARTS).glob("*.npz"))) == 2
    seen = counted(monkeypatch)
    evaluate_folders(real, drawn, out=tmp_path / "out")
    assert seen == [2]
    assert numbers(tmp_path / "out") == numbers(tmp_path / "whole")


def test_what_has_changed_is_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, drawn = folders(tmp_path, 10)
    out = tmp_path / "out"
    evaluate_folders(real, drawn, out=out)
    before = numbers(out)
    seen = counted(monkeypatch)
    evaluate_folders(real, drawn, out=out)
    assert seen == []
    assert numbers(out) == before
    write_image(drawn / "009.png", film(9, shift=100))
    evaluate_folders(real, drawn, out=out)
    assert seen == [2], "the chunk of the changed file alone"
    assert numbers(out) != before
    os.utime(drawn / "000.png", ns=(1, 1))
    evaluate_folders(real, drawn, out=out)
    assert seen == [2, 4], "the time alone tells a change too"
    evaluate_folders(real, drawn, out=out, value_range=(0, 200))
    assert seen == [2, 4, 4, 4, 2], "other settings change everything"
    assert len(list((out / PARTS).glob("*.npz"))) == 3, "what is outdated is removed"


def test_processes_find_the_same_numbers(tmp_path: Path) -> None:
    real, drawn = folders(tmp_path, 13)
    for processes in (1, 2):
        out = tmp_path / f"out-{processes}"
        evaluate_folders(real, drawn, out=out, workers=Workers(processes))
    assert numbers(tmp_path / "out-1") == numbers(tmp_path / "out-2")
    tables = [(tmp_path / f"out-{n}" / "cases.csv").read_bytes() for n in (1, 2)]
    assert tables[0] == tables[1]


def test_an_error_in_a_process_is_the_users(tmp_path: Path) -> None:
    real, drawn = folders(tmp_path, 10)
    (drawn / "005.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    with pytest.raises(InputError, match=r"005\.png.*readable PNG") as raised:
        evaluate_folders(real, drawn, out=tmp_path / "out", workers=Workers(2))
    assert raised.value.remedy == "copy or download it again"
    with pytest.raises(InputError, match="at least one process"):
        Workers(0)
    with pytest.raises(InputError, match="processes or Ray"):
        Workers(2, "local")


@pytest.mark.slow
def test_two_nodes_of_ray_find_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    reason = "ray is not installed: pip install 'vesalius[distributed]'"
    ray = pytest.importorskip("ray", reason=reason)
    from ray.cluster_utils import Cluster

    folders(tmp_path, 13)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        monkeypatch.chdir(tmp_path)
        real, drawn = Path("real"), Path("drawn")  # the machines started elsewhere
        evaluate_folders(real, drawn, out=tmp_path / "one")
        evaluate_folders(real, drawn, out=tmp_path / "two", workers=Workers(ray=cluster.address))
        assert not ray.is_initialized()
    finally:
        cluster.shutdown()
    assert numbers(tmp_path / "one") == numbers(tmp_path / "two")
    tables = [(tmp_path / name / "cases.csv").read_bytes() for name in ("one", "two")]
    assert tables[0] == tables[1]


def test_best_median_and_worst_case_by_name(tmp_path: Path) -> None:
    for k in range(5):
        write_image(tmp_path / "real" / f"{k}.png", film(k))
        write_image(tmp_path / "drawn" / f"{k}.png", film(k, shift=float(3 - k)))
    evaluate_folders(tmp_path / "real", tmp_path / "drawn", out=tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Best, median and worst case" in page
    bias = Measure("bias", "pixel", "HU", "zero", "none")
    found = Measured(
        cases=[("a", "a"), ("b", "b"), ("c", "c"), ("d", "d")],
        values={"bias": [(-3.0,), (1.0,), (float("nan"),), (2.0,)]},
    )
    (one,) = extremes((bias,), found)
    assert (one.best, one.median, one.worst) == (("b", 1.0), ("d", 2.0), ("a", -3.0))


def test_values_of_slices_are_averaged_by_slice_and_told_by_case(tmp_path: Path) -> None:
    """A thick and a thin volume: every slice counts once, and patients are resampled."""
    for name, slices, shift in (("a", 30, 10.0), ("b", 10, 50.0)):
        image = Image(torch.zeros(1, 24, 24, slices), np.diag([1.0, 1, 3, 1]), unit="HU")
        write_image(tmp_path / "real" / f"{name}.nii.gz", image)
        write_image(tmp_path / "drawn" / f"{name}.nii.gz", image.with_data(image.data + shift))
    evaluate_folders(
        tmp_path / "real", tmp_path / "drawn", out=tmp_path / "out", protocol="ldct-redcnn"
    )
    rmse = next(record for record in numbers(tmp_path / "out") if record.metric == "rmse")
    assert rmse.value == pytest.approx((30 * 10 + 10 * 50) / 40)
    assert (rmse.n, rmse.unit) == (2, "HU")
    assert rmse.protocol.startswith("ldct-redcnn: clipped to [-160, 240] HU")
    assert "from memory" in rmse.protocol
    rows = (tmp_path / "out" / "cases.csv").read_text().splitlines()
    place = rows[0].split(",").index("rmse")
    assert [float(row.split(",")[place]) for row in rows[1:]] == pytest.approx([10, 50])


def test_a_protocol_asks_for_what_it_needs(tmp_path: Path) -> None:
    real, drawn = folders(tmp_path, 2)
    out = tmp_path / "out"
    with pytest.raises(InputError, match="did you mean"):
        evaluate_folders(real, drawn, out=out, protocol="synthrad")
    with pytest.raises(InputError, match="--mask"):
        evaluate_folders(real, drawn, out=out, protocol="synthrad2023")
    with pytest.raises(InputError, match="--unit HU"):
        evaluate_folders(real, drawn, out=out, protocol="ldct-redcnn")
    with pytest.raises(InputError, match="3D"):
        evaluate_folders(real, drawn, out=out, protocol="fastmri-knee-4x")
    with pytest.raises(InputError, match="fixed"):
        evaluate_folders(
            real, drawn, out=out, protocol="ldct-redcnn", unit="HU", value_range=(0, 1)
        )
    with pytest.raises(InputError, match="leave --mask out"):
        evaluate_folders(real, drawn, out=out, protocol="ldct-redcnn", unit="HU", mask=real)
    with pytest.raises(InputError, match="two of them"):
        evaluate_folders(real, drawn, out=out, protocol="ldct-redcnn", task="mri-4x")


@pytest.mark.parametrize("name", ["synthrad2023", "synthrad2025", "ldct-bench-neuro"])
def test_protocols_on_a_real_head(name: str, real: Callable[[str], Path], tmp_path: Path) -> None:
    whole = read_image(real("ct_head") / "head_ct_hu.nii.gz")
    head = whole.with_data(whole.data[:, 60:180:2, 60:180:2, 30:50].contiguous(), unit="HU")
    noise = torch.randn(head.data.shape, generator=torch.Generator().manual_seed(0)) * 20
    write_image(tmp_path / "real" / "a.nii.gz", head)
    write_image(tmp_path / "drawn" / "a.nii.gz", head.with_data(head.data + noise))
    body = Image((head.data > -500).long(), head.affine, unit="label", stored="uint8")
    write_image(tmp_path / "mask" / "a.nii.gz", body)
    evaluate_folders(
        tmp_path / "real", tmp_path / "drawn", out=tmp_path / "out", protocol=name,
        mask=tmp_path / "mask" if name.startswith("synthrad") else None,
    )  # fmt: skip
    found = {record.metric: record.value for record in numbers(tmp_path / "out")}
    if name.startswith("synthrad"):
        assert found["mae"] == pytest.approx(20 * (2 / np.pi) ** 0.5, rel=0.02)
    else:
        assert 12 < found["rmse"] < 20.5, "air is clipped, so its noise counts by half"
        assert found["vif"] > 0
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())[0]["protocol"].startswith(
        name
    )
