"""Slices of volumes whose voxels say where they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from vesalius.anatomy import DigitalPatients
from vesalius.core import Image, InputError
from vesalius.data.source import Case, Source
from vesalius.data.sources import AxialSlices, OpenKBP
from vesalius.data.split import SplitRule


@dataclass(frozen=True)
class Numbered(Source):
    """Volumes (4, 5, 10) whose value is the height in mm; the mask marks slices 2 to 7."""

    downwards: bool = False

    name: ClassVar[str] = "numbered"
    licence: ClassVar[str] = "none"
    citation: ClassVar[str] = "nobody"

    @classmethod
    def recognises(cls, path: Path) -> bool:
        return False

    def channels(self) -> Mapping[str, str]:
        return {"ct": "CT", "dose": "RTDOSE", "mask": "mask"}

    def cases(self) -> tuple[Case, ...]:
        parts = ("train", "train", "test")
        return tuple(Case(f"v{k}", f"p{k}", partition=part) for k, part in enumerate(parts))

    def read(self, case: Case) -> Mapping[str, Image]:
        affine = np.diag([2.0, 3.0, -4.0 if self.downwards else 4.0, 1.0])
        affine[:3, 3] = [10, 20, 30]
        height = affine[2, 3] + affine[2, 2] * torch.arange(10.0)
        mask = torch.zeros(1, 4, 5, 10, dtype=torch.int64)
        mask[..., 2:8] = 1
        values = height.expand(1, 4, 5, 10).clone()
        return {
            "ct": Image(values, affine, unit="HU", modality="CT"),
            "dose": Image(values, affine, unit="Gy", modality="RTDOSE"),
            "mask": Image(mask, affine, unit="label", modality="mask"),
        }


def test_slices_are_spread_over_the_region_and_know_where_they_lie() -> None:
    source = AxialSlices(Numbered(), 3, ("ct", "mask"))
    cases = source.cases()
    assert [case.identifier for case in cases[:4]] == [
        "v0-slice-0", "v0-slice-1", "v0-slice-2", "v1-slice-0"
    ]  # fmt: skip
    assert (source.name, source.citation) == ("numbered", "nobody")
    assert set(source.channels()) == {"ct", "mask"}
    heights = []
    for case in cases[:3]:
        image = source.read(case)["ct"]
        assert image.space == (4, 5)
        assert image.spacing_mm == (2.0, 3.0)
        assert image.unit == "HU"
        heights.append(float(image.data.unique()))
        assert image.affine[2, 3] == heights[-1], "the affine's height is the slice's"
    # sixths of the slices 2 to 7: 3, 5 and 7
    assert heights == [30 + 4 * k for k in (3, 5, 7)]


@pytest.mark.parametrize("downwards", [False, True])
def test_neighbours_lie_below_and_above_whatever_way_the_axis_runs(downwards: bool) -> None:
    source = AxialSlices(Numbered(downwards), 1, ("ct", "mask"), ("none",), neighbours=2)
    names = source.neighbour_names("ct")
    assert names == ("ct_below_1", "ct_above_1", "ct_below_2", "ct_above_2")
    assert set(source.channels()) == {"ct", "mask", *names}
    images = source.read(source.cases()[0])
    middle = float(images["ct"].data.unique())
    found = [float(images[name].data.unique()) - middle for name in names]
    assert found == [-4, 4, -8, 8]


def test_the_last_slice_stands_in_beyond_the_end() -> None:
    source = AxialSlices(Numbered(), 10, ("ct",), (), neighbours=1)
    images = source.read(source.cases()[0])
    assert float(images["ct"].data.unique()) == 30 == float(images["ct_below_1"].data.unique())
    assert float(images["ct_above_1"].data.unique()) == 34


def test_patients_never_straddle_a_split() -> None:
    split = SplitRule().split(AxialSlices(Numbered(), 4).cases())
    assert {case.patient for case in split["train"]} == {"p0", "p1"}
    assert {case.patient for case in split["test"]} == {"p2"}
    assert len(split["test"]) == 4


def test_slices_pass_unchanged_and_are_their_own_neighbours() -> None:
    inner = DigitalPatients(n=2, size=(16, 16))
    source = AxialSlices(inner, 5, ("t1", "mask"), neighbours=1)
    assert source.cases() == inner.cases()
    images = source.read(source.cases()[0])
    expected = inner.read(inner.cases()[0])["t1"]
    assert set(images) == {"t1", "mask", "t1_below_1", "t1_above_1"}
    for name in ("t1", "t1_below_1", "t1_above_1"):
        assert torch.equal(images[name].data, expected.data)


def test_cases_of_another_source_are_refused() -> None:
    source = AxialSlices(Numbered(), 2)
    for name in ("v0", "v0-slice-2", "x-slice-0"):
        with pytest.raises(InputError, match="case of this source"):
            source.read(Case(name, "p0"))
    with pytest.raises(InputError, match="one slice"):
        AxialSlices(Numbered(), 0).cases()


def test_real_volumes(real: Callable[[str], Path]) -> None:
    inner = OpenKBP(real("openkbp"))
    source = AxialSlices(inner, 4, ("ct", "possible_dose"), ("possible_dose",))
    assert len(source.cases()) == 4 * len(inner.cases())
    volume = source.read_volume(source.cases()[0])
    ct = inner.read(inner.cases()[0])["ct"].data
    for images in volume.values():
        assert bool(images["possible_dose"].data.any()), "inside the region"
        same = (ct == images["ct"].data[..., None]).all(dim=(0, 1, 2))
        assert bool(same.any()), "a slice of the volume"
