"""A table of the user's that says who is who: site, scanner, sex, age, lesion size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vesalius.core.errors import InputError
from vesalius.data.tables import covariates, read_table
from vesalius.evaluation.subgroup_findings import Column
from vesalius.evaluation.subgroups import banded, bands, thirds
from vesalius.runner.compared_values import Shared
from vesalius.runner.judged_folder import JudgedFolder

#: Numbers of more different values than this are put into bands.
MOST_VALUES = 5
#: Groups of a column.
MOST_GROUPS = 24

Entry = str | float | None


@dataclass(frozen=True)
class Covariates:
    """Columns by name, each a mapping from a case's or a patient's name to its entry."""

    key: Literal["case", "patient"]
    columns: Mapping[str, Mapping[str, Entry]]

    def of(
        self,
        cases: Sequence[str],
        patients: Sequence[str],
        edges: Mapping[str, Sequence[float]],
    ) -> tuple[Column, ...]:
        """The columns for these cases, numbers in bands; InputError if it knows none of them."""
        unknown = set(edges) - set(self.columns)
        if unknown:
            raise InputError(
                f"bands of a column among {', '.join(self.columns)}", came=sorted(unknown)[0]
            )
        names = cases if self.key == "case" else patients
        return tuple(
            _column(name, [found.get(one) for one in names], edges.get(name))
            for name, found in self.columns.items()
        )


def read_covariates(path: str | Path) -> Covariates:
    """Read a CSV or TSV file with a column ``case`` or ``patient`` and one for each covariate.

    Numbers are numbers, empty cells are unknown. Raises InputError for a file without such columns
    and where a name stands twice with different entries.
    """
    path = Path(path)
    rows = read_table(path)
    key: Literal["case", "patient"] = "case" if "case" in rows[0] else "patient"
    names = [name for name in rows[0] if name not in ("case", "patient")]
    if key not in rows[0] or not names or "" in names:
        raise InputError(
            "a column 'case' or 'patient', and named ones to part by",
            came=", ".join(rows[0]),
            case=path,
        )
    columns: dict[str, dict[str, Entry]] = {name: {} for name in names}
    for row in rows:
        entries = covariates(row, ("case", "patient"))
        for name in names:
            entry = entries.get(name)
            if columns[name].setdefault(row[key], entry) != entry:
                raise InputError(
                    f"one '{name}' for each {key}",
                    came="two",
                    case=path,
                    remedy="add a column 'case' if cases of a patient differ",
                )
    return Covariates(key, columns)


def columns_of(
    entries: Mapping[str, Sequence[Entry]],
) -> tuple[Column, ...]:
    """Columns of entries that part cases: of two groups or more, and not of free text."""
    made = [
        _column(name, list(found), None)
        for name, found in entries.items()
        if len({str(entry) for entry in found if entry is not None}) <= MOST_GROUPS
        or all(isinstance(entry, float) for entry in found if entry is not None)
    ]
    return tuple(one for one in made if len({label for label in one.labels if label}) > 1)


def _column(name: str, entries: list[Entry], edges: Sequence[float] | None) -> Column:
    known = [entry for entry in entries if entry is not None]
    numbers = [entry for entry in known if isinstance(entry, float)]
    if edges is not None and len(numbers) < len(known):
        raise InputError(f"numbers in '{name}', to be put into bands", came="words")
    if known and len(numbers) == len(known) and (edges or len(set(numbers)) > MOST_VALUES):
        edges = thirds(numbers) if edges is None else tuple(edges)
        found = [entry if isinstance(entry, float) else None for entry in entries]
        return Column(name, tuple(banded(found, edges)), bands(edges))
    labels = tuple(
        None if entry is None else f"{entry:g}" if isinstance(entry, float) else entry
        for entry in entries
    )
    if len(set(labels)) > MOST_GROUPS:
        raise InputError(
            f"at most {MOST_GROUPS} groups in '{name}'",
            came=len(set(labels)),
            remedy="give numbers, which are put into bands, or join groups",
        )
    order = [f"{number:g}" for number in sorted(set(numbers))] if len(numbers) == len(known) else []
    return Column(name, labels, tuple(order))


def subgroup_columns(
    named: Mapping[str, JudgedFolder],
    shared: Mapping[str, Shared],
    path: str | Path | None,
    bands: Mapping[str, Sequence[float]],
) -> tuple[dict[str, tuple[Column, ...]], list[str]]:
    """What parts the cases of each group: the user's table, or what the data tell of them."""
    if path is not None:
        table = read_covariates(path)
        columns = {
            group: table.of(cases.cases, cases.patients, bands) for group, cases in shared.items()
        }
        if not any(label for found in columns.values() for one in found for label in one.labels):
            raise InputError(
                f"the names of {table.key}s that were judged", came="none of them", case=path
            )
        missing = sum(
            sum(label is None for label in one.labels)
            for found in columns.values()
            for one in found
        )
        note = f"{missing} cells of the table of subgroups are missing or empty."
        return columns, [note] if missing else []
    if bands:
        raise InputError("a table of subgroups for bands", came="none", remedy="add --subgroups")
    first = next(iter(named.values()))
    if first.run is None:
        return {}, []
    try:
        by_name = first.by_name
    except InputError:  # the data are elsewhere today, and nothing else needs them
        return {}, ["The data are not at hand, so sites and covariates are not known."]
    told: dict[str, tuple[Column, ...]] = {}
    for group, cases in shared.items():
        found = [by_name[case] for case in cases.cases]
        entries: dict[str, list[str | float | None]] = {"site": [one.site or None for one in found]}
        for name in dict.fromkeys(name for one in found for name in one.covariates):
            entries[name] = [_entry(one.covariates.get(name)) for one in found]
        told[group] = columns_of(entries)
    return told, []


def _entry(value: float | str | None) -> str | float | None:
    return float(value) if isinstance(value, int | float) else value
