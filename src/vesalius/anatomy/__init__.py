"""Digital patients whose truth is known: tissue, lesions, ageing, growth, and images by physics."""

from vesalius.anatomy.digital_patients import DigitalPatients
from vesalius.anatomy.grid import Grid
from vesalius.anatomy.imaging import photograph
from vesalius.anatomy.known_kinds import KINDS, KnownKinds, read_kinds, shares
from vesalius.anatomy.patient import Patient, deformation, draw_patient, grow, later
from vesalius.anatomy.tissue import BRAIN, DEEP_NUCLEI, LESIONS, Tissue
from vesalius.anatomy.truth import tissue_fractions, tumour_density
from vesalius.anatomy.tumour import Tumour

__all__ = [
    "BRAIN",
    "DEEP_NUCLEI",
    "KINDS",
    "LESIONS",
    "DigitalPatients",
    "Grid",
    "KnownKinds",
    "Patient",
    "Tissue",
    "Tumour",
    "deformation",
    "draw_patient",
    "grow",
    "later",
    "photograph",
    "read_kinds",
    "shares",
    "tissue_fractions",
    "tumour_density",
]
