"""A digital patient: who, and what makes the body different from the standard head."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from vesalius.anatomy.atrophy import Atrophy, atrophy_at
from vesalius.anatomy.deformation import Deformation, smooth_velocity
from vesalius.anatomy.folding import BASIS
from vesalius.anatomy.tumour import Tumour
from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream, torch_stream

Sex = Literal["female", "male"]
LesionKind = Literal["none", "white_matter", "tumour", "mixed"]

#: Growth of the volume of white-matter lesions, as a share a year.
LESION_GROWTH_PER_YEAR = 0.04


@dataclass(frozen=True)
class Patient:
    """A digital patient.

    ``seed`` and ``index`` fix the body (size, folds, pose in the scanner); the other fields are
    what may change or be compared. ``reserve`` is how many standard deviations the brain lies above
    the mean of its age.
    """

    seed: int
    index: int
    age_years: float
    sex: Sex
    site: str
    reserve: float = 0.0
    lesion_volume_ml: float = 0.0
    tumour: Tumour | None = None

    @property
    def identifier(self) -> str:
        """``digital-0007``."""
        return f"digital-{self.index:04d}"

    @property
    def atrophy(self) -> Atrophy:
        """What age has taken."""
        return atrophy_at(self.age_years, reserve=self.reserve, sex=self.sex)


def draw_patient(
    seed: int,
    index: int,
    *,
    lesions: LesionKind = "white_matter",
    sites: tuple[str, ...] = ("A", "B", "C"),
) -> Patient:
    """Patient ``index`` of ``seed``, the same whatever other patients are drawn.

    Ages are uniform in 20-90 years. ``"white_matter"`` gives nine in ten patients a log-normal
    volume of lesions (median 5 ml), ``"tumour"`` everyone a tumour, and ``"mixed"`` a third
    nothing, a third lesions and a third a tumour.
    """
    if index < 0:
        raise InputError("an index of zero or more", came=str(index))
    if not sites:
        raise InputError("at least one site", came="none")
    rng = numpy_stream(seed, "digital", index, "person")
    age, male, site = rng.uniform(20, 90), rng.random() < 0.5, int(rng.integers(2**31))
    reserve, kind = rng.normal(0, 0.7), rng.random()
    volume = min(float(rng.lognormal(1.6, 0.8)), 40.0)
    spared = rng.random() < 0.1
    angle, height = rng.uniform(0, 1), rng.uniform(18, 42)
    side = -1.0 if rng.random() < 0.5 else 1.0
    tumour = Tumour(
        seed_mm=(side * float(rng.uniform(26, 34)), -62.0 + 96.0 * float(angle), float(height)),
        age_days=float(rng.uniform(180, 420)),
        diffusion_white_mm2=float(rng.uniform(0.06, 0.16)),
        diffusion_grey_mm2=float(rng.uniform(0.012, 0.032)),
        proliferation=float(rng.uniform(0.014, 0.026)),
    )
    if lesions == "mixed":
        lesions = ("none", "white_matter", "tumour")[int(3 * kind)]
    return Patient(
        seed=seed,
        index=index,
        age_years=round(float(age), 1),
        sex="male" if male else "female",
        site=sites[site % len(sites)],
        reserve=float(reserve),
        lesion_volume_ml=volume if lesions == "white_matter" and not spared else 0.0,
        tumour=tumour if lesions == "tumour" else None,
    )


def later(patient: Patient, years: float) -> Patient:
    """Age the person by ``years``: atrophy goes on, lesions grow and are joined by others."""
    if years < 0:
        raise InputError("years of zero or more", came=str(years))
    grown = patient.lesion_volume_ml * (1 + LESION_GROWTH_PER_YEAR) ** years
    aged = replace(patient, age_years=patient.age_years + years, lesion_volume_ml=grown)
    return grow(aged, years * 365.25) if patient.tumour else aged


def grow(patient: Patient, days: float) -> Patient:
    """Let the person's tumour grow for ``days``, untreated."""
    if patient.tumour is None:
        raise InputError(
            "a patient with a tumour",
            case=patient.identifier,
            came="none",
            remedy='draw the patient with lesions="tumour"',
        )
    if days < 0:
        raise InputError("days of zero or more", came=str(days))
    return replace(patient, tumour=replace(patient.tumour, age_days=patient.tumour.age_days + days))


@lru_cache(maxsize=64)
def _deformation(seed: int, index: int, sex: Sex) -> Deformation:
    rng = numpy_stream(seed, "digital", index, "body")
    size = 0.94 * (1.02 if sex == "male" else 0.97) * (1 + rng.normal(0, 0.02))
    aspect = rng.normal(0, 0.02, 3)
    turn, shift = rng.normal(0, 1.5, 3), rng.normal(0, 2.5, 3)
    return Deformation(
        velocity=smooth_velocity(2.4, 32.0, torch_stream(seed, "digital", index, "shape")),
        scale=(
            float(size * (1 + aspect[0])),
            float(size * (1 + aspect[1])),
            float(size * (1 + aspect[2])),
        ),
        turn_degrees=(float(turn[0]), float(turn[1]), float(turn[2])),
        shift_mm=(float(shift[0]), float(shift[1]), float(shift[2])),
    )


def deformation(patient: Patient) -> Deformation:
    """Between the patient and the standard head; does not change with age or disease."""
    return _deformation(patient.seed, patient.index, patient.sex)


def folding(patient: Patient) -> Tensor:
    """Return the unit vector ``(BASIS,)`` that mixes the patient's folds."""
    drawn = torch.randn(
        BASIS, generator=torch_stream(patient.seed, "digital", patient.index, "folds")
    )
    unit: Tensor = drawn / drawn.norm()
    return unit
