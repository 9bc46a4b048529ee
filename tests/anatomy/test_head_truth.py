from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from vesalius.anatomy import (
    BRAIN,
    LESIONS,
    Grid,
    Patient,
    Tissue,
    deformation,
    draw_patient,
    later,
    tissue_fractions,
)
from vesalius.anatomy.lesions import draw_lesions
from vesalius.core.errors import InputError

SPACING_MM = 3.0
HEAD = Grid.of((62, 68, 56), (186.0, 204.0, 168.0), 8.0).points().reshape(-1, 3)
SLAB = Grid.of((3, 110, 96), (9.0, 192.0, 168.0), 20.0).points().reshape(-1, 3)


def volumes_ml(patient: Patient) -> torch.Tensor:
    shares = tissue_fractions(patient, HEAD, edge_mm=SPACING_MM)
    return shares.sum(1) * SPACING_MM**3 / 1000


@pytest.mark.parametrize("lesions", ["none", "white_matter", "tumour"])
def test_shares_are_shares(lesions: str) -> None:
    shares = tissue_fractions(draw_patient(3, 5, lesions=lesions), SLAB, edge_mm=1.75)
    assert float(shares.min()) >= -1e-6
    torch.testing.assert_close(shares.sum(0), torch.ones(len(SLAB)), atol=1e-4, rtol=0)


def test_volumes_are_those_of_people() -> None:
    for index in range(3):
        person = replace(draw_patient(0, index, lesions="none"), age_years=45.0)
        volume = volumes_ml(person)
        brain = float(volume[list(BRAIN)].sum())
        fluid = float(volume[[Tissue.CEREBROSPINAL_FLUID, Tissue.VENTRICLE]].sum())
        assert 1050 < brain < 1850
        assert 1300 < brain + fluid < 2250
        assert 7 < float(volume[Tissue.VENTRICLE]) < 45
        assert 0.8 < float(volume[Tissue.GREY_MATTER] / volume[Tissue.WHITE_MATTER]) < 1.7
        assert 2 < float(volume[Tissue.CAUDATE]) < 12


@pytest.mark.parametrize("index", [0, 4, 9])
def test_age_widens_ventricles_and_sulci_and_takes_grey_matter(index: int) -> None:
    young = replace(draw_patient(2, index, lesions="none"), age_years=22.0)
    ages = [volumes_ml(later(young, years)) for years in (0.0, 20.0, 40.0, 60.0)]
    for before, after in itertools.pairwise(ages):
        assert after[Tissue.VENTRICLE] > before[Tissue.VENTRICLE]
        assert after[Tissue.CEREBROSPINAL_FLUID] > before[Tissue.CEREBROSPINAL_FLUID]
        assert after[Tissue.GREY_MATTER] < before[Tissue.GREY_MATTER]
        # the skull stays as it is
        torch.testing.assert_close(after[:5], before[:5], rtol=1e-3, atol=0.5)
    assert float(ages[-1][Tissue.VENTRICLE] / ages[0][Tissue.VENTRICLE]) > 1.7
    assert float(ages[-1][Tissue.GREY_MATTER] / ages[0][Tissue.GREY_MATTER]) < 0.95


def thickness_mm(person: Patient) -> float:
    """Lower quartile of the first run of grey matter on lines through the lateral convexity.

    Lines that cross at an angle or run down a sulcus find more than the thickness.
    """
    found = []
    for height in (28.0, 34.0, 40.0):
        for y in range(-64, 40, 4):
            inwards = torch.arange(75.0, 30.0, -0.1)
            line = torch.stack(
                (inwards, torch.full_like(inwards, y), torch.full_like(inwards, height)), 1
            )
            patient_line = deformation(person).to_patient(line)
            step = float((patient_line[-1] - patient_line[0]).norm()) / len(line)
            shares = tissue_fractions(person, patient_line, edge_mm=0.1)
            grey = shares[Tissue.GREY_MATTER] > 0.5
            first = int(grey.float().argmax())
            found.append(step * int((~grey[first:]).float().argmax()))
    return float(torch.tensor(found).quantile(0.25))


def test_the_cortex_is_as_thick_as_atrophy_says_and_thins_with_age() -> None:
    young = replace(draw_patient(0, 1, lesions="none"), age_years=25.0, reserve=0.0)
    old = later(young, 60.0)
    for person in (young, old):
        assert thickness_mm(person) == pytest.approx(person.atrophy.cortical_thickness_mm, abs=0.25)
    assert thickness_mm(old) < thickness_mm(young) - 0.2


def test_lesions_lie_in_white_matter_and_add_up() -> None:
    ill = replace(draw_patient(0, 0), lesion_volume_ml=12.0)
    well = replace(ill, lesion_volume_ml=0.0)
    before = tissue_fractions(well, HEAD, edge_mm=SPACING_MM)
    after = tissue_fractions(ill, HEAD, edge_mm=SPACING_MM)
    lesion = after[Tissue.WHITE_MATTER_LESION]
    assert bool((lesion <= before[Tissue.WHITE_MATTER] + 1e-5).all())
    torch.testing.assert_close(lesion + after[Tissue.WHITE_MATTER], before[Tissue.WHITE_MATTER])
    assert sum(one.volume_ml for one in draw_lesions(0, 0, 12.0)) == pytest.approx(12.0)
    # ellipsoids overlap and graze grey matter, so what is seen is somewhat less
    assert 5.0 < float(lesion.sum()) * SPACING_MM**3 / 1000 < 14.0


def test_lesions_stay_and_are_joined_by_others() -> None:
    few, many = draw_lesions(5, 2, 4.0), draw_lesions(5, 2, 9.0)
    assert many[: len(few) - 1] == few[:-1]
    assert len(many) > len(few)
    person = replace(draw_patient(5, 2), lesion_volume_ml=4.0, age_years=40.0)
    now = tissue_fractions(person, SLAB)[list(LESIONS)].sum()
    then = tissue_fractions(later(person, 8.0), SLAB)[list(LESIONS)].sum()
    assert then > now


def test_boundaries_are_as_soft_as_voxels() -> None:
    person = draw_patient(0, 2, lesions="none")
    sharp = tissue_fractions(person, SLAB, edge_mm=0.2)
    soft = tissue_fractions(person, SLAB, edge_mm=4.0)
    mixed = [(shares.max(0).values < 0.95).float().mean() for shares in (sharp, soft)]
    assert mixed[1] > 3 * mixed[0]
    # but hold the same tissue on the whole
    assert float(soft[Tissue.WHITE_MATTER].sum()) == pytest.approx(
        float(sharp[Tissue.WHITE_MATTER].sum()), rel=0.1
    )


def test_folds_are_personal() -> None:
    one, other = draw_patient(0, 1, lesions="none"), draw_patient(0, 2, lesions="none")
    standard = Grid.of((90, 90), (130.0, 130.0), 30.0).points().reshape(-1, 3)
    found = [
        tissue_fractions(who, deformation(who).to_patient(standard))[Tissue.GREY_MATTER] > 0.5
        for who in (replace(one, age_years=40.0), replace(other, age_years=40.0))
    ]
    overlap = (found[0] & found[1]).sum() / (found[0] | found[1]).sum()
    assert float(overlap) < 0.7


def test_time_runs_forwards() -> None:
    with pytest.raises(InputError, match="years of zero or more"):
        later(draw_patient(0, 0), -1.0)
