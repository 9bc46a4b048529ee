from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from vesalius.anatomy import DigitalPatients, Grid, Tissue, draw_patient, later, photograph
from vesalius.anatomy.computed_tomography import ATTENUATION_HU
from vesalius.anatomy.imaging import MODALITIES
from vesalius.anatomy.positron_emission import uptake_suv
from vesalius.anatomy.scanner import scanner_of
from vesalius.anatomy.truth import tissue_fractions
from vesalius.core.errors import InputError, UnknownName
from vesalius.data.source import Case, Source
from vesalius.data.split import SplitRule


def test_a_source_keeps_its_contract() -> None:
    source = DigitalPatients(n=12, size=(48, 40), slices_per_patient=2)
    assert isinstance(source, Source)
    assert not source.recognises(Path("digital-patients"))
    cases = source.cases()
    assert cases == source.cases()
    assert len({case.identifier for case in cases}) == 24
    assert len({case.patient for case in cases}) == 12
    assert cases[14].patient == "digital-0007"
    assert {case.site for case in cases} <= {"A", "B", "C"}
    images = source.read(cases[5])
    assert set(images) == set(source.channels())
    for name, image in images.items():
        assert image.modality == source.channels()[name]
        assert image.data.shape == (1, 48, 40)
        np.testing.assert_array_equal(image.affine, images["t1"].affine)
        image.require_finite(name)
    for name in ("mask", "tissues", "lesion"):
        assert images[name].data.dtype == torch.uint8
    assert {images[name].unit for name in ("t1", "ct", "pet")} == {"a.u.", "HU", "SUV"}
    split = SplitRule().split(cases)
    assert len(split["train"]) > len(split["test"]) > 0


def test_a_patient_does_not_depend_on_the_others() -> None:
    few, many = DigitalPatients(n=4, size=(32, 32)), DigitalPatients(n=400, size=(32, 32))
    assert many.cases()[:4] == few.cases()
    for name, image in few.read(few.cases()[3]).items():
        assert torch.equal(image.data, many.read(many.cases()[3])[name].data)
    other = DigitalPatients(n=4, size=(32, 32), seed=1)
    assert other.cases()[3].covariates != few.cases()[3].covariates
    fewer = DigitalPatients(n=4, size=(32, 32), contrasts=("pet",))
    found = fewer.read(fewer.cases()[3])["pet"].data
    assert torch.equal(found, few.read(few.cases()[3])["pet"].data)


def test_a_slice_is_a_slice_of_the_volume() -> None:
    for kind in ("white_matter", "tumour"):
        patient = draw_patient(0, 6, lesions=kind)
        volume = Grid.of((9, 64, 64), (36.0, 216.0, 216.0), 20.0)
        whole = photograph(patient, volume, noise=False)
        for k in (1, 6):
            z = float(volume.heights_mm()[k])
            flat = Grid.of((64, 64), (216.0, 216.0), z)
            for name, image in photograph(patient, flat, noise=False).items():
                torch.testing.assert_close(image.data, whole[name].data[:, k], atol=1e-3, rtol=1e-4)
                assert image.affine[2, 3] == pytest.approx(z)
        noisy = photograph(patient, flat)["t1"].data - photograph(patient, volume)["t1"].data[:, 6]
        assert 0.005 < float(noisy.std()) < 0.08


@pytest.mark.parametrize("size", [(24, 20), (6, 24, 20)])
def test_affines_say_where_voxels_are(size: tuple[int, ...]) -> None:
    grid = Grid.of(size, (60.0, 120.0, 100.0)[-len(size) :], 12.0)
    points = grid.points().numpy()
    index = tuple(count - 2 for count in size)
    padded = (*index, 0, 0)[:3] if len(size) == 2 else index
    place = grid.affine() @ np.array([*padded, 1.0])
    np.testing.assert_allclose(place[:3], points[index], atol=1e-4)
    # anterior comes first, and the patient's left is on the right of the picture
    assert grid.affine()[1, len(size) - 2] < 0
    assert grid.affine()[0, len(size) - 1] < 0
    assert len(size) != 3 or grid.affine()[2, 0] > 0


