"""Data sets, one small file each and one line here.

Order matters to :func:`~vesalius.data.open.open_source`: the particular before the general.
"""

from vesalius.data.source import Source
from vesalius.data.sources.axial_slices import AxialSlices
from vesalius.data.sources.fastmri import FastMRI
from vesalius.data.sources.hippocampus import Hippocampus
from vesalius.data.sources.medmnist import MedMNIST
from vesalius.data.sources.nifti_folder import NiftiFolder
from vesalius.data.sources.openkbp import OpenKBP
from vesalius.data.sources.png_folder import PngFolder
from vesalius.data.sources.synthrad import SynthRADSlices

SOURCES: tuple[type[Source], ...] = (
    SynthRADSlices,
    Hippocampus,
    MedMNIST,
    OpenKBP,
    FastMRI,
    NiftiFolder,
    PngFolder,
)

__all__ = [
    "SOURCES",
    "AxialSlices",
    "FastMRI",
    "Hippocampus",
    "MedMNIST",
    "NiftiFolder",
    "OpenKBP",
    "PngFolder",
    "SynthRADSlices",
]
