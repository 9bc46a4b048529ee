from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
import pytest
import torch

from vesalius.anatomy import DigitalPatients
from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.formats import read_image, write_image
from vesalius.runner.apply import BrokenCases, apply
from vesalius.runner.orientation import Turn, directions
from vesalius.runner.run import Run
from vesalius.runner.sample import sample

DATA = Path(
    os.environ.get("VESALIUS_TEST_DATA", Path(__file__).parents[2].parent / "shared" / "data")
)
AFFINE = np.diag([7.0, 7.0, 6.0, 1.0])


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, *shape, generator=torch.Generator().manual_seed(seed))


def sidecar(output: Path, case: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((output / f"{case}.json").read_text())
    return found


def test_nifti_volume_slice_by_slice(translation_run: Run, folder: Path, tmp_path: Path) -> None:
    image = Image(noise(30, 28, 3), AFFINE, modality="MR-T1w")
    write_image(folder / "p1_t1.nii.gz", image)
    write_image(folder / "p1_ct.nii.gz", Image(noise(30, 28, 3), AFFINE, modality="CT"))
    out = tmp_path / "out"
    files = apply(translation_run, folder, out, draws=3)
    assert all(file.is_file() for file in files)
    mean = read_image(out / "mean" / "p1.nii.gz")
    draws = [read_image(out / f"draw-{k:02d}" / "p1.nii.gz") for k in (1, 2, 3)]
    spread = read_image(out / "uncertainty" / "p1.nii.gz")
    assert mean.space == (30, 28, 3)
    assert np.allclose(mean.affine, AFFINE)
    assert mean.modality == "MR-T2w"
    stacked = torch.stack([draw.data for draw in draws])
    assert torch.allclose(mean.data, stacked.mean(0), atol=1e-5)
    assert torch.allclose(spread.data, stacked.std(0), atol=1e-5)
    assert spread.data.max() > 0
    # one draw is another in every slice
    assert not torch.equal(draws[0].data[..., 0], draws[0].data[..., 1])
    about = sidecar(out, "p1")
    assert about["synthetic"] is True
    assert about["fingerprint"] == translation_run.recipe.fingerprint()
    assert about["draws"] == 3
    assert not any("voxels of" in note for note in about["notes"])  # type: ignore[attr-defined]
    assert {str(out / f) for f in about["files"]} < {str(f) for f in files}  # type: ignore[attr-defined]


def test_the_same_anatomy_gives_the_same_drawing_however_its_axes_run(
    translation_run: Run, folder: Path, tmp_path: Path
) -> None:
    source = translation_run.task.source
    assert isinstance(source, DigitalPatients)
    image = source.read(source.cases()[0])["t1"]
    write_image(folder / "p.npz", image)
    turn = Turn.between(directions(image), ((0, 1), (1, 1)))
    assert turn is not None
    ras = turn.forward(image)
    other = tmp_path / "ras"
    volume = Image(ras.data[..., None], ras.affine, ras.unit, ras.modality)
    write_image(other / "p.nii.gz", volume)
    apply(translation_run, folder, tmp_path / "a", draws=2)
    apply(translation_run, other, tmp_path / "b", draws=2)
    drawn = read_image(tmp_path / "a" / "mean" / "p.npz").data
    from_ras = read_image(tmp_path / "b" / "mean" / "p.nii.gz").data[..., 0]
    assert torch.allclose(turn.back(from_ras), drawn, atol=1e-5)
    # and it would have been another drawing without turning
    assert not torch.allclose(from_ras, drawn, atol=1e-2)


def test_png_and_npz_hold_the_same_drawing(translation_run: Run, tmp_path: Path) -> None:
    grey = (noise(40, 36) * 255).round()
    write_image(tmp_path / "png" / "x.png", Image(grey, stored="uint8"))
    write_image(tmp_path / "npz" / "x.npz", Image(grey, stored="float32"))
    for kind in ("png", "npz"):
        apply(translation_run, tmp_path / kind / f"x.{kind}", tmp_path / f"out-{kind}", draws=2)
    exact = read_image(tmp_path / "out-npz" / "mean" / "x.npz").data.double()
    stored = read_image(tmp_path / "out-png" / "mean" / "x.png").data.double()
    assert stored.shape == (1, 40, 36)
    scale = sidecar(tmp_path / "out-png", "x")["scales"].get("mean")  # type: ignore[attr-defined]
    if scale:
        stored = scale["slope"] * stored + scale["intercept"]
        assert torch.allclose(stored, exact, atol=2 * scale["slope"])
    else:
        assert torch.allclose(stored, exact.clamp(0, 255), atol=0.51)


def test_dicom_single_slice(translation_run: Run, folder: Path, tmp_path: Path) -> None:
    shutil.copy(str(pydicom.data.get_testdata_file("MR_small.dcm")), folder / "Doe_Jane.dcm")
    shutil.copy(str(pydicom.data.get_testdata_file("CT_small.dcm")), folder / "Doe_Jane_ct.dcm")
    out = tmp_path / "out"
    apply(translation_run, folder, out, draws=2)
    (about,) = (json.loads(path.read_text()) for path in out.glob("*.json"))
    assert about["case"].startswith("series-")
    written = json.dumps(about)
    dataset = pydicom.dcmread(folder / "Doe_Jane.dcm")
    for secret in ("Doe", str(dataset.PatientName), str(dataset.PatientID)):
        assert secret not in written
    first = next(path for path in (out / "mean").rglob("*") if path.is_file())
    if first.suffix == ".dcm":
        assert pydicom.dcmread(first).pixel_array.shape == dataset.pixel_array.shape
    else:
        assert read_image(first).space == dataset.pixel_array.shape


def test_ct_is_refused_by_a_run_that_is_given_mr(
    translation_run: Run, folder: Path, tmp_path: Path
) -> None:
    shutil.copy(str(pydicom.data.get_testdata_file("CT_small.dcm")), folder / "a.dcm")
    with pytest.raises(InputError, match="modality MR, got CT"):
        apply(translation_run, folder, tmp_path / "out")
    write_image(tmp_path / "b.nii.gz", Image(noise(8, 8), AFFINE, unit="HU", modality="CT"))
    with pytest.raises(BrokenCases, match="modality MR, got CT"):
        apply(translation_run, tmp_path / "b.nii.gz", tmp_path / "out")


def test_a_broken_case_is_named_and_the_others_are_written(
    translation_run: Run, folder: Path, tmp_path: Path
) -> None:
    for name in ("a", "c"):
        write_image(folder / f"{name}.npz", Image(noise(32, 32)))
    (folder / "b.npz").write_bytes((folder / "a.npz").read_bytes()[:100])
    (folder / "d.npz").write_bytes(b"")
    out = tmp_path / "out"
    with pytest.raises(BrokenCases) as raised:
        apply(translation_run, folder, out, draws=2)
    assert set(raised.value.broken) == {"b", "d"}
    assert {path.stem for path in (out / "mean").iterdir()} == {"a", "c"}
    # mended, and only what is missing is drawn
    before = (out / "mean" / "a.npz").stat().st_mtime_ns
    for name in ("b", "d"):
        write_image(folder / f"{name}.npz", Image(noise(32, 32, seed=1)))
    files = apply(translation_run, folder, out, draws=2)
    assert (out / "mean" / "a.npz").stat().st_mtime_ns == before
    assert {path.stem for path in files if path.parent.name == "mean"} == {"a", "b", "c", "d"}
    apply(translation_run, folder, out, draws=2, overwrite=True)
    assert (out / "mean" / "a.npz").stat().st_mtime_ns > before


def test_results_of_other_settings_are_not_mixed(
    translation_run: Run, folder: Path, tmp_path: Path
) -> None:
    write_image(folder / "a.npz", Image(noise(32, 32)))
    apply(translation_run, folder, tmp_path / "out", draws=2)
    with pytest.raises(InputError, match="another seed"):
        apply(translation_run, folder, tmp_path / "out", draws=2, seed=1)
    write_image(folder / "a.npz", Image(noise(32, 32, seed=9)))
    with pytest.raises(InputError, match="another input digest"):
        apply(translation_run, folder, tmp_path / "out", draws=2)


def test_a_deterministic_run_draws_once(
    deterministic_run: Run, folder: Path, tmp_path: Path
) -> None:
    write_image(folder / "a.npz", Image(noise(32, 32)))
    apply(deterministic_run, folder, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"mean", "a.json"}
    about = sidecar(tmp_path / "out", "a")
    assert about["draws"] == 1
    assert "no uncertainty" in " ".join(about["notes"])  # type: ignore[arg-type]


def test_other_voxel_sizes_and_fields_are_remarked_on(
    deterministic_run: Run, folder: Path, tmp_path: Path
) -> None:
    affine = np.diag([1.0, 1.0, 1.0, 1.0]) * np.array([-1, 1, 1, 1.0])
    write_image(folder / "a.nii", Image(noise(64, 64, 1), affine))
    apply(deterministic_run, folder, tmp_path / "out")
    notes = " ".join(sidecar(tmp_path / "out", "a")["notes"])  # type: ignore[arg-type]
    assert "voxels of 1 x 1 mm, trained on 6.75 x 6.75 mm" in notes
    assert "25 % of the voxels" in notes


def kspace(run: Run, coils: int, shape: tuple[int, int]) -> torch.Tensor:
    """K-space of a digital patient through smooth coils, every second line but a full centre."""
    image = DigitalPatients(n=1, size=shape).read(DigitalPatients(n=1, size=shape).cases()[0])
    pixels = image["t1"].data[0]
    y, x = torch.meshgrid(
        torch.linspace(-1, 1, shape[0]), torch.linspace(-1, 1, shape[1]), indexing="ij"
    )
    angles = torch.arange(coils) * 2 * torch.pi / coils
    maps = torch.stack(
        [torch.exp(-((y - a.sin()) ** 2 + (x - a.cos()) ** 2)) * torch.exp(1j * a) for a in angles]
    )
    shifted = torch.fft.ifftshift(maps * pixels, dim=(-2, -1))
    found = torch.fft.fftshift(torch.fft.fft2(shifted, norm="ortho"), dim=(-2, -1))
    kept = torch.zeros(shape[1], dtype=torch.bool)
    kept[::2] = True
    kept[shape[1] // 2 - 8 : shape[1] // 2 + 8] = True
    return (found * kept).to(torch.complex64)


def test_kspace_of_numpy_and_of_fastmri(
    reconstruction_run: Run, folder: Path, tmp_path: Path
) -> None:
    import h5py

    measured = kspace(reconstruction_run, 4, (48, 40)).numpy() * 1e-4
    np.save(folder / "flat.npy", measured)
    np.savez(folder / "named.npz", kspace=measured)
    with h5py.File(folder / "stack.h5", "w") as file:
        file.create_dataset("kspace", data=np.stack([measured, measured * 2]))
    out = tmp_path / "out"
    apply(reconstruction_run, folder, out, draws=2)
    flat = read_image(out / "mean" / "flat.npz")
    named = read_image(out / "mean" / "named.npz")
    stack = read_image(out / "mean" / "stack.h5")
    assert flat.space == (48, 40)
    assert torch.equal(flat.data, named.data)
    assert stack.space == (2, 48, 40)
    # the image is in the scale of what was measured
    assert torch.allclose(stack.data[0, 1], 2 * stack.data[0, 0], rtol=1e-3, atol=1e-7)
    assert torch.allclose(stack.data[0, 0], flat.data[0], rtol=1e-3, atol=1e-7)
    assert 0 < float(flat.data.max()) < 1e-3


def test_an_image_is_no_kspace(reconstruction_run: Run, folder: Path, tmp_path: Path) -> None:
    np.save(folder / "a.npy", np.ones((4, 8, 8), dtype=np.float32))
    with pytest.raises(BrokenCases, match="complex k-space"):
        apply(reconstruction_run, folder, tmp_path / "out")


@pytest.mark.parametrize("what", ["missing", "empty", "unknown suffix", "other channels"])
def test_nothing_of_use(translation_run: Run, folder: Path, tmp_path: Path, what: str) -> None:
    path = folder
    if what == "missing":
        path = folder / "nowhere"
    if what == "unknown suffix":
        path = folder / "a.txt"
        path.write_text("words")
    if what == "other channels":
        write_image(folder / "a_ct.npz", Image(noise(32, 32)))
    with pytest.raises(InputError):
        apply(translation_run, path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_files_of_one_case(translation_run: Run, folder: Path, tmp_path: Path) -> None:
    write_image(folder / "a.npz", Image(noise(32, 32)))
    write_image(folder / "a.png", Image(noise(32, 32), stored="uint8"))
    with pytest.raises(InputError, match="one file for 'a'"):
        apply(translation_run, folder, tmp_path / "out")


def test_a_run_that_is_not_trained(tmp_path: Path, translation_run: Run, folder: Path) -> None:
    write_image(folder / "a.npz", Image(noise(32, 32)))
    untrained = Run.create(translation_run.recipe, tmp_path / "untrained")
    with pytest.raises(InputError, match="a trained run"):
        apply(untrained, folder, tmp_path / "out")


def test_sample_is_the_same_for_any_number(translation_run: Run, tmp_path: Path) -> None:
    n_cases = len(translation_run.task.split["test"])
    few = sample(translation_run, n_cases, tmp_path / "few")
    more = sample(translation_run, n_cases + 1, tmp_path / "more")
    for a, b in zip(few, more[:-1], strict=True):
        assert a.name == b.name
        assert torch.equal(read_image(a).data, read_image(b).data)
    # another draw for the same condition
    assert not torch.equal(read_image(more[-1]).data, read_image(more[0]).data)
    assert read_image(more[0]).modality == "MR-T2w"
    previews = sorted((tmp_path / "more" / "previews").iterdir())
    assert len(previews) == n_cases + 1
    assert read_image(previews[0]).stored == "uint8"
    about = json.loads((tmp_path / "more" / "samples.json").read_text())
    assert about["synthetic"] is True
    assert [entry["draw"] for entry in about["samples"]] == [1] * n_cases + [2]


def test_sample_of_a_reconstruction(reconstruction_run: Run, tmp_path: Path) -> None:
    (file,) = sample(reconstruction_run, 1, tmp_path)
    assert read_image(file).space == (32, 32)


@pytest.mark.skipif(not (DATA / "dicom_t1").is_dir(), reason="no real DICOM (VESALIUS_TEST_DATA)")
def test_real_dicom_series(deterministic_run: Run, tmp_path: Path) -> None:
    apply(deterministic_run, DATA / "dicom_t1", tmp_path)
    (about,) = (json.loads(path.read_text()) for path in tmp_path.glob("*.json"))
    files = [tmp_path / name for name in about["files"]]
    if files[0].suffix == ".dcm":
        assert len(files) == 24
    else:
        assert read_image(files[0]).space[2] == 24


@pytest.mark.skipif(
    not (DATA / "kspace_brain_8coil").is_dir(), reason="no real k-space (VESALIUS_TEST_DATA)"
)
def test_real_kspace(reconstruction_run: Run, tmp_path: Path) -> None:
    apply(reconstruction_run, DATA / "kspace_brain_8coil" / "cartesian_ksp.npy", tmp_path)
    assert read_image(tmp_path / "mean" / "cartesian_ksp.npz").space == (230, 180)