def test_tissues_have_their_hounsfield_units() -> None:
    patient = replace(draw_patient(0, 4, lesions="none"), age_years=75.0)
    grid = Grid.of((200, 200), (216.0, 216.0), 20.0)
    quiet = photograph(patient, grid, ("ct",), noise=False)
    ct, tissues = quiet["ct"].data[0], quiet["tissues"].data[0]
    for tissue, tolerance in (
        (Tissue.AIR, 12.0),
        (Tissue.VENTRICLE, 5.0),
        (Tissue.GREY_MATTER, 8.0),
        (Tissue.WHITE_MATTER, 2.0),
    ):
        found = float(ct[tissues == tissue].median())
        assert found == pytest.approx(ATTENUATION_HU[tissue], abs=tolerance), tissue
    assert float(ct.max()) > 900
    noise = photograph(patient, grid, ("ct",))["ct"].data[0] - ct
    inside = noise[tissues == Tissue.WHITE_MATTER]
    assert float(inside.std()) == pytest.approx(scanner_of(patient.site).ct_noise_hu, rel=0.15)
    assert abs(float(inside.mean())) < 0.5


def test_a_pet_slice_is_blurred_in_three_directions() -> None:
    patient = draw_patient(0, 7, lesions="none")
    spacing = 216 / 96
    grid = Grid.of((96, 96), (216.0, 216.0), 18.0)
    found = photograph(patient, grid, ("pet",), noise=False)["pet"].data[0].numpy()
    stack = Grid.of((25, 96, 96), (25.0, 216.0, 216.0), 18.0)
    sharp = uptake_suv(
        tissue_fractions(patient, stack.points().reshape(-1, 3), edge_mm=spacing)
    ).reshape(stack.size)
    width = scanner_of(patient.site).pet_blur_mm / (2 * np.sqrt(2 * np.log(2)))
    expected = gaussian_filter(sharp.numpy(), (width, width / spacing, width / spacing))[12]
    flat = gaussian_filter(sharp[12].numpy(), width / spacing)
    error = np.sqrt(np.mean((found - expected) ** 2))
    assert error < 0.5 * np.sqrt(np.mean((flat - expected) ** 2))
    assert error < 0.05 * expected.max()
    tissues = photograph(patient, grid, ("pet",))["tissues"].data[0].numpy()
    grey, white = (found[tissues == t].mean() for t in (Tissue.GREY_MATTER, Tissue.WHITE_MATTER))
    assert grey > 1.2 * white


def test_intensities_lie_in_the_stated_ranges() -> None:
    source = DigitalPatients(n=6, size=(64, 64), lesions="mixed")
    for case in source.cases():
        images = source.read(case)
        tissues = images["tissues"].data
        for name, tissue in (
            ("t1", Tissue.WHITE_MATTER),
            ("pd", Tissue.GREY_MATTER),
            ("flair", Tissue.GREY_MATTER),
        ):
            middle = float(images[name].data[tissues == tissue].median())
            assert 0.6 < middle < 1.5, (case.identifier, name)
        for name, top in (("t1", 3.5), ("t2", 2.0), ("flair", 3.0), ("pd", 2.0), ("pet", 18.0)):
            assert float(images[name].data.min()) >= 0
            assert float(images[name].data.max()) < top
        assert float(images["ct"].data.min()) >= -1024
        assert 0.2 < float(images["mask"].data.float().mean()) < 0.85


def test_another_visit_has_other_noise_and_the_same_head() -> None:
    patient = replace(draw_patient(0, 8, lesions="none"), age_years=30.0)
    grid = Grid.of((64, 64), (216.0, 216.0), 20.0)
    soon = later(patient, 0.01)
    quiet = [photograph(who, grid, ("t2",), noise=False)["t2"].data for who in (patient, soon)]
    loud = [photograph(who, grid, ("t2",))["t2"].data for who in (patient, soon)]
    assert float((quiet[0] - quiet[1]).abs().max()) < 0.01
    assert float((loud[0] - loud[1]).std()) > 0.01


