from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pydicom.data
import pytest
import torch

from vesalius.core.image import Image
from vesalius.data.formats import read_image
from vesalius.dicom import read_series
from vesalius.runner.drawn_files import Places, fitting_type


@pytest.mark.parametrize(
    ("low", "high", "stored", "wanted"),
    [
        (0, 200, "uint8", "uint8"),
        (-5, 200, "uint8", "int16"),
        (-1024, 3000, "uint16", "int16"),
        (0, 60000, "uint16", "uint16"),
        (-5, 60000, "uint16", "float32"),
        (0, 1.25, "uint16", "float32"),
        (0, 1.25, "float64", "float64"),
        (0, 200, "complex64", "float32"),
    ],
)
def test_an_integer_type_is_kept_where_it_holds_the_values(
    low: float, high: float, stored: str, wanted: str
) -> None:
    assert fitting_type(torch.tensor([low, high]), stored) == wanted


def images(low: float, high: float, stored: str) -> tuple[Image, list[Image], Image]:
    ramp = torch.linspace(low, high, 48).reshape(1, 6, 8)
    mean = Image(ramp, stored=stored, unit="a.u.")
    return mean, [mean, mean], Image(torch.linspace(0, 0.1, 48).reshape(1, 6, 8), stored=stored)


def test_png_is_scaled_only_where_its_type_demands_it(tmp_path: Path) -> None:
    mean, draws, uncertainty = images(3, 250, "uint8")
    places = Places(tmp_path, "a", ".png")
    places.write(mean, draws, uncertainty)
    written = read_image(tmp_path / "mean" / "a.png")
    assert written.stored == "uint8"
    assert torch.equal(written.data, mean.data.round())
    assert set(places.scales) == {"uncertainty"}
    scale = places.scales["uncertainty"]
    stored = read_image(tmp_path / "uncertainty" / "a.png").data.double()
    back = scale["slope"] * stored + scale["intercept"]
    assert torch.allclose(back, uncertainty.data.double(), atol=0.1 / 65535)


def test_png_of_small_values_is_scaled_and_says_how(tmp_path: Path) -> None:
    mean, draws, uncertainty = images(-0.2, 1.1, "uint8")
    places = Places(tmp_path, "a", ".png")
    places.write(mean, draws, uncertainty)
    assert set(places.scales) == {"mean", "draw-01", "draw-02", "uncertainty"}
    scale = places.scales["mean"]
    stored = read_image(tmp_path / "mean" / "a.png").data.double()
    back = scale["slope"] * stored + scale["intercept"]
    assert torch.allclose(back, mean.data.double(), atol=1.3 / 65535)
    assert any("slope" in note for note in places.notes)


def test_values_that_overshoot_are_clipped_and_counted(tmp_path: Path) -> None:
    mean, draws, uncertainty = images(0, 260, "uint8")
    places = Places(tmp_path, "a", ".png")
    places.write(mean, draws, uncertainty)
    assert read_image(tmp_path / "mean" / "a.png").data.max() == 255
    assert any("mean: 1 values outside" in note for note in places.notes)
    assert not any(str(tmp_path) in note for note in places.notes)


def test_dicom_in_dicom_out_on_the_same_grid(tmp_path: Path) -> None:
    template, header = read_series(Path(str(pydicom.data.get_testdata_file("MR_small.dcm"))))
    drawn = template.with_data((template.data * 0.5).round())
    places = Places(tmp_path, "series-1", ".dcm", header)
    places.write(drawn, [drawn, drawn], drawn.with_data(torch.ones_like(drawn.data)))
    back, new_header = read_series(tmp_path / "mean" / "series-1")
    assert torch.equal(back.data, drawn.data)
    assert np.allclose(back.affine, template.affine)
    assert back.stored == template.stored
    slices = new_header.slices[0]
    assert "Synthetic" in slices.DerivationDescription
    assert slices.SeriesInstanceUID != header.slices[0].SeriesInstanceUID
    assert (tmp_path / "uncertainty" / "series-1.nii.gz").is_file()
    # a second time, over what is there
    again = Places(tmp_path, "series-1", ".dcm", header)
    again.write(drawn, [drawn, drawn], None)
    assert again.notes == []


def test_dicom_bits_too_coarse_for_the_values_give_nifti(tmp_path: Path) -> None:
    template, header = read_series(Path(str(pydicom.data.get_testdata_file("MR_small.dcm"))))
    drawn = template.with_data(template.data / template.data.max())
    places = Places(tmp_path, "s", ".dcm", header)
    places.write(drawn, [drawn], None)
    back = read_image(tmp_path / "mean" / "s.nii.gz")
    assert torch.allclose(back.data, drawn.data, atol=1e-6)
    assert np.allclose(back.affine, template.affine, atol=1e-4)
    assert any("NIfTI" in note for note in places.notes)
    assert json.dumps(places.notes).find("Patient") == -1
