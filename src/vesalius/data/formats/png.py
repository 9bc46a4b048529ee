"""PNG files: 8- and 16-bit grey, 8-bit colour."""

from __future__ import annotations

import io
import json
import struct
import zlib
from pathlib import Path
from typing import ClassVar

import numpy as np

from vesalius.core.errors import InputError
from vesalius.core.image import Image
from vesalius.data.files import broken, require_file
from vesalius.data.formats.format import Format
from vesalius.data.stored import to_stored, to_tensor

_MODES = {
    "1": "uint8",
    "L": "uint8",
    "I;16": "uint16",
    "I;16B": "uint16",
    "I": "uint16",
    "RGB": "uint8",
}
_TEXT = "vesalius"


class Png(Format):
    """``.png``: data ``(1, row, column)``, or ``(3, row, column)`` for colour.

    Geometry, unit and modality travel in a text chunk that we write; without it the spacing is 1
    mm, as PNG's own pixel density speaks of screens and paper and is not believed.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".png",)

    def read(self, path: Path) -> Image:
        """See :class:`Format`; raises InputError for palettes, transparency and broken files."""
        import PIL.Image

        require_file(path)
        try:
            with PIL.Image.open(path, formats=["PNG"]) as file:
                mode = file.mode
                array = np.asarray(file) if mode in _MODES else None
                text = file.info.get(_TEXT)
        except (
            OSError,
            SyntaxError,
            ValueError,
            EOFError,
            zlib.error,
            struct.error,
            PIL.Image.DecompressionBombError,
        ) as error:
            raise broken("PNG", path, error) from error
        if array is None:
            raise InputError(
                "a grey or RGB image",
                came=f"PNG mode '{mode}'",
                case=path,
                remedy="convert it to grey without palette or transparency",
            )
        array = array.astype(_MODES[mode])
        array = np.moveaxis(array, -1, 0) if array.ndim == 3 else array[None]
        affine, unit, modality = np.eye(4), "a.u.", "unknown"
        if isinstance(text, str):
            try:
                said = json.loads(text)
                affine = np.array(said["affine"], dtype=np.float64)
                unit, modality = str(said["unit"]), str(said["modality"])
            except (ValueError, KeyError, TypeError) as error:
                raise broken("PNG", path, error) from error
        data = to_tensor(array, label=unit == "label", case=path)
        return Image(data, affine, unit=unit, modality=modality, stored=array.dtype.name)

    def encode(self, image: Image, path: Path) -> bytes:
        """See :class:`Format`; 2D images stored as uint8 or uint16, colour as uint8."""
        import PIL.Image
        import PIL.PngImagePlugin

        if len(image.space) != 2:
            raise InputError(
                "a 2D image",
                came=f"{len(image.space)}D",
                case=path,
                remedy="pass one slice or write NIfTI",
            )
        channels = int(image.data.shape[0])
        if channels not in (1, 3):
            raise InputError("1 or 3 channels", came=str(channels), case=path)
        storable = ("uint8", "uint16") if channels == 1 else ("uint8",)
        if image.stored not in storable:
            raise InputError(
                f"a type among {', '.join(storable)} for a PNG of {channels} channel"
                f"{'' if channels == 1 else 's'}",
                came=image.stored,
                case=path,
                remedy="change the image's 'stored' or write .npz",
            )
        array = to_stored(image.data, image.stored, path)
        pixels = array[0] if channels == 1 else np.moveaxis(array, 0, -1)
        said = PIL.PngImagePlugin.PngInfo()
        said.add_text(
            _TEXT,
            json.dumps(
                {
                    "affine": image.affine.tolist(),
                    "unit": image.unit,
                    "modality": image.modality,
                }
            ),
        )
        content = io.BytesIO()
        PIL.Image.fromarray(np.ascontiguousarray(pixels)).save(content, format="PNG", pnginfo=said)
        return content.getvalue()
