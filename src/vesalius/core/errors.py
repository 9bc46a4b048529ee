"""Errors that a user reads: one sentence that names the case, what was expected and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class InputError(ValueError):
    """Something that the user gave does not fit.

    Parameters
    ----------
    expected:
        What was expected, as a clause ("a 3D volume").
    came:
        What came instead.
    case:
        The file, case or argument at fault. Never a patient's name or identifier.
    remedy:
        What to do, as an imperative clause ("pass one slice").
    """

    def __init__(
        self,
        expected: str,
        *,
        came: object = None,
        case: object = None,
        remedy: str | None = None,
    ) -> None:
        self.expected, self.came, self.case, self.remedy = expected, came, case, remedy
        sentence = f"expected {expected}"
        if case is not None:
            sentence = f"{case}: {sentence}"
        if came is not None:
            sentence += f", got {came}"
        if remedy is not None:
            sentence += f"; {remedy}"
        super().__init__(sentence if sentence.endswith("?") else sentence + ".")


class UnknownName(InputError):
    """A name that is not in a list; suggests the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        remedy = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(known)}"
        self.known = known
        super().__init__(f"a known {kind}", came=f"'{name}'", remedy=remedy)


class MissingExtra(ImportError):
    """A dependency of an optional part is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"this part needs the package '{package}', which is not installed; "
            f"install it with: pip install 'vesalius[{extra}]'"
        )
