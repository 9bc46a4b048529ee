from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from invented_series import SECRETS, make_slice, oblique_affine_lps, save

from vesalius.core.errors import InputError
from vesalius.data.source import Case, pseudonym
from vesalius.dicom import DicomFolder
from vesalius.dicom.folder import age_years

WriteCt = Callable[..., Path]


def test_one_case_a_series(write_ct: WriteCt, volume: Any, tmp_path: Path) -> None:
    write_ct("Vermeer/one")
    write_ct("Vermeer/two", series="2.25.5", RescaleIntercept="-1000")
    write_ct("third", series="2.25.6", PatientID="HOSP-9", InstitutionName=None, leave_out=(0,))
    (tmp_path / "notes.txt").write_text("nothing " * 50)
    source = DicomFolder(tmp_path)
    assert DicomFolder.recognises(tmp_path)
    assert source.channels() == {"image": "CT"}
    cases = source.cases()
    assert len(cases) == 3
    assert len({case.patient for case in cases}) == 2
    by_series = {case.identifier: case for case in cases}
    first = by_series[pseudonym("2.25.222", "vesalius")]
    assert first.patient == pseudonym("HOSP-4711", "vesalius")
    assert first.site == pseudonym("St. Luke", "vesalius")
    assert first.covariates == {"sex": "F", "age_years": 42.0}
    assert by_series[pseudonym("2.25.6", "vesalius")].site == ""
    np.testing.assert_array_equal(source.read(first)["image"].data[0].numpy(), volume)
    second = by_series[pseudonym("2.25.5", "vesalius")]
    np.testing.assert_array_equal(source.read(second)["image"].data[0].numpy(), volume + 24)
    printed = repr(cases)
    assert not any(secret in printed for secret in (*SECRETS, "HOSP", "2.25"))
    assert cases == DicomFolder(tmp_path).cases()


def test_the_salt_changes_every_name(write_ct: WriteCt, tmp_path: Path) -> None:
    write_ct()
    (one,) = DicomFolder(tmp_path, salt="a").cases()
    (other,) = DicomFolder(tmp_path, salt="b").cases()
    assert one.identifier != other.identifier
    assert one.patient != other.patient
    assert one.site != other.site


def test_broken_series_are_named_by_their_hash(write_ct: WriteCt, tmp_path: Path) -> None:
    write_ct(leave_out=(2,))
    source = DicomFolder(tmp_path)
    (case,) = source.cases()
    with pytest.raises(InputError, match="1 slice missing") as caught:
        source.read(case)
    assert str(caught.value).startswith(f"{case.identifier}: ")
    with pytest.raises(InputError, match="a case of this source"):
        source.read(Case("x", "y"))


def test_several_modalities_need_a_choice(write_ct: WriteCt, volume: Any, tmp_path: Path) -> None:
    write_ct()
    mr = make_slice(volume, 0, oblique_affine_lps(), series="2.25.7", Modality="MR")
    save(mr, tmp_path / "mr.dcm")
    with pytest.raises(InputError, match="series of one modality, got CT, MR"):
        DicomFolder(tmp_path).cases()
    assert len(DicomFolder(tmp_path, modality="MR").cases()) == 1
    assert DicomFolder(tmp_path, modality="CT").channels() == {"image": "CT"}
    with pytest.raises(InputError, match="DICOM images of modality PT, got none"):
        DicomFolder(tmp_path, modality="PT").cases()


def test_empty_and_broken_folders(tmp_path: Path, write_ct: WriteCt) -> None:
    assert not DicomFolder.recognises(tmp_path)
    with pytest.raises(InputError, match="expected DICOM images, got none"):
        DicomFolder(tmp_path).cases()
    folder = write_ct()
    (folder / "Vermeer_3.dcm").write_bytes(b"")
    with pytest.raises(InputError, match="got an empty one") as caught:
        DicomFolder(tmp_path).cases()
    assert "Vermeer" not in str(caught.value)


def test_a_patient_without_identifier_is_its_study(tmp_path: Path, volume: Any) -> None:
    for study in ("2.25.1", "2.25.2"):
        dataset = make_slice(
            volume, 0, oblique_affine_lps(), study=study, series=f"{study}.1", PatientID=""
        )
        save(dataset, tmp_path / f"{study}.dcm")
    assert len({case.patient for case in DicomFolder(tmp_path).cases()}) == 2


@pytest.mark.parametrize(
    ("text", "years"),
    [
        ("042Y", 42.0),
        ("006M", 0.5),
        ("730D", 730 / 365.25),
        ("42", None),
        ("", None),
        ("xxxY", None),
    ],
)
def test_ages(text: str, years: float | None) -> None:
    assert age_years(text) == (pytest.approx(years) if years is not None else None)


def test_a_real_series(real: Any) -> None:
    source = DicomFolder(real("dicom_t1"))
    (case,) = source.cases()
    assert source.channels() == {"image": "MR"}
    assert source.read(case)["image"].space == (384, 274, 24)
    assert "Jane" not in repr(case)