def test_sites_differ_a_little() -> None:
    grid = Grid.of((96, 96), (216.0, 216.0), 20.0)
    patient = draw_patient(0, 2)
    seen = {
        site: photograph(replace(patient, site=site), grid, ("t1",), noise=False)["t1"].data
        for site in "ABC"
    }
    for one, other in (("A", "B"), ("B", "C"), ("A", "C")):
        together = torch.stack((seen[one].flatten(), seen[other].flatten()))
        assert float((seen[one] - seen[other]).abs().mean()) > 0.01
        assert float(torch.corrcoef(together)[0, 1]) > 0.8


def test_volumes_of_any_size() -> None:
    source = DigitalPatients(n=1, size=(10, 32, 28), contrasts=("t1", "ct"))
    images = source.read(source.cases()[0])
    assert images["ct"].data.shape == (1, 10, 32, 28)
    assert images["ct"].spacing_mm == pytest.approx((19.2, 6.75, 216 / 28))
    found = set(images["tissues"].data.unique().tolist())
    assert {Tissue.AIR, Tissue.WHITE_MATTER, Tissue.SOFT_TISSUE} <= found


def test_mixed_patients_are_of_all_kinds() -> None:
    drawn = [draw_patient(0, i, lesions="mixed") for i in range(60)]
    tumours = sum(one.tumour is not None for one in drawn)
    lesions = sum(one.lesion_volume_ml > 0 for one in drawn)
    assert 8 < tumours < 35
    assert 8 < lesions < 35
    assert tumours + lesions < 55
    assert not any(one.tumour and one.lesion_volume_ml for one in drawn)
    assert {one.sex for one in drawn} == {"female", "male"}
    assert max(one.age_years for one in drawn) > 75 > 35 > min(one.age_years for one in drawn)


def test_slices_take_milliseconds() -> None:
    source = DigitalPatients(n=8)
    cases = source.cases()
    source.read(cases[0])
    taken = []
    for case in cases[1:]:
        began = time.process_time()
        source.read(case)
        taken.append(time.process_time() - began)
    assert sorted(taken)[len(taken) // 2] < 0.3  # about 0.05 s on one quiet core


def test_what_does_not_fit_is_named() -> None:
    source = DigitalPatients(n=2, size=(32, 32))
    with pytest.raises(InputError, match="a case of this source"):
        source.read(Case("digital-0002", "digital-0002"))
    with pytest.raises(InputError, match="a case of this source"):
        source.read(Case("somebody", "somebody"))
    with pytest.raises(UnknownName, match="site"):
        DigitalPatients(n=2, sites=("Z",)).cases()
    with pytest.raises(InputError, match="one patient or more"):
        DigitalPatients(n=0).cases()
    with pytest.raises(InputError, match="slices_per_patient=1"):
        DigitalPatients(size=(8, 32, 32), slices_per_patient=2).cases()
    with pytest.raises(InputError, match="two or three sizes"):
        Grid.of((32,), (200.0,), 0.0)
    with pytest.raises(InputError, match="field of view of 2"):
        Grid.of((32, 32), (200.0,), 0.0)
    with pytest.raises(UnknownName, match="contrast"):
        photograph(draw_patient(0, 0), Grid.of((16, 16), (200.0, 200.0), 0.0), ("t3",))
    assert set(MODALITIES) == {"t1", "t2", "flair", "pd", "ct", "pet"}


@pytest.mark.parametrize("contrast", ["flair", "ct", "pet"])
def test_a_repeated_scan_has_other_noise_and_nothing_else(contrast: str) -> None:
    patient = draw_patient(2, 1)
    grid = Grid.of((32, 32), (216.0, 216.0), 12.0)
    scans = [photograph(patient, grid, (contrast,), repeat=k) for k in (0, 1, 1)]
    first, second, again = (scan[contrast].data for scan in scans)
    assert torch.equal(first, photograph(patient, grid, (contrast,))[contrast].data)
    assert not torch.equal(first, second)
    assert torch.equal(second, again)
    for name in ("mask", "tissues", "lesion"):
        assert torch.equal(scans[0][name].data, scans[1][name].data)
    quiet = [photograph(patient, grid, (contrast,), noise=False, repeat=k) for k in (0, 1)]
    assert torch.equal(quiet[0][contrast].data, quiet[1][contrast].data)
