"""Writing an image as a derived DICOM series, beside the series that it was made from.

Reference: DICOM PS3.3, C.7.6.1 (General Image: derivation), C.7.5.1 (equipment), A.3 (CT), A.4
(MR).
"""

from __future__ import annotations

import io
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from vesalius import __version__
from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically
from vesalius.core.image import Image
from vesalius.dicom.header import Header
from vesalius.dicom.pixels import encode, rescale

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DERIVATION = "Synthetic image: made by a generative model"
SERIES_NUMBER_OFFSET = 1000

_PATIENT_AND_STUDY = (
    "PatientName",
    "PatientID",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "PatientSize",
    "PatientWeight",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "StudyDescription",
    "AccessionNumber",
    "ReferringPhysicianName",
)
_PLACE = (
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
    "PatientPosition",
    "BodyPartExamined",
    "Laterality",
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionNumber",
)
_OF_MODALITY = {
    "CT": ("KVP",),
    "MR": (
        "ScanningSequence",
        "SequenceVariant",
        "ScanOptions",
        "MRAcquisitionType",
        "EchoTime",
        "RepetitionTime",
        "EchoTrainLength",
        "InversionTime",
        "FlipAngle",
        "MagneticFieldStrength",
        "SequenceName",
    ),
}
_PIXELS = (
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
)
_LOSSY = (
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)
_NEEDED_EMPTY = (  # type 2: present, perhaps without a value
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PositionReferenceIndicator",
)
_NEEDED_EMPTY_OF_MODALITY = {
    "CT": ("KVP", "AcquisitionNumber", "PatientPosition"),
    "MR": (
        "ScanOptions",
        "MRAcquisitionType",
        "EchoTime",
        "RepetitionTime",
        "EchoTrainLength",
        "PatientPosition",
    ),
}
_TEXT = frozenset(
    [
        "AE",
        "AS",
        "CS",
        "DA",
        "DS",
        "DT",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "ST",
        "TM",
        "UI",
        "UC",
        "UR",
        "UT",
    ]
)


def _copy(source: Dataset, target: Dataset, *keywords: str) -> None:
    """Copy elements, leaving out what is not valid: what is written is strict."""
    from pydicom import DataElement
    from pydicom.config import RAISE
    from pydicom.datadict import dictionary_VR, tag_for_keyword
    from pydicom.valuerep import validate_value

    for keyword in keywords:
        tag = tag_for_keyword(keyword)
        assert tag is not None, keyword
        if tag not in source:
            continue
        element = source.get_item(tag)
        representation = str(element.VR or dictionary_VR(tag))
        try:
            if isinstance(element.value, bytes) and representation in _TEXT:
                for part in element.value.split(b"\\"):
                    validate_value(representation, part.strip(b" \0"), RAISE)
            value = source[tag].value
            target.add(DataElement(tag, representation, value, validation_mode=RAISE))
        except ValueError:
            continue


def _decimal(value: float) -> str:
    """A number in the sixteen characters of a decimal string."""
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(float(value))


def _code(value: str, meaning: str) -> Dataset:
    from pydicom.dataset import Dataset

    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "DCM", meaning
    return code


def _say_derived(target: Dataset, source: Dataset, description: str) -> None:
    from pydicom.dataset import Dataset
    from pydicom.sequence import Sequence

    kind = "AXIAL" if target.Modality == "CT" else "OTHER"
    target.ImageType = ["DERIVED", "SECONDARY", kind]
    target.SeriesDescription = description
    target.DerivationDescription = DERIVATION
    target.ImageComments = DERIVATION
    target.BurnedInAnnotation = "NO"
    origin = Dataset()
    origin.ReferencedSOPClassUID = source.SOPClassUID
    origin.ReferencedSOPInstanceUID = source.SOPInstanceUID
    origin.PurposeOfReferenceCodeSequence = Sequence(
        [_code("121322", "Source image for image processing operation")]
    )
    target.SourceImageSequence = Sequence([origin])
    equipment = Dataset()
    equipment.PurposeOfReferenceCodeSequence = Sequence([_code("109102", "Processing Equipment")])
    for item in (target, equipment):
        item.Manufacturer = "Vesalius"
        item.ManufacturerModelName = "Vesalius"
        item.SoftwareVersions = __version__
    equipment.ContributionDescription = DERIVATION
    target.ContributingEquipmentSequence = Sequence([equipment])


def _set_pixel_module(target: Dataset, source: Dataset, modality: str, same: bool) -> None:
    """Bits, rescaling and window: the template's for its own modality, ours for CT from another."""
    target.SamplesPerPixel = 1
    target.Rows, target.Columns = int(source.Rows), int(source.Columns)
    if same:
        _copy(source, target, *_PIXELS, *_LOSSY)
        if "LossyImageCompression" not in target:
            target.LossyImageCompression = "00"
        return
    assert modality == "CT"
    target.LossyImageCompression = "00"
    target.PhotometricInterpretation = "MONOCHROME2"
    target.BitsAllocated = target.BitsStored = 16
    target.HighBit, target.PixelRepresentation = 15, 1
    target.RescaleSlope, target.RescaleIntercept, target.RescaleType = "1", "0", "HU"
    target.WindowCenter, target.WindowWidth = "40", "400"


