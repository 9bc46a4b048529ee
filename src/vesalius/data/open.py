"""From a path to a source: which kind of data lies there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

from vesalius.core.errors import InputError, UnknownName
from vesalius.data.source import Source
from vesalius.data.sources import SOURCES


def all_sources() -> dict[str, type[Source]]:
    """The kinds of data that this room knows, by name, the particular before the general."""
    return {source.name: source for source in SOURCES}


def open_source(
    path: Path | str, kind: str | None = None, *, more: Iterable[type[Source]] = ()
) -> Source:
    """The source at ``path``, of the first kind that recognises it or of the kind that is named.

    ``more`` are kinds from elsewhere (DICOM, plug-ins), asked after ours. Nothing is read but
    names. Raises InputError for a missing path, an empty folder, a folder that no kind recognises.
    """
    path = Path(path)
    known = {**all_sources(), **{source.name: source for source in more}}
    if kind is not None and kind not in known:
        raise UnknownName("kind of data", kind, known)
    if not path.exists():
        raise InputError(
            "a file or a folder", came="nothing there", case=path, remedy="check the path"
        )
    if path.is_dir() and not any(path.iterdir()):
        raise InputError("a folder with data", came="an empty folder", case=path)
    candidates = [known[kind]] if kind is not None else list(known.values())
    for source in candidates:
        if source.recognises(path):
            return cast(Callable[[Path], Source], source)(path)
    raise InputError(
        f"data of kind {' or '.join(source.name for source in candidates)}",
        case=path,
        came="none that is recognised",
        remedy="see each kind's documentation for its file names",
    )
