"""What a user sees when something fails: one sentence, and an exit code for scripts."""

from __future__ import annotations

import os
import sys
import traceback
import warnings
from typing import TextIO

OK, UNEXPECTED, USER_ERROR, MISSING_EXTRA, INTERRUPTED = 0, 1, 2, 3, 130

EPILOGUE = (
    "Exit codes: 0 done; 1 an error of ours (please report it); 2 something given does not fit; "
    "3 an optional part is not installed; 130 interrupted, resume with 'vesalius resume'. "
    "VESALIUS_DEBUG=1 or --debug shows where an error came from."
)


def report_to() -> str:
    """Where errors are reported: the package's own address for issues, if it has one."""
    from importlib.metadata import metadata

    for entry in metadata("vesalius").get_all("Project-URL") or ():
        label, _, address = entry.partition(", ")
        if label.lower() == "issues":
            return f" at {address}"
    return " to its authors"


def exit_code(error: BaseException) -> int:
    """Exit code of an error: whose fault it is."""
    from vesalius.core.errors import MissingExtra

    if isinstance(error, MissingExtra):
        return MISSING_EXTRA
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    if isinstance(error, ValueError | OSError):
        return USER_ERROR
    return UNEXPECTED


def sentence(error: BaseException) -> str:
    """What happened, in one sentence."""
    code = exit_code(error)
    if code == UNEXPECTED:
        said = " ".join(str(error).split())
        what = type(error).__name__ + (f": {said}" if said else "")
        return (
            f"something went wrong that should not have: {what} "
            f"(please run it again with --debug and report it{report_to()})"
        )
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or type(error).__name__}"
    return " ".join(str(error).split())


def failed(error: BaseException, *, debug: bool) -> int:
    """Print the sentence on standard error (with ``debug``, the traceback too); the exit code."""
    if debug or os.environ.get("VESALIUS_DEBUG", "") not in ("", "0"):
        traceback.print_exception(error)
    print(f"vesalius: {sentence(error)}", file=sys.stderr)  # noqa: T201 (the shell's own voice)
    return exit_code(error)


def show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Print a warning as one line, without the source line that it came from."""
    del category, filename, lineno, line
    text = " ".join(str(message).split())
    print(f"warning: {text}", file=file or sys.stderr)


def plain_warnings() -> None:
    """Let warnings be printed by :func:`show_warning`."""
    warnings.showwarning = show_warning
