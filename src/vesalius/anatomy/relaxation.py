"""Relaxation times and proton densities of tissues at 1.5 and 3 tesla.

1.5 T: the tissues of the simulated brain database (Kwan, Evans and Pike, IEEE TMI 1999). 3 T: brain
after Wansapura et al., JMRI 1999 (T1) and Stanisz et al., MRM 2005 (T2); fat and muscle after
de Bazelaire et al., Radiology 2004. Fluid, deep nuclei and lesions are typical values between those
that the literature gives: they are for contrast that is right in order and size, not for
quantitative mapping.
"""

from __future__ import annotations

from dataclasses import dataclass

from vesalius.anatomy.tissue import Tissue
from vesalius.core.errors import InputError


@dataclass(frozen=True)
class Relaxation:
    """T1 and T2 in ms, and proton density relative to water."""

    t1_ms: float
    t2_ms: float
    proton_density: float


_T = Tissue
_AT_1_5_T: dict[Tissue, Relaxation] = {
    _T.AIR: Relaxation(1000, 10, 0.0),
    _T.SOFT_TISSUE: Relaxation(900, 47, 0.85),
    _T.FAT: Relaxation(350, 70, 0.80),
    _T.CORTICAL_BONE: Relaxation(800, 4, 0.10),
    _T.MARROW: Relaxation(400, 60, 0.55),
    _T.CEREBROSPINAL_FLUID: Relaxation(4000, 1000, 1.0),
    _T.VENTRICLE: Relaxation(4000, 1000, 1.0),
    _T.GREY_MATTER: Relaxation(900, 95, 0.86),
    _T.WHITE_MATTER: Relaxation(560, 72, 0.75),
    _T.CAUDATE: Relaxation(830, 88, 0.85),
    _T.PUTAMEN: Relaxation(790, 84, 0.85),
    _T.PALLIDUM: Relaxation(660, 66, 0.80),
    _T.THALAMUS: Relaxation(720, 82, 0.82),
    _T.VITREOUS: Relaxation(3800, 900, 0.98),
    _T.WHITE_MATTER_LESION: Relaxation(1050, 150, 0.90),
    _T.OEDEMA: Relaxation(1100, 160, 0.90),
    _T.TUMOUR: Relaxation(1000, 125, 0.88),
    _T.NECROSIS: Relaxation(2200, 350, 0.96),
}
_AT_3_T: dict[Tissue, Relaxation] = {
    _T.AIR: Relaxation(1000, 10, 0.0),
    _T.SOFT_TISSUE: Relaxation(1150, 40, 0.85),
    _T.FAT: Relaxation(382, 68, 0.80),
    _T.CORTICAL_BONE: Relaxation(900, 3, 0.10),
    _T.MARROW: Relaxation(480, 50, 0.55),
    _T.CEREBROSPINAL_FLUID: Relaxation(4200, 950, 1.0),
    _T.VENTRICLE: Relaxation(4200, 950, 1.0),
    _T.GREY_MATTER: Relaxation(1331, 95, 0.86),
    _T.WHITE_MATTER: Relaxation(832, 69, 0.75),
    _T.CAUDATE: Relaxation(1250, 84, 0.85),
    _T.PUTAMEN: Relaxation(1170, 78, 0.85),
    _T.PALLIDUM: Relaxation(960, 58, 0.80),
    _T.THALAMUS: Relaxation(1080, 78, 0.82),
    _T.VITREOUS: Relaxation(4000, 850, 0.98),
    _T.WHITE_MATTER_LESION: Relaxation(1450, 140, 0.90),
    _T.OEDEMA: Relaxation(1500, 150, 0.90),
    _T.TUMOUR: Relaxation(1400, 115, 0.88),
    _T.NECROSIS: Relaxation(2600, 330, 0.96),
}


def relaxation_table(field_tesla: float) -> dict[Tissue, Relaxation]:
    """Relaxation of every tissue at 1.5 or 3 tesla; other fields raise InputError."""
    if field_tesla == 1.5:
        return _AT_1_5_T
    if field_tesla == 3.0:
        return _AT_3_T
    raise InputError("a field of 1.5 or 3 tesla", came=f"{field_tesla}")
