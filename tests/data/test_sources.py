from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nibabel
import numpy as np
import pytest
import torch

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data import Case, Source, SplitRule, all_sources, open_source, write_image
from vesalius.data.sources import (
    FastMRI,
    Hippocampus,
    MedMNIST,
    NiftiFolder,
    OpenKBP,
    PngFolder,
    SynthRADSlices,
)
from vesalius.data.sources.openkbp import STRUCTURES, hounsfield, structure_mask

Real = Callable[[str], Path]


def check_source(source: Source, *, sample: int = 3) -> tuple[Case, ...]:
    """What every source promises; returns its cases."""
    cases = source.cases()
    assert cases
    assert cases == source.cases()
    assert len({case.identifier for case in cases}) == len(cases)
    channels = source.channels()
    for case in cases[:: max(1, len(cases) // sample)]:
        images, again = source.read(case), source.read(case)
        assert list(images) == list(channels)
        for name, image in images.items():
            assert image.modality == channels[name]
            assert torch.isfinite(image.data).all()
            assert (image.unit == "label") == (image.data.dtype == torch.int64)
            assert torch.equal(image.data, again[name].data)
    SplitRule().split(cases)
    return cases


# --- SynthRAD ---------------------------------------------------------------------------------


def make_synthrad(folder: Path, **arrays: Any) -> Path:
    rng = np.random.default_rng(0)
    known: dict[str, Any] = {}
    for case in ("1BA001", "1BB002", "1BC003"):
        for channel in ("mr", "ct"):
            known[f"{case}_{channel}"] = rng.integers(0, 255, size=(6, 8), dtype=np.uint8)
        known[f"{case}_mask"] = np.ones((6, 8), np.uint8)
    np.savez(folder / "synthrad_slices.npz", **{**known, **arrays})
    (folder / "cases.csv").write_text(
        "case,region,centre\n1BA001,brain,1BA\n1BB002,brain,1BB\n1BC003,brain,1BC\n"
    )
    return folder


def test_synthrad(tmp_path: Path) -> None:
    source = open_source(make_synthrad(tmp_path))
    assert isinstance(source, SynthRADSlices)
    cases = check_source(source)
    assert [case.site for case in cases] == ["A", "B", "C"]
    images = source.read(cases[1])
    expected = np.load(tmp_path / "synthrad_slices.npz")["1BB002_ct"]
    np.testing.assert_array_equal(images["ct"].data[0].numpy(), expected)
    assert images["ct"].unit == "a.u."


def test_a_pair_of_two_sizes(tmp_path: Path) -> None:
    make_synthrad(tmp_path, **{"1BA001_ct": np.zeros((6, 9), np.uint8)})
    source = SynthRADSlices(tmp_path)
    with pytest.raises(
        InputError, match=r"^1BA001: expected a pair of one size, \(6, 8\), got \(6, 9"
    ):
        source.read(source.cases()[0])


def test_a_case_that_the_arrays_lack(tmp_path: Path) -> None:
    make_synthrad(tmp_path)
    with pytest.raises(InputError, match="1BA009_mr"):
        SynthRADSlices(tmp_path).read(Case("1BA009", "1BA009"))


def test_real_synthrad(real: Real) -> None:
    cases = check_source(open_source(real("synthrad_slices")))
    assert len(cases) == 180
    split = SplitRule(shifted_sites=("C",)).split(cases)
    assert len(split["shifted"]) == 60


# --- Hippocampus ------------------------------------------------------------------------------


def make_hippocampus(file: Path, **arrays: Any) -> Path:
    rng = np.random.default_rng(0)
    known: dict[str, Any] = {"train": ["001", "002"], "val": ["003"], "test": ["004"]}
    for case in ("001", "002", "003", "004"):
        known[f"image_{case}"] = rng.integers(0, 500, size=(5, 6, 7), dtype=np.uint16)
        known[f"label_{case}"] = rng.integers(0, 3, size=(5, 6, 7), dtype=np.uint8)
        known[f"scale_{case}"] = np.float32(1.0 if case != "004" else 0.5)
    np.savez(file, **{**known, **arrays})
    return file


def test_hippocampus(tmp_path: Path) -> None:
    file = make_hippocampus(tmp_path / "hippocampus.npz")
    for path in (tmp_path, file):
        source = open_source(path)
        assert isinstance(source, Hippocampus)
        cases = check_source(source, sample=4)
        assert [c.partition for c in cases] == ["train", "train", "validation", "test"]
    image = source.read(cases[3])["image"]
    np.testing.assert_array_equal(image.data[0].numpy(), np.load(file)["image_004"] * 0.5)
    assert image.stored == "float32"
    assert source.read(cases[0])["image"].stored == "uint16"


def test_hippocampus_with_a_label_of_another_size(tmp_path: Path) -> None:
    make_hippocampus(tmp_path / "hippocampus.npz", label_002=np.zeros((5, 6, 8), np.uint8))
    with pytest.raises(InputError, match=r"^002: expected a pair of one size"):
        Hippocampus(tmp_path).read(Case("002", "002"))


def test_real_hippocampus(real: Real) -> None:
    cases = check_source(open_source(real("hippocampus")))
    split = SplitRule().split(cases)
    assert [len(split[name]) for name in ("train", "validation", "test")] == [150, 20, 40]


# --- MedMNIST ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "shape", "data_shape", "classes", "modality"),
    [
        ("pneumoniamnist.npz", (28, 28), (1, 28, 28), 1, "DX"),
        ("pathmnist_64.npz", (16, 16, 3), (3, 16, 16), 1, "histology"),
        ("organmnist3d.npz", (8, 8, 8), (1, 8, 8, 8), 1, "CT"),
        ("chestmnist.npz", (12, 12), (1, 12, 12), 14, "DX"),
    ],
)
def test_medmnist(
    tmp_path: Path,
    name: str,
    shape: tuple[int, ...],
    data_shape: tuple[int, ...],
    classes: int,
    modality: str,
) -> None:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in (("train", 5), ("val", 2), ("test", 3)):
        arrays[f"{part}_images"] = rng.integers(0, 255, size=(count, *shape), dtype=np.uint8)
        arrays[f"{part}_labels"] = rng.integers(0, 2, size=(count, classes), dtype=np.uint8)
    np.savez_compressed(tmp_path / name, **arrays)
    source = open_source(tmp_path / name)
    assert isinstance(source, MedMNIST)
    cases = check_source(source, sample=10)
    assert source.channels() == {"image": modality}
    assert [case.partition for case in cases].count("validation") == 2
    case = cases[6]
    assert case.identifier == "val-00001"
    keys = ["label"] if classes == 1 else [f"label_{k}" for k in range(classes)]
    assert [case.covariates[key] for key in keys] == arrays["val_labels"][1].tolist()
    data = source.read(case)["image"].data
    assert tuple(data.shape) == data_shape
    expected = arrays["val_images"][1]
    expected = expected.transpose(2, 0, 1) if len(shape) == 3 and shape[-1] == 3 else expected[None]
    np.testing.assert_array_equal(data.numpy(), expected)


def test_medmnist_with_too_few_labels(tmp_path: Path) -> None:
    np.savez(
        tmp_path / "a.npz",
        train_images=np.zeros((3, 4, 4), np.uint8),
        train_labels=np.zeros((2, 1)),
    )
    (tmp_path / "a.npz").rename(tmp_path / "bloodmnist.npz")
    with pytest.raises(InputError, match="expected 3 labels, got 2"):
        open_source(tmp_path).cases()
    with pytest.raises(InputError, match="a case of this source, got train-00007"):
        open_source(tmp_path).read(Case("train-00007", "x"))


def test_real_medmnist(real: Real) -> None:
    cases = check_source(open_source(real("pneumoniamnist")))
    assert len(cases) == 4708 + 524 + 624
    assert {case.covariates["label"] for case in cases} == {0.0, 1.0}


# --- OpenKBP ----------------------------------------------------------------------------------


def make_plan(path: Path, *, offset: int = 1024, **changed: Any) -> Path:
    rng = np.random.default_rng(0)
    structures = np.zeros((8, 8, 8), np.uint16)
    structures[2:6, 2:6, 2:6] |= 1 << 10
    structures[3:5, 3:5, 3:5] |= 1 << 1
    structures[4, 4, 4] |= 1 << 9
    ct = np.zeros((8, 8, 8), np.int16)
    ct[1:7, 1:7, 1:7] = 30 + offset + rng.integers(-20, 20, size=(6, 6, 6))
    dose = rng.integers(0, 7000, size=(8, 8, 8)).astype(np.uint16)
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {"ct": ct, "dose": dose, "structures": structures, "spacing_mm": [4.0, 3.0, 2.5]}
    np.savez(path, **{**arrays, **changed})
    return path


def test_openkbp(tmp_path: Path) -> None:
    for part, number in (("train", 10), ("train", 9), ("validation", 1), ("test", 3)):
        make_plan(tmp_path / part / f"pt_{number}.npz")
    source = open_source(tmp_path)
    assert isinstance(source, OpenKBP)
    cases = check_source(source, sample=4)
    assert [c.identifier for c in cases] == ["pt_9", "pt_10", "pt_1", "pt_3"]
    assert [c.partition for c in cases] == ["train", "train", "validation", "test"]
    stored = np.load(tmp_path / "train" / "pt_9.npz")
    images = source.read(cases[0])
    assert {name: image.unit for name, image in images.items()} == {
        "ct": "HU",
        "dose": "Gy",
        "structures": "label",
        "possible_dose": "label",
    }
    np.testing.assert_array_equal(images["ct"].data[0].numpy(), stored["ct"] - 1024.0)
    np.testing.assert_allclose(images["dose"].data[0].numpy(), stored["dose"] * 0.01, rtol=1e-6)
    assert images["possible_dose"].data.sum() == 64
    assert structure_mask(images["structures"].data, "SpinalCord").sum() == 8
    assert structure_mask(images["structures"].data, "PTV70").sum() == 1
    assert structure_mask(images["structures"].data, "Brainstem").sum() == 0
    assert int(images["structures"].data.max()) == (1 << 9) | (1 << 1)
    assert images["ct"].spacing_mm == (4.0, 3.0, 2.5)  # axis by axis, as the file has them


def test_ct_in_either_convention_and_in_none() -> None:
    structures = np.full((2, 2, 2), 2, np.uint16)
    soft = np.array([[[30, 40], [20, 0]], [[3000, 35], [25, 30]]], np.int16)
    in_hu = hounsfield(soft, structures, "c")
    assert in_hu.tolist() == [[[30, 40], [20, -1024]], [[3000, 35], [25, 30]]]
    shifted = np.where(soft == 0, 0, soft + 1024).astype(np.int16)
    np.testing.assert_array_equal(hounsfield(shifted, structures, "c"), in_hu)
    with pytest.raises(InputError, match=r"^c: expected CT stored in HU or HU \+ 1024"):
        hounsfield((soft + 500).astype(np.int16), structures, "c")
    with pytest.raises(InputError, match="structures to tell"):
        hounsfield(soft, np.zeros_like(structures), "c")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"structures": np.full((8, 8, 8), 2, np.uint16)}, "a mask that marks at least one voxel"),
        ({"dose": np.zeros((8, 8, 9), np.uint16)}, "a pair of one size"),
        ({"ct": np.zeros((8, 8, 9), np.int16)}, "CT and structures of one size"),
        ({"spacing_mm": [1.0, 0.0, 1.0]}, "three voxel sizes above 0 mm"),
        ({"spacing_mm": [1.0, 1.0]}, "three voxel sizes above 0 mm"),
        ({"dose": np.full((8, 8, 8), np.nan, np.float32)}, "finite values, got 512 NaN"),
        ({"ct": np.zeros((8, 8), np.int16)}, "3D arrays"),
    ],
)
def test_broken_plans(tmp_path: Path, changed: dict[str, Any], message: str) -> None:
    make_plan(tmp_path / "train" / "pt_1.npz", **changed)
    source = OpenKBP(tmp_path)
    with pytest.raises(InputError, match=message) as caught:
        source.read(source.cases()[0])
    assert str(caught.value).startswith("pt_1: ")