def _require_fit(image: Image, template: Header) -> str:
    """The DICOM modality to write ``image`` as; InputError if it does not lie on the template."""
    if image.data.shape[0] != 1:
        raise InputError("1 channel", came=str(image.data.shape[0]), case="DICOM series to write")
    grid = Image(image.data.new_zeros((1, *template.space)), template.affine)
    grid.require_same_grid(image, "DICOM series to write")
    image.require_finite("DICOM series to write")
    if image.modality.startswith("CT") and template.modality != "CT":
        if image.unit != "HU":
            raise InputError("CT in HU", came=image.unit, case="DICOM series to write")
        return "CT"
    return template.modality


def write_series(
    folder: Path | str,
    image: Image,
    template: Header,
    description: str,
    *,
    series_number: int | None = None,
) -> tuple[Path, ...]:
    """Write ``image`` as a new series in the study of ``template``, one file a slice.

    Patient, study, frame of reference, geometry, bit depth and rescaling are the template's;
    series and instances get new identifiers, and every image says that it is derived, from which
    one, and by what. An image of modality CT on a template of another modality (a synthetic CT) is
    written as CT in HU. Values are rounded and clipped to the bits; a UserWarning says how many
    were clipped. Elements of the template that are not valid DICOM are left out.

    Parameters
    ----------
    folder:
        A folder without DICOM files; made if need be. Files are ``0001.dcm`` and so on.
    image:
        ``(1, row, column, slice)`` or ``(1, row, column)``, on the template's grid.
    description:
        The series description, up to 64 characters.
    series_number:
        The template's plus 1000 if None.

    Returns
    -------
    The files, in the order of the slices.
    """
    from pydicom.uid import generate_uid

    folder = Path(folder)
    if not 0 < len(description) <= 64 or "\\" in description or not description.isprintable():
        raise InputError(
            "a description of 1 to 64 printable characters without backslash",
            came=f"{len(description)} characters",
            case="SeriesDescription",
        )
    if folder.is_dir() and next(folder.glob("*.dcm"), None) is not None:
        raise InputError("a folder without DICOM files", came="one with some", case=folder)
    modality = _require_fit(image, template)
    number = series_number
    if number is None:
        number = (template.series_number or 0) + SERIES_NUMBER_OFFSET
    series_uid, frame_uid = generate_uid(prefix=None), generate_uid(prefix=None)
    now = datetime.now()
    volume = image.data[0].detach().cpu().double().numpy().reshape(*template.space[:2], -1)
    paths = []
    for index, source in enumerate(template.slices):
        target = _slice(source, template, modality, index)
        _say_derived(target, source, description)
        target.SeriesInstanceUID, target.SeriesNumber = series_uid, number
        if "FrameOfReferenceUID" not in target:
            target.FrameOfReferenceUID = frame_uid
        for what in ("InstanceCreation", "Series", "Content"):
            setattr(target, f"{what}Date", now.strftime("%Y%m%d"))
            setattr(target, f"{what}Time", now.strftime("%H%M%S"))
        case = f"DICOM series to write, slice {index + 1} of {len(template.slices)}"
        slope, intercept = rescale(target, case)
        target.PixelData = encode(volume[..., index], target, slope, intercept, case)
        target["PixelData"].VR = "OW" if int(target.BitsAllocated) > 8 else "OB"
        path = folder / f"{index + 1:04d}.dcm"
        write_atomically(path, _bytes(target))
        paths.append(path)
    return tuple(paths)


def _slice(source: Dataset, template: Header, modality: str, index: int) -> Dataset:
    """A new image in the place of ``source``, without values and without what makes it derived."""
    from pydicom.dataset import Dataset
    from pydicom.uid import CTImageStorage, generate_uid

    same = modality == template.modality
    target = Dataset()
    target.SpecificCharacterSet = "ISO_IR 192"
    target.SOPClassUID = source.SOPClassUID if same else CTImageStorage
    target.SOPInstanceUID = generate_uid(prefix=None)
    target.Modality = modality
    target.InstanceNumber = index + 1
    _copy(source, target, *_PATIENT_AND_STUDY, *_PLACE)
    for keyword in (*_NEEDED_EMPTY, *_NEEDED_EMPTY_OF_MODALITY.get(modality, ())):
        if keyword not in target:
            setattr(target, keyword, None)
    if same:
        _copy(source, target, *_OF_MODALITY.get(modality, ()))
    if modality == "MR":
        target.ScanningSequence = target.get("ScanningSequence") or "RM"
        target.SequenceVariant = target.get("SequenceVariant") or "NONE"
    _set_pixel_module(target, source, modality, same)
    _set_place(target, source, template, index)
    return target


def _set_place(target: Dataset, source: Dataset, template: Header, index: int) -> None:
    """Position, orientation and spacing, in decimal strings that are short enough."""
    for keyword in (
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PixelSpacing",
        "ImagerPixelSpacing",
        "SliceThickness",
        "SpacingBetweenSlices",
    ):
        value: Any = source.get(keyword)
        if value is None:
            continue
        many = not isinstance(value, float | int | str)
        setattr(target, keyword, [_decimal(v) for v in value] if many else _decimal(value))
    if "ImagePositionPatient" in target:
        normal = np.cross(*np.array(target.ImageOrientationPatient, dtype=float).reshape(2, 3))
        position = np.array(target.ImagePositionPatient, dtype=float)
        target.SliceLocation = _decimal(float(position @ normal))


def _bytes(dataset: Dataset) -> bytes:
    """The dataset as a file: explicit little endian, with its meta information."""
    from pydicom import dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    content = io.BytesIO()
    dcmwrite(content, dataset, enforce_file_format=True)
    return content.getvalue()
