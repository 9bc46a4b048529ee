"""CT series of a patient who never was, written without the code under test."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

SECRETS = ("Vermeer", "Griet", "HOSP-4711", "19320101", "St. Luke")


def make_slice(volume: Any, index: int, affine_lps: Any, **changed: Any) -> Dataset:
    """One CT slice of a volume (row, column, slice), stored unsigned in 12 bits with HU = x - 1024.

    ``affine_lps`` maps (row, column, slice) to LPS mm, written element by element as the standard's
    equation C.7.6.2.1-1 asks, independently of the code under test.
    """
    spacing = np.linalg.norm(affine_lps[:3, :3], axis=0)
    dataset = Dataset()
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.PatientName, dataset.PatientID = "Vermeer^Griët", "HOSP-4711"
    dataset.PatientBirthDate, dataset.PatientSex, dataset.PatientAge = "19320101", "F", "042Y"
    dataset.InstitutionName = "St. Luke"
    dataset.StudyInstanceUID = changed.pop("study", "2.25.111")
    dataset.SeriesInstanceUID = changed.pop("series", "2.25.222")
    dataset.FrameOfReferenceUID = "2.25.333"
    dataset.StudyDate, dataset.StudyTime = "20200102", "101112"
    dataset.AccessionNumber, dataset.StudyID = "A1", "S1"
    dataset.ReferringPhysicianName = ""
    dataset.SOPClassUID, dataset.Modality = CTImageStorage, "CT"
    dataset.SOPInstanceUID = generate_uid(prefix=None)
    dataset.SeriesNumber, dataset.InstanceNumber = 7, 100 - index
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.KVP, dataset.PatientPosition = "120", "HFS"
    columns, rows = affine_lps[:3, 1] / spacing[1], affine_lps[:3, 0] / spacing[0]
    dataset.ImageOrientationPatient = [f"{v:.10f}" for v in (*columns, *rows)]
    position = affine_lps[:3, 3] + index * affine_lps[:3, 2]
    dataset.ImagePositionPatient = [f"{v:.8f}" for v in position]
    dataset.PixelSpacing = [f"{spacing[0]:.8f}", f"{spacing[1]:.8f}"]
    dataset.SliceThickness = f"{spacing[2]:.6f}"
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleSlope, dataset.RescaleIntercept, dataset.RescaleType = "1", "-1024", "HU"
    dataset.WindowCenter, dataset.WindowWidth = "40", "400"
    plane = np.asarray(volume)[..., index]
    dataset.Rows, dataset.Columns = plane.shape
    dataset.PixelData = (plane + 1024).astype("<u2").tobytes()
    for keyword, value in changed.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    if dataset.Modality == "MR":
        dataset.SOPClassUID = MRImageStorage
    return dataset


def save(dataset: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dcmwrite(path, dataset, enforce_file_format=True)
    return path


def oblique_affine_lps() -> Any:
    """Rows 0.8 mm, columns 0.6 mm and slices 2.5 mm apart, tilted about two axes, right-handed."""
    a, b = 0.3, -0.2
    tilt = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    turn = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    axes = tilt @ turn
    affine = np.eye(4)
    affine[:3, 0] = axes[:, 1] * 0.8  # rows run to the back
    affine[:3, 1] = axes[:, 0] * 0.6  # columns run to the left
    affine[:3, 2] = axes[:, 2] * 2.5
    affine[:3, 3] = [-30.0, -50.0, 120.0]
    return affine
