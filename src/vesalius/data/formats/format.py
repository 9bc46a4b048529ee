"""What a file format is: suffixes, a reader that tolerates and a writer that does not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from vesalius.core.image import Image


class Format(ABC):
    """A file format that holds one image."""

    suffixes: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path) -> Image:
        """The image in the file, axes in the file's own order, with its affine and stored type."""

    @abstractmethod
    def encode(self, image: Image, path: Path) -> bytes:
        """The bytes of a file that :meth:`read` reads back alike; ``path`` is for errors only."""