def test_real_openkbp(real: Real) -> None:
    source = open_source(real("openkbp"))
    cases = check_source(source, sample=2)
    assert [sum(c.partition == p for c in cases) for p in ("train", "validation", "test")] == [
        100,
        20,
        40,
    ]
    compared: set[int] = set()
    for case in cases[::30]:
        images = source.read(case)
        structures = images["structures"].data[0]
        cord = structure_mask(structures, "SpinalCord")
        assert abs(float(images["ct"].data[0][cord].median()) - 30) < 40
        assert 50 < float(images["dose"].data.max()) < 90
        assert 0.005 < float(images["possible_dose"].data.float().mean()) < 0.3
        places = {
            name: (images["ct"].affine[:3, :3] @ np.argwhere(where.numpy()).mean(0))
            for name in STRUCTURES
            if (where := structure_mask(structures, name)).any()
        }
        # patient's right is +x, front +y, head +z
        for axis, more, less in (
            (0, "RightParotid", "LeftParotid"),
            (1, "Mandible", "SpinalCord"),
            (2, "Brainstem", "SpinalCord"),
        ):
            if {more, less} <= set(places):
                assert places[more][axis] > places[less][axis] + 20
                compared.add(axis)
    assert compared == {0, 1, 2}


# --- fastMRI ----------------------------------------------------------------------------------


