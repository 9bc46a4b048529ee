"""NIfTI-1 files: one volume or slice, in the file's own axis order."""

from __future__ import annotations

import gzip
import json
import zlib
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.checks import require_channels
from vesalius.data.files import broken, require_file
from vesalius.data.formats.format import Format
from vesalius.data.modality import unit_of
from vesalius.data.stored import to_stored, to_tensor

LABEL_INTENT = 1002
"""NIFTI_INTENT_LABEL: the values are indices of labels."""

DESCRIPTION_LENGTH = 79

STORABLE = (
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
)


class Nifti(Format):
    """``.nii`` and ``.nii.gz``.

    Axes are never reordered: the affine says which way they run, so a file written back has the
    geometry that it came with. Unit and modality travel in the header's description, labels in its
    intent. A file with a scale factor is returned scaled, as ``stored="float32"``.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".nii", ".nii.gz")

    def read(self, path: Path) -> Image:
        """See :class:`Format`; raises InputError for 4D files, colour and broken files."""
        from nibabel import load
        from nibabel.filebasedimages import ImageFileError
        from nibabel.spatialimages import HeaderDataError

        require_file(path)
        try:
            file = load(path, mmap=False)
            header = file.header
            shape = tuple(int(size) for size in file.shape)
            while len(shape) > 3 and shape[-1] == 1:
                shape = shape[:-1]
            stored = np.dtype(header.get_data_dtype())
            slope, intercept = (float(v) for v in (file.dataobj.slope, file.dataobj.inter))
            scaled = (slope, intercept) != (1.0, 0.0)
            if len(shape) in (2, 3) and stored.kind in "iufc":
                array = np.asarray(file.dataobj if scaled else file.dataobj.get_unscaled())
            affine = np.asarray(file.affine, dtype=np.float64)
        except (
            OSError,
            EOFError,
            zlib.error,
            ValueError,
            ImageFileError,
            HeaderDataError,
            AttributeError,
        ) as error:
            raise broken("NIfTI", path, error) from error
        if len(shape) not in (2, 3):
            raise InputError(
                "a 3D volume or a 2D slice",
                came=f"{len(shape)}D of shape {shape}",
                case=path,
                remedy="pass one volume",
            )
        if stored.kind not in "iufc":
            raise InputError("one number a voxel", came=f"type {stored}", case=path)
        if not np.isfinite(affine).all() or abs(np.linalg.det(affine[:3, :3])) < 1e-12:
            raise InputError(
                "an affine that can be inverted", came=f"{affine[:3].tolist()}", case=path
            )
        unit, modality = _described(header)
        data = to_tensor(
            array.reshape(1, *shape), label=unit == "label" and stored.kind != "c", case=path
        )
        name = "float32" if scaled else stored.newbyteorder("=").name
        return Image(data, affine, unit=unit, modality=modality, stored=name)

    def encode(self, image: Image, path: Path) -> bytes:
        """See :class:`Format`; one channel, values in ``image.stored``."""
        from nibabel.nifti1 import Nifti1Image

        require_channels(image, 1, str(path))
        if image.stored not in STORABLE:
            raise InputError(
                f"a type among {', '.join(STORABLE)}",
                came=image.stored,
                case=path,
                remedy="change the image's 'stored'",
            )
        array = to_stored(image.data[0], image.stored, path)
        file = Nifti1Image(array, image.affine, dtype=array.dtype)
        file.header.set_xyzt_units("mm")
        file.set_sform(image.affine, code=1)
        if _is_orthogonal(image.affine):
            file.set_qform(image.affine, code=1)
        words = json.dumps({"unit": image.unit, "modality": image.modality})
        if len(words) > DESCRIPTION_LENGTH:
            raise InputError(
                f"unit and modality short enough for {DESCRIPTION_LENGTH} bytes",
                came=words,
                case=path,
            )
        file.header["descrip"] = words.encode()
        if image.unit == "label":
            file.header.set_intent(LABEL_INTENT, allow_unknown=True)
        content = bytes(file.to_bytes())
        if path.name.lower().endswith(".gz"):
            content = gzip.compress(content, compresslevel=6, mtime=0)
        return content


def _described(header: Any) -> tuple[str, str]:
    """Unit and modality that :meth:`Nifti.encode` left in a header, else what the intent says."""
    text = bytes(header["descrip"]).rstrip(b"\0").decode(errors="replace")
    try:
        said = json.loads(text)
        return str(said["unit"]), str(said["modality"])
    except (ValueError, KeyError, TypeError):
        modality = "mask" if int(header["intent_code"]) == LABEL_INTENT else "unknown"
        return unit_of(modality), modality


def _is_orthogonal(affine: NDArray[np.float64]) -> bool:
    """Whether the axes stand at right angles, so that a quaternion can hold their directions."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return bool(np.allclose(axes.T @ axes, np.eye(3), atol=1e-5))
