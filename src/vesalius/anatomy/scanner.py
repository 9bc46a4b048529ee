"""The scanners of the sites: field, sequences, noise and shading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from vesalius.anatomy.relaxation import relaxation_table
from vesalius.anatomy.sequence import (
    InversionRecovery,
    Sequence,
    SpinEcho,
    SpoiledGradientEcho,
    nulling_inversion_ms,
)
from vesalius.anatomy.tissue import Tissue
from vesalius.core.errors import UnknownName

#: The tissue whose signal is 1.0 in each MR contrast, on every scanner.
REFERENCE = {
    "t1": Tissue.WHITE_MATTER,
    "t2": Tissue.CEREBROSPINAL_FLUID,
    "flair": Tissue.GREY_MATTER,
    "pd": Tissue.GREY_MATTER,
}


@dataclass(frozen=True)
class Scanner:
    """What differs between sites.

    ``mr_noise`` is the standard deviation in each of the two channels, in units of the reference
    tissue; ``shading`` the rms of the logarithm of the coil's sensitivity; ``ct_noise_hu`` and
    ``ct_blur_mm`` (full width at half maximum) those of the kernel; ``pet_blur_mm`` likewise, and
    ``pet_noise`` the standard deviation at an SUV of one, which grows as the root of the SUV.
    """

    name: str
    field_tesla: float
    sequences: dict[str, Sequence]
    mr_noise: float
    shading: float
    ct_noise_hu: float
    ct_blur_mm: float
    pet_blur_mm: float
    pet_noise: float


def _flair(field_tesla: float, repetition_ms: float, echo_ms: float) -> InversionRecovery:
    fluid = relaxation_table(field_tesla)[Tissue.CEREBROSPINAL_FLUID]
    inversion_ms = nulling_inversion_ms(fluid.t1_ms, repetition_ms)
    return InversionRecovery(repetition_ms, inversion_ms, echo_ms)


@cache
def scanners() -> dict[str, Scanner]:
    """List the scanners by site: A (3 T), B (1.5 T) and C (3 T, gradient-echo T1w)."""
    return {
        "A": Scanner(
            name="A",
            field_tesla=3.0,
            sequences={
                "t1": InversionRecovery(2000, 900, 4),
                "t2": SpinEcho(5000, 95),
                "flair": _flair(3.0, 9000, 110),
                "pd": SpinEcho(2500, 15),
            },
            mr_noise=0.018,
            shading=0.07,
            ct_noise_hu=5.0,
            ct_blur_mm=1.0,
            pet_blur_mm=5.0,
            pet_noise=0.22,
        ),
        "B": Scanner(
            name="B",
            field_tesla=1.5,
            sequences={
                "t1": InversionRecovery(1700, 650, 5),
                "t2": SpinEcho(4500, 100),
                "flair": _flair(1.5, 8500, 115),
                "pd": SpinEcho(2200, 18),
            },
            mr_noise=0.032,
            shading=0.035,
            ct_noise_hu=8.0,
            ct_blur_mm=1.6,
            pet_blur_mm=6.5,
            pet_noise=0.30,
        ),
        "C": Scanner(
            name="C",
            field_tesla=3.0,
            sequences={
                "t1": SpoiledGradientEcho(22, 4, 32),
                "t2": SpinEcho(4000, 85),
                "flair": _flair(3.0, 10000, 120),
                "pd": SpinEcho(2800, 12),
            },
            mr_noise=0.022,
            shading=0.10,
            ct_noise_hu=4.0,
            ct_blur_mm=1.3,
            pet_blur_mm=5.5,
            pet_noise=0.18,
        ),
    }


def scanner_of(site: str) -> Scanner:
    """Return the scanner of ``site``; unknown sites raise UnknownName."""
    known = scanners()
    if site not in known:
        raise UnknownName("site", site, known)
    return known[site]
