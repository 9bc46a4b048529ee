"""What the name of a channel says about its values."""

from __future__ import annotations

_MODALITIES = {
    "MR-T1w": ("t1", "t1w", "t1n"),
    "MR-T1w-contrast": ("t1post", "t1ce", "t1c", "t1gd"),
    "MR-T2w": ("t2", "t2w"),
    "MR-FLAIR": ("flair", "t2f"),
    "MR-PDw": ("pd", "pdw"),
    "MR": ("mr", "mri", "bold", "dwi", "adc", "swi"),
    "CT": ("ct", "cta"),
    "CBCT": ("cbct",),
    "PET": ("pet", "suv"),
    "DX": ("xray", "cxr", "dx"),
    "US": ("us", "ultrasound"),
    "mask": (
        "mask",
        "seg",
        "dseg",
        "label",
        "labels",
        "lesion",
        "lesions",
        "roi",
        "gt",
        "segmentation",
    ),
}
_BY_NAME = {name: modality for modality, names in _MODALITIES.items() for name in names}
_UNITS = {"CT": "HU", "mask": "label"}


def modality_of(channel: str) -> str:
    """The modality that a channel's name stands for, ``"unknown"`` if it stands for none.

    >>> modality_of("T1w"), modality_of("lesions"), modality_of("something")
    ('MR-T1w', 'mask', 'unknown')
    """
    return _BY_NAME.get(channel.lower(), "unknown")


def unit_of(modality: str) -> str:
    """The unit of a modality's files by convention: HU for CT, labels for masks, else a.u."""
    return _UNITS.get(modality, "a.u.")
