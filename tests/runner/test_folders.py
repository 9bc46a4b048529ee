from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.core.record import Record, read_records
from vesalius.data.formats import write_image
from vesalius.evaluation.own_encoder import EncoderTraining
from vesalius.runner.folder_encoder import train_folder_encoder
from vesalius.runner.folders import evaluate_folders
from vesalius.runner.image_folder import image_items, pairing

N = 12


def texture(seed: int, *shape: int, rough: float = 1.0) -> torch.Tensor:
    """A smooth field of about 100 plus noise, a patient of its own for each seed."""
    rng = np.random.default_rng(seed)
    axes = np.meshgrid(*(np.linspace(0, 3, n) for n in shape), indexing="ij")
    field = sum(np.sin(axis * rng.uniform(1, 3) + rng.uniform(0, 6)) for axis in axes)
    values = 100 + 40 * field + 8 * rough * rng.standard_normal(shape)
    return torch.from_numpy(values[None].clip(0, 255)).float()


def filled(folder: Path, names: list[str], shift: float = 0.0, rough: float = 1.0) -> Path:
    for seed, name in enumerate(names):
        write_image(folder / f"{name}.npz", Image(texture(seed, 32, 32, rough=rough) + shift))
    return folder


def names(n: int = N) -> list[str]:
    return [f"p{k:02d}" for k in range(n)]


