"""Patient-level splits, recorded with a hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vesalius.core.call import fingerprint
from vesalius.core.errors import InputError
from vesalius.core.rng import derive
from vesalius.data.source import Case


@dataclass(frozen=True)
class Split:
    """Cases by partition: "train", "validation", "test", and "shifted" for sites held out whole."""

    partitions: Mapping[str, tuple[Case, ...]]

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for partition, cases in self.partitions.items():
            for case in cases:
                if seen.setdefault(case.patient, partition) != partition:
                    raise InputError(
                        "every patient in one partition only",
                        case=case.identifier,
                        came=f"a patient in both '{seen[case.patient]}' and '{partition}'",
                        remedy="give all images of a patient the same partition",
                    )

    def __getitem__(self, partition: str) -> tuple[Case, ...]:
        return self.partitions.get(partition, ())

    @property
    def hash(self) -> str:
        """Identifies which case is in which partition."""
        return fingerprint(self.to_json())

    def to_json(self) -> dict[str, list[str]]:
        """Case identifiers by partition."""
        return {
            name: [case.identifier for case in cases] for name, cases in self.partitions.items()
        }


@dataclass(frozen=True)
class SplitRule:
    """How a source is split.

    A source's official partitions are kept where it has them; otherwise patients are shuffled by
    ``seed`` into validation, test and training parts of the given fractions. Patients of
    ``shifted_sites`` go to "shifted" whatever else holds.
    """

    validation: float = 0.1
    test: float = 0.2
    shifted_sites: tuple[str, ...] = ()
    seed: int = 0

    def split(self, cases: tuple[Case, ...]) -> Split:
        """The split of ``cases``; raises InputError where nobody is left to train on."""
        parts: dict[str, list[Case]] = {"train": [], "validation": [], "test": [], "shifted": []}
        free: list[Case] = []
        for case in cases:
            if case.site and case.site in self.shifted_sites:
                parts["shifted"].append(case)
            elif case.partition:
                if case.partition not in parts:
                    raise InputError(
                        f"a partition among {', '.join(parts)}",
                        came=f"'{case.partition}'",
                        case=case.identifier,
                    )
                parts[case.partition].append(case)
            else:
                free.append(case)
        patients = sorted(
            {case.patient for case in free}, key=lambda p: derive(self.seed, "split", p)
        )
        n_test, n_validation = (
            max(1, round(part * len(patients))) if part and len(patients) > 2 else 0
            for part in (self.test, self.validation)
        )
        home = dict.fromkeys(patients[:n_test], "test")
        home |= dict.fromkeys(patients[n_test : n_test + n_validation], "validation")
        for case in free:
            parts[home.get(case.patient, "train")].append(case)
        if not parts["train"]:
            raise InputError(
                "at least one patient to train on",
                came=f"{len(cases)} cases, none left for training",
                remedy="give more patients or smaller test fractions",
            )
        return Split({name: tuple(found) for name, found in parts.items() if found})