def make_fastmri(path: Path, *, patient: str = "Doe^Jane", coils: int | None = 4) -> Path:
    rng = np.random.default_rng(len(path.name))
    shape = (3, *(() if coils is None else (coils,)), 10, 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file["kspace"] = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
        file["reconstruction_rss"] = rng.random((3, 6, 6)).astype(np.float32)
        file["ismrmrd_header"] = b"<xml/>"
        file.attrs["acquisition"] = "CORPD_FBK"
        file.attrs["max"] = 1.25
        file.attrs["patient_id"] = patient
    return path


def test_fastmri(tmp_path: Path) -> None:
    make_fastmri(tmp_path / "multicoil_train" / "file1.h5")
    make_fastmri(tmp_path / "multicoil_train" / "file22.h5")
    make_fastmri(tmp_path / "multicoil_val" / "file3.h5", patient="Roe^Richard", coils=None)
    source = open_source(tmp_path)
    assert isinstance(source, FastMRI)
    cases = check_source(source, sample=9)
    assert len(cases) == 9
    assert [c.partition for c in cases] == ["train"] * 6 + ["validation"] * 3
    assert len({c.patient for c in cases}) == 2
    assert "Doe" not in repr(cases)
    assert FastMRI(tmp_path, salt="x").cases()[0].patient != cases[0].patient
    assert cases[4].covariates == {
        "acquisition": "CORPD_FBK",
        "max": 1.25,
        "slice": 1.0,
        "slices": 3.0,
    }
    images = source.read(cases[4])
    with h5py.File(tmp_path / "multicoil_train" / "file22.h5") as file:
        np.testing.assert_array_equal(images["kspace"].data.numpy(), file["kspace"][1])
        np.testing.assert_array_equal(images["rss"].data[0].numpy(), file["reconstruction_rss"][1])
    assert images["kspace"].data.dtype == torch.complex64
    assert tuple(source.read(cases[8])["kspace"].data.shape) == (1, 10, 8)
    assert [c.partition for c in FastMRI(tmp_path / "multicoil_val").cases()] == ["validation"] * 3


def test_a_fastmri_patient_in_two_partitions(tmp_path: Path) -> None:
    make_fastmri(tmp_path / "multicoil_train" / "a.h5")
    make_fastmri(tmp_path / "multicoil_val" / "b.h5")
    with pytest.raises(InputError, match="every patient in one partition only"):
        SplitRule().split(FastMRI(tmp_path).cases())


def test_broken_fastmri(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["something"] = np.zeros(3)
    with pytest.raises(InputError, match="a data set 'kspace', got something"):
        FastMRI(tmp_path).cases()
    path = make_fastmri(tmp_path / "a.h5")
    with h5py.File(path, "a") as file:
        file["kspace"][1, 2, 3, 4] = complex(np.inf, 0)
    source = FastMRI(tmp_path)
    case = source.cases()[1]
    with pytest.raises(InputError, match=r"^a-slice-001: expected finite values, got 1 NaN"):
        source.read(case)


# --- NIfTI folders ----------------------------------------------------------------------------


def nifti(path: Path, *, seed: int = 0, affine: Any = None, label: bool = False) -> Path:
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    array = rng.integers(0, 2 if label else 99, size=(4, 5, 6)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4) if affine is None else affine), path)
    return path


