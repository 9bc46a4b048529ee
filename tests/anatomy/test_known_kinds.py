from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vesalius.anatomy import KINDS, KnownKinds, read_kinds, shares
from vesalius.anatomy.known_kinds import PLACES, RING_RADIUS, painted


@pytest.fixture(scope="module")
def source() -> KnownKinds:
    return KnownKinds(n=6, cases_per_patient=10, size=(32, 32), seed=3)


def test_the_rule_reads_every_image_of_the_source_right(source: KnownKinds) -> None:
    cases = source.cases()
    images = torch.stack([source.read(case)["t1"].data for case in cases])
    found = read_kinds(images)
    truth = torch.tensor([int(case.covariates["kind"]) for case in cases])
    assert images.shape == (60, 1, 32, 32)
    assert torch.equal(found.kind, truth)
    assert found.agrees.all()
    assert len(set(truth.tolist())) > 5


def plain(size: tuple[int, int] = (32, 32)) -> torch.Tensor:
    """An even head in air, (1, rows, columns)."""
    head = torch.zeros(1, *size)
    head[:, 2:-2, size[1] // 5 : -(size[1] // 5)] = 1.0
    return head


@pytest.mark.parametrize("kind", range(len(KINDS)))
@pytest.mark.parametrize("size", [(28, 28), (32, 32), (64, 64)])
def test_every_kind_is_told_apart_on_an_even_image(kind: int, size: tuple[int, int]) -> None:
    found = read_kinds(painted(plain(size), kind)[None])
    assert int(found.kind) == kind
    assert int(found.sign) == kind // len(PLACES)


def test_what_is_not_there_is_not_read() -> None:
    found = read_kinds(plain()[None])
    assert int(found.kind) == int(found.sign) == -1
    assert not found.readable.any()
    swapped = painted(plain(), 0)[None].flip(-1)  # front left and right change, so do the corners
    found = read_kinds(swapped)
    assert found.readable.all()
    assert not found.agrees.any()
    both = torch.maximum(painted(plain(), 0), painted(plain(), 0).flip(-1))[None]
    assert int(read_kinds(both).sign) == -1


def test_kinds_come_as_often_as_they_should() -> None:
    source = KnownKinds(n=300, cases_per_patient=10)
    kinds = torch.tensor([int(case.covariates["kind"]) for case in source.cases()])
    expected = torch.tensor(shares(), dtype=torch.float64) * len(kinds)
    assert float(expected.sum()) == pytest.approx(len(kinds))
    chi2 = float(
        ((torch.bincount(kinds, minlength=len(KINDS)) - expected).square() / expected).sum()
    )
    assert chi2 < 27.9  # the 0.999 quantile of nine degrees of freedom


def test_lesions_lie_apart_and_a_patient_keeps_the_head(source: KnownKinds) -> None:
    places = torch.tensor(list(PLACES.values()))
    apart = torch.cdist(places, places)[~torch.eye(len(places), dtype=torch.bool)]
    assert apart.min() > 1.4 * RING_RADIUS
    first, second = source.cases()[:2]
    assert first.patient == second.patient
    one, other = (source.read(case)["t1"].data for case in (first, second))
    assert ((one - other).abs() < 1e-6).float().mean() > 0.9
    assert not source.recognises(Path("anything"))
    assert set(source.channels()) == {"t1", "mask"}
