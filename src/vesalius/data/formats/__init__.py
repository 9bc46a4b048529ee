"""Image files, read and written alike: one small file a format and one line here."""

from __future__ import annotations

from pathlib import Path

from vesalius.core.errors import InputError
from vesalius.core.files import write_atomically
from vesalius.core.image import Image
from vesalius.data.checks import require_finite_values
from vesalius.data.formats.format import Format
from vesalius.data.formats.hdf5 import Hdf5
from vesalius.data.formats.nifti import Nifti
from vesalius.data.formats.npz import Npy, Npz
from vesalius.data.formats.png import Png

_ALL: tuple[Format, ...] = (Nifti(), Png(), Npz(), Npy(), Hdf5())

FORMATS: dict[str, Format] = {suffix: each for each in _ALL for suffix in each.suffixes}

__all__ = ["FORMATS", "Format", "format_of", "read_image", "write_image"]


def format_of(path: Path) -> Format:
    """The format that a file's suffix names; raises InputError for a suffix that is not known."""
    name = Path(path).name.lower()
    for suffix in sorted(FORMATS, key=len, reverse=True):
        if name.endswith(suffix):
            return FORMATS[suffix]
    raise InputError(
        f"a file that ends in {', '.join(sorted(FORMATS))}",
        came=f"'{''.join(Path(path).suffixes) or 'no suffix'}'",
        case=path,
    )


def read_image(path: Path | str) -> Image:
    """The image in a file, axes in the file's own order.

    Raises InputError, in one sentence that names the file, for anything missing, empty, truncated,
    corrupt, of too many axes, or holding NaN or infinity.
    """
    path = Path(path)
    image = format_of(path).read(path)
    require_finite_values(image.data, str(path))
    return image


def write_image(path: Path | str, image: Image) -> None:
    """Write ``image`` so that :func:`read_image` gives back its values, geometry, unit and type.

    The file appears whole or not at all. Values are rounded to whole numbers where
    ``image.stored`` is an integer type and clipped to its range; a UserWarning says how many were
    clipped. Raises InputError for NaN, infinity, and what the format cannot hold.
    """
    path = Path(path)
    write_atomically(path, format_of(path).encode(image, path))
