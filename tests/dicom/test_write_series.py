from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from invented_series import make_slice, oblique_affine_lps, save
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.dicom import Header, read_series, write_series

WriteCt = Callable[..., Path]


@pytest.fixture
def series(write_ct: WriteCt) -> tuple[Image, Header]:
    return read_series(write_ct())


def test_round_trip(series: tuple[Image, Header], tmp_path: Path) -> None:
    image, header = series
    changed = image.with_data(image.data.flip(1))
    paths = write_series(tmp_path / "out", changed, header, "Synthetic CT")
    assert [path.name for path in paths] == [f"{k:04d}.dcm" for k in range(1, 8)]
    again, header_again = read_series(tmp_path / "out")
    assert torch.equal(again.data, changed.data)
    np.testing.assert_allclose(again.affine, image.affine, atol=1e-6)
    assert (again.unit, again.modality, again.stored) == ("HU", "CT", "uint16")
    assert header_again.series_number == 1007


def test_what_a_derived_image_says(series: tuple[Image, Header], tmp_path: Path) -> None:
    image, header = series
    paths = write_series(tmp_path / "out", image, header, "Synthetic CT", series_number=42)
    written = [dcmread(path) for path in paths]
    assert len({d.SeriesInstanceUID for d in written}) == 1
    assert len({d.SOPInstanceUID for d in written}) == 7
    for index, (new, old) in enumerate(zip(written, header.slices, strict=True)):
        assert new.SeriesInstanceUID != old.SeriesInstanceUID
        assert new.SOPInstanceUID != old.SOPInstanceUID
        assert UID(new.SeriesInstanceUID).is_valid
        assert UID(new.SOPInstanceUID).is_valid
        for keyword in (
            "StudyInstanceUID",
            "FrameOfReferenceUID",
            "PatientID",
            "PatientName",
            "PatientAge",
            "PatientBirthDate",
            "PatientSex",
            "StudyDate",
            "AccessionNumber",
            "SOPClassUID",
            "BitsStored",
            "HighBit",
            "PixelRepresentation",
            "RescaleSlope",
            "RescaleIntercept",
            "RescaleType",
            "PatientPosition",
            "WindowCenter",
            "Modality",
        ):
            assert new[keyword].value == old[keyword].value, keyword
        assert list(new.ImageType) == ["DERIVED", "SECONDARY", "AXIAL"]
        assert new.DerivationDescription == "Synthetic image: made by a generative model"
        assert new.SeriesDescription == "Synthetic CT"
        assert (new.SeriesNumber, new.InstanceNumber) == (42, index + 1)
        assert new.Manufacturer == new.ManufacturerModelName == "Vesalius"
        equipment = new.ContributingEquipmentSequence[0]
        assert equipment.ManufacturerModelName == "Vesalius"
        assert equipment.PurposeOfReferenceCodeSequence[0].CodeValue == "109102"
        assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
        assert new.BurnedInAnnotation == "NO"
        assert new.LossyImageCompression == "00"
        assert "InstitutionName" not in new
        assert new.file_meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert new.file_meta.MediaStorageSOPInstanceUID == new.SOPInstanceUID
        assert str(new.PatientName) == "Vermeer^Griët"
        for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
            assert all(len(str(number)) <= 16 for number in new[keyword].value)
        assert float(new.SliceLocation) == pytest.approx(
            float(written[0].SliceLocation) + 2.5 * index, abs=1e-5
        )
        _require_valid(new)


def _require_valid(dataset: Any) -> None:
    """Every element obeys its value representation (pydicom's validator, set to raise)."""
    from pydicom.config import RAISE
    from pydicom.dataelem import DataElement

    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                _require_valid(item)
        else:
            DataElement(element.tag, element.VR, element.value, validation_mode=RAISE)


def test_values_are_rounded_and_clipping_is_said(
    series: tuple[Image, Header], tmp_path: Path
) -> None:
    image, header = series
    data = torch.full_like(image.data, 10.4)
    data[0, 0, 0, 2] = 5000.0
    data[0, 1, 0, 2] = -2000.0
    with pytest.warns(UserWarning, match=r"slice 3 of 7: 2 values outside \[-1024, 3071\]"):
        write_series(tmp_path / "out", image.with_data(data), header, "x")
    again = read_series(tmp_path / "out")[0].data
    assert again[0, 0, 0, 2] == 3071
    assert again[0, 1, 0, 2] == -1024
    assert again[0, 2, 2, 2] == 10


def test_signed_bits_and_fractional_slopes(tmp_path: Path, volume: Any) -> None:
    for index in range(3):
        dataset = make_slice(
            volume,
            index,
            oblique_affine_lps(),
            PixelRepresentation=1,
            BitsStored=16,
            HighBit=15,
            RescaleSlope="0.25",
            RescaleIntercept="-10",
            Modality="PT",
            Units="BQML",
        )
        save(dataset, tmp_path / "in" / f"{index}.dcm")
    image, header = read_series(tmp_path / "in")
    write_series(tmp_path / "out", image.with_data(image.data - 100.25), header, "x")
    again = read_series(tmp_path / "out")[0]
    assert torch.equal(again.data, image.data - 100.25)
    assert again.stored == "int16"


