from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.data import Case, Split, SplitRule

PATIENTS = st.lists(st.integers(0, 30), min_size=6, max_size=60).filter(lambda p: len(set(p)) >= 4)


def cases_of(patients: list[int]) -> tuple[Case, ...]:
    return tuple(Case(f"case{k}", f"p{patient}") for k, patient in enumerate(patients))


def homes(split: Split) -> dict[str, str]:
    return {c.identifier: name for name, cases in split.partitions.items() for c in cases}


@settings(max_examples=60, deadline=None)
@given(patients=PATIENTS, seed=st.integers(0, 5), order=st.randoms(use_true_random=False))
def test_every_case_once_no_patient_twice_in_any_order(
    patients: list[int], seed: int, order: object
) -> None:
    cases = cases_of(patients)
    rule = SplitRule(validation=0.2, test=0.2, seed=seed)
    split = rule.split(cases)
    placed = homes(split)
    assert sorted(placed) == sorted(case.identifier for case in cases)
    of_patient: dict[str, set[str]] = {}
    for case in cases:
        of_patient.setdefault(case.patient, set()).add(placed[case.identifier])
    assert all(len(where) == 1 for where in of_patient.values())
    assert {"train", "validation", "test"} == set(split.partitions)
    shuffled = list(cases)
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert homes(rule.split(tuple(shuffled))) == placed
    assert rule.split(cases).hash == split.hash


def test_the_seed_and_the_fractions_matter() -> None:
    cases = cases_of(list(range(50)))
    assert len(SplitRule(validation=0.1, test=0.2).split(cases)["test"]) == 10
    assert len(SplitRule(validation=0.1, test=0.2).split(cases)["validation"]) == 5
    one, other = SplitRule(seed=0).split(cases), SplitRule(seed=1).split(cases)
    assert homes(one) != homes(other)
    assert one.hash != other.hash


def test_more_cases_of_known_patients_move_nobody() -> None:
    """A split holds when further images of the same patients arrive."""
    patients = list(range(12))
    rule = SplitRule()
    before = homes(rule.split(cases_of(patients)))
    after = homes(rule.split(cases_of(patients + patients)))
    assert {name: after[name] for name in before} == before


def test_a_patient_in_two_partitions_is_an_error() -> None:
    twice = (Case("a", "p1", partition="train"), Case("b", "p1", partition="test"))
    with pytest.raises(InputError, match="every patient in one partition only") as caught:
        SplitRule().split((*twice, Case("c", "p2", partition="train")))
    assert "p1" not in str(caught.value)


def test_official_partitions_are_kept_and_checked() -> None:
    cases = (
        Case("a", "1", partition="train"),
        Case("b", "2", partition="test"),
        Case("c", "3", partition="validation"),
    )
    split = SplitRule(test=0.9).split(cases)
    assert [c.identifier for c in split["test"]] == ["b"]
    with pytest.raises(InputError, match="a partition among"):
        SplitRule().split((Case("a", "1", partition="holdout"),))


def test_shifted_sites_are_held_out_whole() -> None:
    cases = tuple(Case(f"c{k}", f"p{k}", site="ABC"[k % 3]) for k in range(30))
    split = SplitRule(shifted_sites=("C",)).split(cases)
    assert {case.site for case in split["shifted"]} == {"C"}
    assert len(split["shifted"]) == 10
    assert all(case.site != "C" for name in ("train", "test") for case in split[name])


def test_nothing_to_train_on() -> None:
    with pytest.raises(InputError, match="at least one patient to train on"):
        SplitRule(shifted_sites=("A",)).split((Case("a", "1", site="A"),))