def test_flat_folder(tmp_path: Path) -> None:
    for k, case in enumerate(("p_01", "p_02")):
        nifti(tmp_path / f"{case}_t1.nii.gz", seed=k)
        nifti(tmp_path / f"{case}_CT.nii", seed=k + 5)
        nifti(tmp_path / f"{case}_lesions.nii.gz", label=True)
    (tmp_path / "cases.csv").write_text(
        "case,patient,site,partition,age,note\np_01,A,X,train,42,n/a\np_02,B,Y,val,,ok\n"
    )
    source = open_source(tmp_path)
    assert isinstance(source, NiftiFolder)
    cases = check_source(source)
    assert source.channels() == {"ct": "CT", "lesions": "mask", "t1": "MR-T1w"}
    assert cases == (
        Case("p_01", "A", "train", "X", {"age": 42.0}),
        Case("p_02", "B", "validation", "Y", {"note": "ok"}),
    )
    images = source.read(cases[0])
    assert {name: image.unit for name, image in images.items()} == {
        "ct": "HU",
        "lesions": "label",
        "t1": "a.u.",
    }
    chosen = NiftiFolder(tmp_path, channel_names=("t1",), modalities={"t1": "MR-MPRAGE"})
    assert chosen.channels() == {"t1": "MR-MPRAGE"}