def test_synthetic_ct_from_mr(tmp_path: Path, volume: Any) -> None:
    for index in range(7):
        dataset = make_slice(
            volume,
            index,
            oblique_affine_lps(),
            Modality="MR",
            RescaleSlope=None,
            RescaleIntercept=None,
            RescaleType=None,
            ScanningSequence="GR",
        )
        save(dataset, tmp_path / "mr" / f"{index}.dcm")
    mr, header = read_series(tmp_path / "mr")
    assert (mr.unit, mr.modality) == ("a.u.", "MR")
    hu = Image(torch.from_numpy(volume[None]).float() - 0.25, mr.affine, "HU", "CT")
    paths = write_series(tmp_path / "ct", hu, header, "Synthetic CT")
    again, _ = read_series(tmp_path / "ct")
    np.testing.assert_array_equal(again.data[0].numpy(), volume)
    assert (again.unit, again.modality, again.stored) == ("HU", "CT", "int16")
    np.testing.assert_allclose(again.affine, mr.affine, atol=1e-6)
    written = dcmread(paths[0])
    assert written.SOPClassUID == CTImageStorage
    assert written.RescaleType == "HU"
    assert "ScanningSequence" not in written
    assert written.FrameOfReferenceUID == header.slices[0].FrameOfReferenceUID
    _require_valid(written)
    with pytest.raises(InputError, match=r"expected CT in HU, got a\.u\."):
        write_series(tmp_path / "no", replace(hu, unit="a.u."), header, "x")


def test_invalid_elements_of_the_template_are_left_out(tmp_path: Path, volume: Any) -> None:
    for index in range(2):
        dataset = make_slice(volume, index, oblique_affine_lps(), Modality="MR")
        path = save(dataset, tmp_path / "in" / f"{index}.dcm")
        whole = path.read_bytes()
        assert whole.count(b"042Y") == 1
        path.write_bytes(whole.replace(b"042Y", b"42  ").replace(b"19320101", b"1932-1-1"))
    image, header = read_series(tmp_path / "in")
    paths = write_series(tmp_path / "out", image, header, "x")
    written = dcmread(paths[0])
    assert "PatientAge" not in written
    assert not written.PatientBirthDate
    assert written.PatientID == "HOSP-4711"
    assert written.ScanningSequence == "RM"
    _require_valid(written)


def test_once_lossy_always_lossy(tmp_path: Path, volume: Any) -> None:
    dataset = make_slice(
        volume,
        0,
        oblique_affine_lps(),
        LossyImageCompression="01",
        LossyImageCompressionRatio="10",
        LossyImageCompressionMethod="ISO_10918_1",
    )
    image, header = read_series(save(dataset, tmp_path / "a.dcm"))
    written = dcmread(write_series(tmp_path / "out", image, header, "x")[0])
    assert written.LossyImageCompression == "01"
    assert written.LossyImageCompressionRatio == 10


def test_what_does_not_fit(series: tuple[Image, Header], tmp_path: Path) -> None:
    image, header = series
    cases: list[tuple[Image, str, str]] = [
        (replace(image, data=image.data[..., :5]), "x", "a pair of one size"),
        (replace(image, affine=np.eye(4)), "x", "a pair with one affine"),
        (replace(image, data=image.data.repeat(2, 1, 1, 1)), "x", "expected 1 channel, got 2"),
        (replace(image, data=image.data * float("nan")), "x", "finite values"),
        (image, "", "1 to 64 printable characters"),
        (image, "x" * 65, "1 to 64 printable characters"),
        (image, "a\\b", "1 to 64 printable characters"),
    ]
    for wrong, description, message in cases:
        with pytest.raises(InputError, match=message) as caught:
            write_series(tmp_path / "out", wrong, header, description)
        assert "Vermeer" not in str(caught.value)
    assert not (tmp_path / "out").exists()
    write_series(tmp_path / "out", image, header, "x")
    with pytest.raises(InputError, match="a folder without DICOM files"):
        write_series(tmp_path / "out", image, header, "x")


@pytest.mark.parametrize("name", ["CT_small.dcm", "MR_small.dcm"])
def test_pydicoms_examples(name: str, tmp_path: Path) -> None:
    found = get_testdata_file(name, download=False)
    assert found is not None
    image, header = read_series(str(found))
    (path,) = write_series(tmp_path / "out", image, header, "Synthetic")
    again, _ = read_series(path)
    assert torch.equal(again.data, image.data)
    np.testing.assert_allclose(again.affine, image.affine, atol=1e-6)
    _require_valid(dcmread(path))


def test_a_real_series(real: Any, tmp_path: Path) -> None:
    image, header = read_series(real("dicom_t1"))
    paths = write_series(tmp_path / "out", image, header, "Synthetic T1")
    again, _ = read_series(tmp_path / "out")
    assert torch.equal(again.data, image.data)
    np.testing.assert_allclose(again.affine, image.affine, atol=1e-6)
    _require_valid(dcmread(paths[-1]))
