"""DICOM in, DICOM out."""

from vesalius.dicom.folder import DicomFolder
from vesalius.dicom.header import Header
from vesalius.dicom.read import read_series
from vesalius.dicom.write import write_series

__all__ = ["DicomFolder", "Header", "read_series", "write_series"]