@pytest.mark.parametrize("form", ["{case}/{channel}.nii.gz", "{case}/{case}-{channel}.nii.gz"])
def test_folder_by_case(tmp_path: Path, form: str) -> None:
    for case in ("c1", "c2"):
        for channel in ("t1n", "t2f", "seg"):
            nifti(tmp_path / form.format(case=case, channel=channel), label=channel == "seg")
    source = open_source(tmp_path)
    assert [case.identifier for case in check_source(source)] == ["c1", "c2"]
    assert source.channels() == {"seg": "mask", "t1n": "MR-T1w", "t2f": "MR-FLAIR"}


def test_bids(tmp_path: Path) -> None:
    for who in ("sub-01/ses-1", "sub-01/ses-2", "sub-02/ses-1"):
        name = who.replace("/", "_")
        nifti(tmp_path / who / "anat" / f"{name}_acq-mprage_T1w.nii.gz")
        nifti(tmp_path / who / "anat" / f"{name}_FLAIR.nii.gz")
        nifti(tmp_path / who / "func" / f"{name}_task-rest_bold.nii.gz")
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tage\tsex\nsub-01\t30\tF\nsub-02\tn/a\tM\nsub-99\t1\tM\n"
    )
    source = open_source(tmp_path)
    cases = check_source(source)
    assert source.channels() == {"flair": "MR-FLAIR", "t1w": "MR-T1w"}
    assert [(c.identifier, c.patient) for c in cases] == [
        ("sub-01_ses-1", "sub-01"),
        ("sub-01_ses-2", "sub-01"),
        ("sub-02_ses-1", "sub-02"),
    ]
    assert [dict(c.covariates) for c in cases] == [
        {"age": 30.0, "sex": "F"},
        {"age": 30.0, "sex": "F"},
        {"sex": "M"},
    ]


