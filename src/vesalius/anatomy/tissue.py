"""The tissues of the digital head, by the integer that labels them."""

from __future__ import annotations

from enum import IntEnum


class Tissue(IntEnum):
    """Integer label of a tissue; also its position along the last axis of tissue fractions."""

    AIR = 0
    SOFT_TISSUE = 1
    FAT = 2
    CORTICAL_BONE = 3
    MARROW = 4
    CEREBROSPINAL_FLUID = 5
    VENTRICLE = 6
    GREY_MATTER = 7
    WHITE_MATTER = 8
    CAUDATE = 9
    PUTAMEN = 10
    PALLIDUM = 11
    THALAMUS = 12
    VITREOUS = 13
    WHITE_MATTER_LESION = 14
    OEDEMA = 15
    TUMOUR = 16
    NECROSIS = 17


DEEP_NUCLEI = (Tissue.CAUDATE, Tissue.PUTAMEN, Tissue.PALLIDUM, Tissue.THALAMUS)
LESIONS = (Tissue.WHITE_MATTER_LESION, Tissue.OEDEMA, Tissue.TUMOUR, Tissue.NECROSIS)
BRAIN = (Tissue.GREY_MATTER, Tissue.WHITE_MATTER, *DEEP_NUCLEI, *LESIONS)