def by_metric(out: Path) -> dict[str, Record]:
    return {record.metric: record for record in read_records(out / "metrics.json")}


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve patients, and the same images 3 too bright."""
    top = tmp_path_factory.mktemp("shifted")
    filled(top / "real", names())
    filled(top / "generated", names(), shift=3.0)
    evaluate_folders(top / "real", top / "generated", out=top / "out", value_range=(0, 300))
    return top


def test_a_shift_is_measured_by_pair(shifted: Path) -> None:
    found = by_metric(shifted / "out")
    mae = found["mae"]
    assert mae.value == pytest.approx(3.0, abs=1e-5)
    assert (mae.low, mae.high) == pytest.approx((3.0, 3.0), abs=1e-5)
    assert (mae.n, mae.unit, mae.recipe, mae.dataset) == (N, "a.u.", "generated", "real")
    assert found["psnr"].value == pytest.approx(20 * math.log10(300 / 3), abs=1e-3)
    assert "range 0 to 300" in mae.protocol


def test_sets_are_compared_beside_real_against_real(shifted: Path) -> None:
    found = [record for record in by_metric(shifted / "out").values() if record.level == "feature"]
    assert len(found) >= 5
    for record in found:
        assert record.metric.endswith("[robust radiomics]")
        assert record.floor is not None
        assert record.n == N
        assert math.isfinite(record.value)


def test_the_report_and_the_table_by_case(shifted: Path) -> None:
    html = (shifted / "out" / "report.html").read_text()
    assert "Are the generated images like the real ones?" in html
    assert "p00" in html
    rows = list(csv.DictReader((shifted / "out" / "cases.csv").read_text().splitlines()))
    assert [row["case"] for row in rows] == names()
    assert all(float(row["mae"]) == pytest.approx(3.0, abs=1e-5) for row in rows)


def test_another_texture_is_farther_than_the_same_one(tmp_path: Path) -> None:
    filled(tmp_path / "real", names())
    for kind, rough in (("same", 1.0), ("rough", 4.0)):
        folder = tmp_path / kind
        for seed, name in enumerate(names()):
            write_image(folder / f"{name}.npz", Image(texture(100 + seed, 32, 32, rough=rough)))
        evaluate_folders(
            tmp_path / "real", folder, out=tmp_path / f"out-{kind}", value_range=(0, 300)
        )
    same, rough_ = (by_metric(tmp_path / f"out-{kind}") for kind in ("same", "rough"))
    metric = next(name for name in same if name.startswith("frd"))
    assert rough_[metric].value > 2 * same[metric].value


def test_files_without_a_partner_stop_it_unless_allowed(tmp_path: Path) -> None:
    filled(tmp_path / "real", names(4))
    filled(tmp_path / "generated", [*names(3), "other"])
    with pytest.raises(InputError) as raised:
        evaluate_folders(tmp_path / "real", tmp_path / "generated", out=tmp_path / "out")
    assert "p03.npz" in str(raised.value)
    assert "other.npz" in str(raised.value)
    assert not (tmp_path / "out").exists()
    evaluate_folders(
        tmp_path / "real", tmp_path / "generated", out=tmp_path / "out", pairs="common"
    )
    assert by_metric(tmp_path / "out")["mae"].n == 3
    html = (tmp_path / "out" / "report.html").read_text()
    assert "1 real images have no partner" in html
    assert "too few to compare" in html


def test_no_pairs_at_all(tmp_path: Path) -> None:
    filled(tmp_path / "real", names())
    filled(tmp_path / "generated", [f"sample-{k}" for k in range(14)])
    evaluate_folders(
        tmp_path / "real", tmp_path / "generated", out=tmp_path / "out", pairs="common"
    )
    found = by_metric(tmp_path / "out")
    assert "mae" not in found
    assert found
    assert not (tmp_path / "out" / "cases.csv").exists()
    assert "some generated images" in (tmp_path / "out" / "report.html").read_text()


def test_names_say_nothing_where_nothing_is_paired(tmp_path: Path) -> None:
    for folder in ("real", "generated"):
        filled(tmp_path / folder, names(14))
    common, none = tmp_path / "common", tmp_path / "none"
    for out, pairs in ((common, "common"), (none, "none")):
        evaluate_folders(tmp_path / "real", tmp_path / "generated", out=out, pairs=pairs)
    paired, sets = by_metric(common), by_metric(none)
    assert "mae" in paired
    assert {record.level for record in sets.values()} == {"feature"}
    for metric, record in sets.items():
        assert record.value == pytest.approx(paired[metric].value)
    # sets of the same patients are resampled together, others apart
    high = {name: (sets[name].high, paired[name].high) for name in sets}
    assert any(apart != together for apart, together in high.values())
    with pytest.raises(InputError, match="masks are those of real images"):
        evaluate_folders(
            tmp_path / "real",
            tmp_path / "generated",
            out=none,
            pairs="none",
            mask=tmp_path / "real",
        )


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_network_of_volumes_sees_them_whole(tmp_path: Path) -> None:
    class Mean(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = torch.nn.Conv3d(1, 2, 1)

        def forward(self, volumes: Tensor) -> Tensor:
            return self.layer(volumes)

    torch.jit.script(Mean().eval()).save(tmp_path / "medicalnet.pt")
    volumes(tmp_path, N, 4)
    evaluate_folders(
        tmp_path / "real", tmp_path / "mean", out=tmp_path / "out",
        extractors=[str(tmp_path / "medicalnet.pt"), "pixels"],
    )  # fmt: skip
    found = by_metric(tmp_path / "out")
    assert found["kid[medicalnet]"].n == N
    parts = [np.load(path) for path in (tmp_path / "out" / "parts").glob("*.npz")]
    assert {part["features-real-0"].shape for part in parts} == {(1, 2)}
    assert {len(part["features-real-1"]) for part in parts} == {4}  # slices


def test_every_pixel_metric_by_name(tmp_path: Path) -> None:
    filled(tmp_path / "real", names(3))
    filled(tmp_path / "generated", names(3), shift=3.0)
    folders, out = (tmp_path / "real", tmp_path / "generated"), tmp_path / "out"
    evaluate_folders(*folders, out=out, value_range=(0, 300), metrics=["mse", "mae"])
    found = by_metric(out)
    assert list(found) == ["mae", "psnr", "ssim", "mse"]
    assert found["mse"].value == pytest.approx(9.0, abs=1e-3)
    evaluate_folders(*folders, out=tmp_path / "all", value_range=(0, 300), metrics=["all"])
    assert len(by_metric(tmp_path / "all")) == 14
    with pytest.raises(InputError, match="metrics among mae, mse"):
        evaluate_folders(*folders, out=out, metrics=["dice"])
    with pytest.raises(InputError, match="the measures of 'label maps'"):
        evaluate_folders(*folders, out=out, labels="1=liver", metrics=["mse"])


def test_what_images_are_too_small_for_is_left_out(tmp_path: Path) -> None:
    for folder in ("real", "generated"):
        write_image(tmp_path / folder / "p.npz", Image(texture(0, 20, 20)))
    out = tmp_path / "out"
    evaluate_folders(tmp_path / "real", tmp_path / "generated", out=out, metrics=["all"])
    assert set(by_metric(out)) >= {"fsim", "gmsd", "vif", "uqi"}
    assert not {"ms_ssim", "iw_ssim"} & set(by_metric(out))
    assert "ms_ssim needs 28 voxels" in (out / "report.html").read_text()


def test_an_encoder_trained_on_a_folder_judges_other_patients_only(tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    for folder, first in (("train", 0), ("real", 50), ("generated", 80)):
        for seed in range(first, first + 20):
            write_image(tmp_path / folder / f"p{seed}.npz", Image(texture(seed, 32, 32)))
    tiny = EncoderTraining(steps=3, batch_size=8, width=8, size=16)
    card = train_folder_encoder(tmp_path / "train", own, value_range=(0, 300), training=tiny)
    assert (card.images, len(card.patients)) == (20, 20)

    def judged(real: str, out: str) -> Path:
        evaluate_folders(
            tmp_path / real, tmp_path / "generated", out=tmp_path / out, pairs="none",
            value_range=(0, 300), extractors=[str(own)],
        )  # fmt: skip
        return tmp_path / out

    out = judged("real", "unlisted")
    assert "kid[own]" in by_metric(out)
    assert "Whether own was trained on patients that it judges" in (out / "report.html").read_text()
    rows = (f"p{seed}.npz,p{seed}\n" for seed in range(20))
    (tmp_path / "train" / "patients.csv").write_text("file,patient\n" + "".join(rows))
    with pytest.raises(InputError, match="was not trained on") as raised:
        judged("train", "seen")
    assert "20 of 20" in str(raised.value)


def test_patients_of_the_table_are_the_units_of_intervals(tmp_path: Path) -> None:
    filled(tmp_path / "real", names(6))
    filled(tmp_path / "generated", names(6), shift=1.0)
    rows = "".join(f"p{k:02d}.npz,who{k // 3}\n" for k in range(6))
    (tmp_path / "real" / "patients.csv").write_text("file,patient\n" + rows)
    evaluate_folders(tmp_path / "real", tmp_path / "generated", out=tmp_path / "out")
    assert by_metric(tmp_path / "out")["mae"].n == 2


def test_a_mask_bounds_what_is_judged(tmp_path: Path) -> None:
    for name in names(3):
        image = texture(0, 32, 32)
        wrong = image.clone()
        wrong[..., 16:] += 50
        mask = torch.zeros(1, 32, 32, dtype=torch.int64)
        mask[..., 2:14] = 1
        write_image(tmp_path / "real" / f"{name}.npz", Image(image))
        write_image(tmp_path / "generated" / f"{name}.npz", Image(wrong))
        write_image(tmp_path / "mask" / f"{name}.npz", Image(mask, unit="label", stored="uint8"))
    evaluate_folders(
        tmp_path / "real", tmp_path / "generated", mask=tmp_path / "mask", out=tmp_path / "out"
    )
    assert by_metric(tmp_path / "out")["mae"].value == 0
    # masked and unmasked numbers are of two protocols, which are not compared
    assert "in a mask" in by_metric(tmp_path / "out")["mae"].protocol
    (tmp_path / "mask" / "p01.npz").unlink()
    with pytest.raises(InputError, match="p01"):
        evaluate_folders(
            tmp_path / "real", tmp_path / "generated", mask=tmp_path / "mask", out=tmp_path / "o2"
        )


def volumes(top: Path, n: int, slices: int) -> None:
    """CT of ``n`` patients, and the same 10 HU too dense."""
    affine = np.diag([1.0, 1.0, 3.0, 1.0])
    for seed, name in enumerate(names(n)):
        image = Image(texture(seed, 16, 16, slices) * 10 - 1000, affine, unit="HU", modality="CT")
        write_image(top / "real" / f"{name}_ct.nii.gz", image)
        write_image(top / "mean" / f"{name}.nii.gz", image.with_data(image.data + 10))


def test_volumes_in_hounsfield_units(tmp_path: Path) -> None:
    volumes(tmp_path, 3, 9)
    evaluate_folders(tmp_path / "real", tmp_path / "mean", out=tmp_path / "out", task="mr-to-ct")
    found = by_metric(tmp_path / "out")
    assert set(found) == {"mae", "psnr", "ssim"}
    assert found["mae"].value == pytest.approx(10, abs=1e-3)
    assert found["mae"].unit == "HU"
    assert found["mae"].task == "mr-to-ct"
    assert found["psnr"].value == pytest.approx(20 * math.log10(4024 / 10), abs=0.01)
    assert found["psnr"].n == 3


def test_thin_volumes_are_compared_without_ssim_and_their_slices_as_a_set(tmp_path: Path) -> None:
    volumes(tmp_path, N, 2)
    evaluate_folders(tmp_path / "real", tmp_path / "mean", out=tmp_path / "out")
    found = by_metric(tmp_path / "out")
    assert "ssim" not in found
    assert "ssim needs 7 voxels" in (tmp_path / "out" / "report.html").read_text()
    sets = [record for record in found.values() if record.level == "feature"]
    assert sets
    assert all(record.n == N for record in sets)  # patients, not slices


def test_reconstruction_takes_fastmris_measures(tmp_path: Path) -> None:
    filled(tmp_path / "real", names(3))
    filled(tmp_path / "generated", names(3), shift=1.0)
    evaluate_folders(tmp_path / "real", tmp_path / "generated", out=tmp_path / "out", task="mri-4x")
    assert {"nmse", "psnr", "ssim"} == set(by_metric(tmp_path / "out"))
    with pytest.raises(InputError, match="mri-4x"):
        evaluate_folders(
            tmp_path / "real", tmp_path / "generated", out=tmp_path / "out", task="mri4x"
        )


def write_two(tmp_path: Path, a: Image, b: Image, c: Image | None = None) -> None:
    write_image(tmp_path / "real" / "a.npz", a)
    write_image(tmp_path / "generated" / "a.npz", b)
    if c is not None:
        write_image(tmp_path / "real" / "b.npz", c)
        write_image(tmp_path / "generated" / "b.npz", c)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        ("size", "one size"),
        ("unit", "HU"),
        ("unit in a folder", "one unit"),
        ("dimensions", "axes"),
        ("grid", "one affine"),
        ("label", "labels"),
        ("colour", "one channel"),
        ("constant", "LOW below HIGH"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, what: str, says: str) -> None:
    image = Image(texture(0, 32, 32), np.diag([2.0, 2, 1, 1]))
    other, third = image, None
    if what == "size":
        other = Image(texture(0, 32, 30))
    elif what == "unit":
        other = image.with_data(image.data, unit="HU")
    elif what == "unit in a folder":
        third = image.with_data(image.data, unit="HU")
    elif what == "dimensions":
        other = Image(texture(0, 32, 32, 8), np.diag([2.0, 2, 1, 1]))
    elif what == "grid":
        other = Image(image.data, np.diag([3.0, 2, 1, 1]))
    elif what == "label":
        image = Image(torch.ones(1, 32, 32, dtype=torch.int64), unit="label", stored="uint8")
    elif what == "colour":
        other = Image(texture(0, 32, 32).repeat(3, 1, 1))
    elif what == "constant":
        image = Image(torch.ones(1, 32, 32))
    write_two(tmp_path, image, other, third)
    with pytest.raises(InputError, match=says):
        evaluate_folders(tmp_path / "real", tmp_path / "generated", out=tmp_path / "out")


def test_a_unit_stands_in_where_files_say_none(tmp_path: Path) -> None:
    image = Image(texture(0, 32, 32))
    write_two(tmp_path, image, image.with_data(image.data + 2, unit="HU"))
    evaluate_folders(tmp_path / "real", tmp_path / "generated", out=tmp_path / "out", unit="HU")
    mae = by_metric(tmp_path / "out")["mae"]
    assert (mae.value, mae.unit) == (pytest.approx(2.0, abs=1e-5), "HU")
    assert mae.low is None
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())


def test_a_range_from_the_images_is_said_aloud(tmp_path: Path) -> None:
    write_two(tmp_path, Image(texture(0, 32, 32)), Image(texture(1, 32, 32)))
    evaluate_folders(tmp_path / "real", tmp_path / "generated", out=tmp_path / "out")
    assert "pass --range" in (tmp_path / "out" / "report.html").read_text()


def test_pairs_by_name_without_the_modality(tmp_path: Path) -> None:
    filled(tmp_path / "real", ["a_ct", "b_ct"])
    filled(tmp_path / "generated", ["a", "c"])
    found = pairing(image_items(tmp_path / "real"), image_items(tmp_path / "generated"))
    assert [(a.name, b.name) for a, b in found.pairs] == [("a_ct", "a")]
    assert [item.name for item in found.real_alone] == ["b_ct"]
    assert [item.name for item in found.generated_alone] == ["c"]


def test_no_folder_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder of images"):
        image_items(tmp_path / "nowhere")
    with pytest.raises(InputError, match="image files"):
        image_items(tmp_path)