def test_bids_without_sessions(tmp_path: Path) -> None:
    for who in ("sub-1", "sub-2"):
        nifti(tmp_path / who / "anat" / f"{who}_T1w.nii.gz")
    assert [c.identifier for c in check_source(open_source(tmp_path))] == ["sub-1", "sub-2"]
    nifti(tmp_path / "sub-2" / "anat" / "sub-2_run-2_T1w.nii.gz")
    with pytest.raises(InputError, match=r"^sub-2: expected one file of channel 't1w'"):
        NiftiFolder(tmp_path).cases()


def test_a_channel_that_a_case_lacks(tmp_path: Path) -> None:
    nifti(tmp_path / "a_t1.nii.gz")
    nifti(tmp_path / "a_t2.nii.gz")
    nifti(tmp_path / "b_t1.nii.gz")
    with pytest.raises(InputError, match=r"^b: expected the channels t1, t2 of every case, got t1"):
        NiftiFolder(tmp_path).cases()
    assert len(NiftiFolder(tmp_path, channel_names=("t1",)).cases()) == 2
    assert len(NiftiFolder(tmp_path, channel_names=("t2",)).cases()) == 1
    assert len(NiftiFolder(tmp_path, pattern="a_*").cases()) == 1
    with pytest.raises(InputError, match="a case with the channels pet"):
        NiftiFolder(tmp_path, channel_names=("pet",)).cases()
    with pytest.raises(InputError, match="NIfTI files that match 'x'"):
        NiftiFolder(tmp_path, pattern="x").cases()


def test_pairs_that_lie_elsewhere(tmp_path: Path) -> None:
    nifti(tmp_path / "a_t1.nii.gz")
    nifti(tmp_path / "a_t2.nii.gz", affine=np.diag([1.0, 1.0, 2.0, 1.0]))
    source = NiftiFolder(tmp_path)
    with pytest.raises(InputError, match=r"^a: expected a pair with one affine.*spacings"):
        source.read(source.cases()[0])


def test_masks_with_fractions(tmp_path: Path) -> None:
    array = np.full((2, 2, 2), 0.5, np.float32)
    nibabel.save(nibabel.Nifti1Image(array, np.eye(4)), tmp_path / "a_mask.nii.gz")
    source = NiftiFolder(tmp_path)
    with pytest.raises(InputError, match="a mask: expected whole numbers as labels, got fractions"):
        source.read(source.cases()[0])


def test_real_open_ms(real: Real) -> None:
    source = NiftiFolder(real("open_ms"), pattern="patient*")
    cases = check_source(source, sample=1)
    assert [c.identifier for c in cases] == ["patient07", "patient19", "patient26"]
    assert set(source.channels()) == {"t1", "t1post", "t2", "flair", "lesions"}
    assert 0 < int(source.read(cases[0])["lesions"].data.sum()) < 100_000


# --- PNG folders ------------------------------------------------------------------------------


def make_png_folder(folder: Path, table: str) -> Path:
    for k in range(4):
        data = torch.arange(k, k + 30.0).reshape(1, 5, 6)
        write_image(folder / f"{k}.png", Image(data, stored="uint16"))
    (folder / "cases.csv").write_text(table)
    return folder


