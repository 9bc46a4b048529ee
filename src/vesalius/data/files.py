"""What can be said about a path before it is opened."""

from __future__ import annotations

from pathlib import Path

from vesalius.core.errors import InputError


def require_file(path: Path) -> Path:
    """``path``, or an InputError if it is missing, not a file, or empty."""
    path = Path(path)
    if path.is_dir():
        raise InputError("a file", came="a folder", case=path, remedy="name a file in it")
    if not path.is_file():
        raise InputError("a file", came="nothing there", case=path, remedy="check the path")
    if path.stat().st_size == 0:
        raise InputError(
            "a file with content",
            came="an empty file",
            case=path,
            remedy="copy or download it again",
        )
    return path


def broken(kind: str, path: Path | str, error: BaseException) -> InputError:
    """The sentence for a file that is truncated, corrupt or of another kind than its name says."""
    said = " ".join(str(error).split())[:120].rstrip(".") or type(error).__name__
    return InputError(
        f"a readable {kind} file",
        came=f"a truncated or corrupt one ({said})",
        case=path,
        remedy="copy or download it again",
    )
