"""Copies: nearest neighbours against scikit-learn, the calibration's promise, planted copies."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from vesalius.core import InputError
from vesalius.metrics.feature import (
    CopiedShare,
    CopyThreshold,
    DuplicateShare,
    PixelFeatures,
    copies,
    duplicates,
    enough_cases,
    nearest,
    pairs,
)


def normal(seed: int, n: int, d: int) -> Tensor:
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_nearest_against_scikit_learn(monkeypatch: pytest.MonkeyPatch, offset: float) -> None:
    monkeypatch.setattr(pairs, "PAIRS_AT_ONCE", 200)  # several goes
    cases, others = normal(0, 37, 6) + offset, normal(1, 50, 6) + offset
    distance, index = NearestNeighbors(n_neighbors=4).fit(others.numpy()).kneighbors(cases.numpy())
    found = nearest(cases, others)
    assert found.index.tolist() == index[:, 0].tolist()
    np.testing.assert_allclose(found.distance, distance[:, 0], rtol=1e-9)
    relative = nearest(cases, others, relative_to=4)
    np.testing.assert_allclose(relative.distance, distance[:, 0] / distance.mean(1), rtol=1e-9)
    own = nearest(others, others, within=True)
    distance, index = NearestNeighbors(n_neighbors=2).fit(others.numpy()).kneighbors(others.numpy())
    assert own.index.tolist() == index[:, 1].tolist()


def test_a_copy_is_at_distance_zero_whatever_its_size() -> None:
    training = normal(2, 30, 5) * 1e6 + 1e9
    found = nearest(training[[7, 3]], training)
    assert found.index.tolist() == [7, 3]
    assert found.distance.tolist() == [0, 0]
    assert nearest(training[[7]], training[[7, 7]], relative_to=2).distance.tolist() == [0]


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 9999),
    n=st.integers(1, 60),
    share=st.floats(0, 0.99),
    relative=st.sampled_from([0, 3]),
)
def test_no_more_real_cases_than_allowed_are_called_copies(
    seed: int, n: int, share: float, relative: int
) -> None:
    training, held_out = normal(seed, 20, 3), normal(seed + 1, n, 3)
    found = CopyThreshold.calibrated(held_out, training, allowed_share=share, relative_to=relative)
    assert found.called_share <= share
    assert CopiedShare(found).value(held_out, training) == pytest.approx(found.called_share)
    # the largest such threshold: one case more would be too many
    assert (round(found.called_share * n) + 1) / n > share
    assert found.n == n


def test_planted_copies_are_found_as_pairs() -> None:
    training, held_out = normal(3, 200, 16), normal(4, 100, 16)
    threshold = CopyThreshold.calibrated(held_out, training)
    fresh, planted = normal(5, 40, 16), training[[11, 150, 42]] + 0.01 * normal(6, 3, 16)
    generated = torch.cat([fresh, planted])
    found = copies(generated, training, threshold)
    told = {(pair.case, pair.other) for pair in found}
    assert {(40, 11), (41, 150), (42, 42)} <= told
    assert len(told) <= 5
    assert [pair.distance for pair in found] == sorted(pair.distance for pair in found)
    assert found[0].distance < 0.1
    share = CopiedShare(threshold).value(generated, training)
    assert share == pytest.approx(len(found) / 43)
    assert CopiedShare(threshold).value(training, training) == 1
    assert CopiedShare(threshold).direction == "down"


def test_simple_images_are_near_everything_and_no_copies() -> None:
    # half of the images are almost blank: plain distances call those copies, relative ones do not
    size = torch.cat([torch.full((100, 1), 0.05), torch.ones(100, 1)]).double()
    training, held_out = normal(7, 200, 10) * size, normal(8, 200, 10) * size
    blank, copy = normal(9, 20, 10) * 0.05, training[150:170] + 0.1 * normal(10, 20, 10)
    plain = CopyThreshold.calibrated(held_out, training, allowed_share=0.05)
    relative = CopyThreshold.calibrated(held_out, training, allowed_share=0.05, relative_to=10)
    assert CopiedShare(relative).value(copy, training) == 1
    assert CopiedShare(relative).value(blank, training) < 0.2
    assert CopiedShare(plain).value(copy, training) < 1


def test_duplicates_are_told_once() -> None:
    line = torch.tensor([[0.0], [0.05], [5.0], [9.0], [9.0], [9.2]])
    found = duplicates(line, 0.5)
    assert [(pair.case, pair.other) for pair in found] == [(3, 4), (0, 1), (5, 3)] or [
        (pair.case, pair.other) for pair in found
    ] == [(3, 4), (0, 1), (5, 4)]
    assert found[0].distance == 0
    assert DuplicateShare(0.5).of(line) == pytest.approx(5 / 6)
    assert DuplicateShare(0.01).of(line) == pytest.approx(2 / 6)
    assert duplicates(normal(11, 10, 4), 1e-3) == ()


def test_a_case_drawn_twice_is_no_duplicate_of_itself() -> None:
    features = torch.tensor([[0.0], [1.0], [1.1], [7.0]])
    counted = DuplicateShare(0.5).counted(features, features)
    assert counted(torch.tensor([3, 0, 1, 0]), torch.ones(4)) == pytest.approx(1 / 4)
    threshold = CopyThreshold(0.5, 0.0, 0.0, 10)
    counted = CopiedShare(threshold).counted(features, torch.tensor([[1.0]]))
    assert counted(torch.tensor([2, 1, 0, 1]), torch.ones(1)) == pytest.approx(1 / 4)


def test_what_cannot_be() -> None:
    training = normal(12, 20, 3)
    with pytest.raises(InputError, match=r"5 of 5 at distance 0 of one; part the sets by patient"):
        CopyThreshold.calibrated(training[:5], training)
    with pytest.raises(InputError, match="allowed share"):
        CopyThreshold.calibrated(training, training, allowed_share=1.0)
    with pytest.raises(InputError, match="a distance above 0"):
        DuplicateShare(0.0)
    with pytest.raises(InputError, match="at least 2 cases to be near to"):
        DuplicateShare(1.0).of(training[:1])
    with pytest.raises(InputError, match="relative_to"):
        nearest(training, training, relative_to=-1)
    assert "steps of 0.1" in enough_cases(DuplicateShare(1.0), 10, 3)
    assert enough_cases(DuplicateShare(1.0), 100, 3) == ""


@pytest.mark.parametrize("space", [(40, 48), (20, 16, 24)])
def test_the_distance_of_pixels_is_a_root_mean_square(space: tuple[int, ...]) -> None:
    extractor = PixelFeatures((-100, 300), size=8)
    images = torch.rand(2, 1, *space, generator=torch.Generator().manual_seed(0)) * 300
    rows = extractor.features(images)
    assert rows.shape == (2, 8 ** len(space))
    # a constant step of 40 in a window of 400 is a distance of a tenth
    stepped = extractor.features((images * 0.5) + 40) - extractor.features(images * 0.5)
    assert stepped.norm(dim=1).tolist() == pytest.approx([0.1, 0.1], rel=1e-5)
    mask = torch.zeros(2, 1, *space, dtype=torch.bool)
    mask[:, :, : space[0] // 2] = True
    masked = extractor.features(images * 0 + 300, mask)
    assert masked.sum(1).tolist() == pytest.approx([math.sqrt(8 ** len(space)) / 2] * 2)
    with pytest.raises(InputError, match="low < high"):
        PixelFeatures((1, 1))
    with pytest.raises(InputError, match="positive size"):
        PixelFeatures((0, 1), size=0)