def test_png_folder(tmp_path: Path) -> None:
    make_png_folder(
        tmp_path,
        "file,patient,site,partition,label,age\n0.png,a,X,train,1,40\n1.png,a,X,train,0,\n"
        "2.png,b,Y,val,1,51.5\n3.png,c,Y,test,0,x\n",
    )
    source = open_source(tmp_path)
    assert isinstance(source, PngFolder)
    cases = check_source(source, sample=4)
    assert [c.partition for c in cases] == ["train", "train", "validation", "test"]
    assert [c.patient for c in cases] == ["a", "a", "b", "c"]
    assert [dict(c.covariates) for c in cases] == [
        {"label": 1.0, "age": 40.0},
        {"label": 0.0},
        {"label": 1.0, "age": 51.5},
        {"label": 0.0, "age": "x"},
    ]
    assert source.read(cases[2])["image"].data.max() == 31
    with pytest.raises(InputError, match=r"^0\.png: expected 3 channels, got 1"):
        PngFolder(tmp_path, channel_count=3).read(cases[0])


def test_a_patient_repeated_across_official_partitions(tmp_path: Path) -> None:
    make_png_folder(
        tmp_path, "file,patient,partition\n0.png,a,train\n1.png,a,test\n2.png,b,train\n"
    )
    with pytest.raises(InputError, match=r"^1\.png: expected every patient in one partition only"):
        SplitRule().split(PngFolder(tmp_path).cases())


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("file,who\n0.png,a\n", "a column 'patient', got file, who"),
        ("file,patient\n0.png,a\n0.png,b\n", "every file once"),
        ("file,patient\n9.png,a\n", "every listed file in the folder"),
        ("file,patient\n0.png,\n", "a patient in every row"),
        ("file,patient\n", "at least one row"),
        ("file,patient\n0.png,a,b\n", "2 cells in every row, got another number in line 2"),
        ("", "an empty file"),
    ],
)
def test_broken_tables(tmp_path: Path, table: str, message: str) -> None:
    make_png_folder(tmp_path, table)
    with pytest.raises(InputError, match=message):
        PngFolder(tmp_path).cases()


def test_a_table_that_is_no_text(tmp_path: Path) -> None:
    make_png_folder(tmp_path, "x")
    (tmp_path / "cases.csv").write_bytes(b"\xff\xfe\x00binary" * 20)
    with pytest.raises(InputError, match="a readable table file"):
        PngFolder(tmp_path).cases()


def test_real_radiographs(real: Real) -> None:
    source = open_source(real("cxr_hannover"))
    assert isinstance(source, PngFolder)
    cases = check_source(source)
    assert len(cases) == 104
    assert len({case.patient for case in cases}) == 55
    assert cases[0].covariates["day"] == 0.0


# --- opening ----------------------------------------------------------------------------------


def test_what_is_not_there_or_not_known(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="got nothing there"):
        open_source(tmp_path / "missing")
    with pytest.raises(InputError, match="an empty folder"):
        open_source(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="openkbp or fastmri or nifti-folder"):
        open_source(tmp_path)
    with pytest.raises(InputError, match="did you mean hippocampus"):
        open_source(tmp_path, "hipocampus")
    nifti(tmp_path / "a_t1.nii.gz")
    assert isinstance(open_source(tmp_path), NiftiFolder)
    with pytest.raises(InputError, match="data of kind openkbp"):
        open_source(tmp_path, "openkbp")


def test_kinds_from_elsewhere_are_asked_last(tmp_path: Path) -> None:
    class Other(PngFolder):
        name = "other"

        @classmethod
        def recognises(cls, path: Path) -> bool:
            return True

    (tmp_path / "x.txt").touch()
    assert isinstance(open_source(tmp_path, more=[Other]), Other)
    nifti(tmp_path / "a_t1.nii.gz")
    assert isinstance(open_source(tmp_path, more=[Other]), NiftiFolder)
    assert isinstance(open_source(tmp_path, "other", more=[Other]), Other)


def test_every_source_says_what_it_is() -> None:
    for name, source in all_sources().items():
        assert source.name == name
        assert source.licence
        assert source.__doc__
