"""Texture features against independent implementations and against pencil and paper."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage, stats
from skimage.feature import graycomatrix, graycoprops

from vesalius.metrics.feature.cooccurrence import (
    COOCCURRENCE,
    cooccurrence,
    cooccurrence_matrices,
)
from vesalius.metrics.feature.emphasis import EMPHASIS
from vesalius.metrics.feature.first_order import FIRST_ORDER, first_order
from vesalius.metrics.feature.grey_levels import directions, grey_levels, overlap
from vesalius.metrics.feature.neighbourhood import NEIGHBOURHOOD, neighbourhood
from vesalius.metrics.feature.run_length import run_length
from vesalius.metrics.feature.size_zone import size_zone

Levels = NDArray[np.int64]


def named(names: tuple[str, ...], values: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(names, values.tolist(), strict=True))


def random_levels(seed: int, shape: tuple[int, ...], bins: int, *, outside: bool) -> Levels:
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), (0, *[1.0] * (len(shape) - 1)))
    levels = np.clip((smooth - smooth.min()) / np.ptp(smooth) * bins, 0, bins - 1).astype(int) + 1
    if outside:
        levels[rng.random(shape) < 0.2] = 0
    return levels.astype(np.int64)


def test_directions_are_half_of_the_neighbours() -> None:
    for dimensions, number in ((2, 4), (3, 13)):
        steps = directions(dimensions)
        opposite = {tuple(-s for s in step) for step in steps}
        assert len(steps) == len(set(steps)) == number
        assert not opposite & set(steps)
        assert (0,) * dimensions not in steps


@pytest.mark.parametrize("step", [(0, 1), (1, 0), (1, 1), (1, -1), (-1, 1)])
def test_overlap_pairs_each_voxel_with_its_neighbour(step: tuple[int, int]) -> None:
    place = np.stack(np.indices((4, 5)), -1)
    here, there = overlap(step)
    assert (place[there] - place[here] == step).all()
    assert place[here].shape[:2] == (4 - abs(step[0]), 5 - abs(step[1]))


def test_grey_levels_never_follow_the_image() -> None:
    values = np.array([[-5.0, 0.0, 0.24, 0.25, 0.99, 1.0, 7.0]])
    inside = np.ones_like(values, dtype=bool)
    inside[0, 3] = False
    assert grey_levels(values, inside, 0.0, 1.0, 4).tolist() == [[1, 1, 1, 0, 4, 4, 4]]


def test_first_order_against_scipy() -> None:
    rng = np.random.default_rng(3)
    values = rng.gamma(2.0, 3.0, size=(3, 9, 7))
    inside = rng.random(values.shape) < 0.7
    levels = grey_levels(values, inside, 0.0, 30.0, 16)
    found = first_order(values, inside, levels, 16)
    for case in range(3):
        v = values[case][inside[case]]
        low, high = np.percentile(v, [10, 90])
        robust = v[(v >= low) & (v <= high)]
        share = np.bincount(levels[case][inside[case]]) / v.size
        expected = {
            "mean": v.mean(), "variance": v.var(), "skewness": stats.skew(v),
            "kurtosis": stats.kurtosis(v), "median": np.median(v), "minimum": v.min(),
            "percentile_10": low, "percentile_90": high, "maximum": v.max(),
            "interquartile_range": stats.iqr(v), "range": np.ptp(v),
            "mean_absolute_deviation": np.abs(v - v.mean()).mean(),
            "robust_mean_absolute_deviation": np.abs(robust - robust.mean()).mean(),
            "median_absolute_deviation": np.abs(v - np.median(v)).mean(),
            "energy": (v**2).sum(), "root_mean_square": np.sqrt((v**2).mean()),
            "entropy": stats.entropy(share, base=2), "uniformity": (share**2).sum(),
        }  # fmt: skip
        assert named(FIRST_ORDER, found[case]) == pytest.approx(expected, rel=1e-10)


def test_cooccurrence_against_scikit_image() -> None:
    bins = 8
    levels = random_levels(1, (2, 24, 31), bins, outside=False)
    found = cooccurrence(levels, bins)
    matrices = cooccurrence_matrices(levels, bins)
    for case in range(2):
        angles = [0, np.pi / 4, np.pi / 2, 3 * np.pi / 4]
        reference = graycomatrix(
            (levels[case] - 1).astype(np.uint8), [1], angles, levels=bins, symmetric=True
        )[:, :, 0].astype(float)
        ours = {matrix.tobytes() for matrix in matrices[case]}
        assert ours == {np.ascontiguousarray(reference[..., a]).tobytes() for a in range(4)}
        normed = (reference / reference.sum((0, 1)))[:, :, None]
        values = named(COOCCURRENCE, found[case])
        for name, prop in {
            "contrast": "contrast", "dissimilarity": "dissimilarity",
            "inverse_difference_moment": "homogeneity", "angular_second_moment": "ASM",
            "correlation": "correlation", "joint_entropy": "entropy", "joint_variance": "variance",
        }.items():  # fmt: skip
            expected = float(graycoprops(normed, prop).mean())
            if prop == "entropy":  # in nats there
                expected /= np.log(2)
            assert values[name] == pytest.approx(expected, rel=1e-9), name
        mean = float(graycoprops(normed, "mean").mean())
        assert values["joint_average"] == pytest.approx(mean + 1)  # levels count from 1


def test_cooccurrence_by_hand() -> None:
    # 1 2 / 1 1, levels 1 and 2. Pairs: across (1,2) (1,1); down (1,1) (2,1); diagonals (1,1); (2,1)
    levels = np.array([[[1, 2], [1, 1]]])
    values = named(COOCCURRENCE, cooccurrence(levels, 2)[0])
    # share of unlike pairs by direction: 1/2, 1/2, 0, 1
    assert values["contrast"] == pytest.approx((0.5 + 0.5 + 0 + 1) / 4)
    assert values["joint_maximum"] == pytest.approx((0.5 + 0.5 + 1 + 0.5) / 4)
    assert values["joint_average"] == pytest.approx((1.25 + 1.25 + 1 + 1.5) / 4)
    # correlations: -1/3, -1/3, one level only (1 by definition), -1
    assert values["correlation"] == pytest.approx((-1 / 3 - 1 / 3 + 1 - 1) / 4)


def brute_runs(levels: Levels, step: tuple[int, ...]) -> list[tuple[int, int]]:
    """(level, length) of each run, walking voxel by voxel."""
    runs = []
    for start in np.ndindex(levels.shape):
        level = levels[start]
        before = tuple(p - s for p, s in zip(start, step, strict=True))
        inside = all(0 <= p < n for p, n in zip(before, levels.shape, strict=True))
        if level == 0 or (inside and levels[before] == level):
            continue
        length, place = 0, start
        while (
            all(0 <= p < n for p, n in zip(place, levels.shape, strict=True))
            and levels[place] == level
        ):
            length += 1
            place = tuple(p + s for p, s in zip(place, step, strict=True))
        runs.append((int(level), length))
    return runs


def features_of(entries: list[tuple[int, int]], voxels: int) -> dict[str, float]:
    """The sixteen features from the definitions, over a list of (level, length)."""
    i, j = np.array(entries, dtype=float).T
    n = len(entries)
    matrix = np.zeros((int(i.max()) + 1, int(j.max()) + 1))
    for level, length in entries:
        matrix[level, length] += 1
    by_level, by_length = matrix.sum(1), matrix.sum(0)
    return {
        "short_emphasis": (1 / j**2).mean(), "long_emphasis": (j**2).mean(),
        "low_level_emphasis": (1 / i**2).mean(), "high_level_emphasis": (i**2).mean(),
        "short_low_level_emphasis": (1 / (i * j) ** 2).mean(),
        "short_high_level_emphasis": ((i / j) ** 2).mean(),
        "long_low_level_emphasis": ((j / i) ** 2).mean(),
        "long_high_level_emphasis": ((i * j) ** 2).mean(),
        "level_non_uniformity": (by_level**2).sum() / n,
        "normalised_level_non_uniformity": (by_level**2).sum() / n**2,
        "length_non_uniformity": (by_length**2).sum() / n,
        "normalised_length_non_uniformity": (by_length**2).sum() / n**2,
        "percentage": n / voxels, "level_variance": i.var(), "length_variance": j.var(),
        "entropy": stats.entropy(matrix.ravel(), base=2),
    }  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    space=st.one_of(
        st.tuples(st.integers(2, 9), st.integers(2, 9)),
        st.tuples(st.integers(2, 4), st.integers(2, 5), st.integers(2, 4)),
    ),
    bins=st.integers(2, 6),
    outside=st.booleans(),
)
def test_run_lengths_and_zones_by_walking(
    seed: int, space: tuple[int, ...], bins: int, outside: bool
) -> None:
    levels = random_levels(seed, (2, *space), bins, outside=outside)
    levels[:, *(0,) * len(space)] = 1  # never empty
    runs, zones = run_length(levels, bins), size_zone(levels)
    for case in range(2):
        voxels = int((levels[case] > 0).sum())
        steps = [features_of(brute_runs(levels[case], s), voxels) for s in directions(len(space))]
        expected = {name: float(np.mean([step[name] for step in steps])) for name in EMPHASIS}
        assert named(EMPHASIS, runs[case]) == pytest.approx(expected, rel=1e-9, abs=1e-9)
        patches = []
        for level in range(1, bins + 1):
            connected, number = ndimage.label(levels[case] == level, np.ones((3,) * len(space)))
            patches += [(level, int((connected == k).sum())) for k in range(1, number + 1)]
        expected = features_of(patches, voxels)
        assert named(EMPHASIS, zones[case]) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_run_length_by_hand() -> None:
    # one row 1 1 2 2 2 1: runs of 2, 3 and 1 along it, six runs of 1 in the other directions
    levels = np.array([[[1, 1, 2, 2, 2, 1]]])
    found = named(EMPHASIS, run_length(levels, 2)[0])
    assert found["long_emphasis"] == pytest.approx(((4 + 9 + 1) / 3 + 3) / 4)
    assert found["percentage"] == pytest.approx((3 / 6 + 3) / 4)


@pytest.mark.parametrize("space", [(7, 6), (4, 3, 5)])
def test_neighbourhood_from_the_definitions(space: tuple[int, ...]) -> None:
    bins = 5
    levels = random_levels(7, (2, *space), bins, outside=True)
    levels[(slice(None), *[slice(0, 2)] * len(space))] = 0
    levels[:, *(0,) * len(space)] = 5  # a voxel that may well be alone
    found = neighbourhood(levels, bins)
    for case in range(2):
        number, s = np.zeros(bins + 1), np.zeros(bins + 1)
        for place in np.ndindex(*space):
            box = tuple(slice(max(0, p - 1), p + 2) for p in place)
            level, around = levels[case][place], levels[case][box]
            count = (around > 0).sum() - 1
            if level > 0 and count > 0:
                number[level] += 1
                s[level] += abs(level - (around.sum() - level) / count)
        total = number.sum()
        p, present = number / total, [k for k in range(1, bins + 1) if number[k]]
        pairs = [(i, j) for i in present for j in present]
        expected = {
            "coarseness": 1 / (p * s).sum(),
            "contrast": sum(p[i] * p[j] * (i - j) ** 2 for i, j in pairs)
            / (len(present) * (len(present) - 1)) * s.sum() / total,
            "busyness": (p * s).sum() / sum(abs(i * p[i] - j * p[j]) for i, j in pairs),
            "complexity": sum(
                abs(i - j) * (p[i] * s[i] + p[j] * s[j]) / (p[i] + p[j]) for i, j in pairs
            ) / total,
            "strength": sum((p[i] + p[j]) * (i - j) ** 2 for i, j in pairs) / s.sum(),
        }  # fmt: skip
        assert named(NEIGHBOURHOOD, found[case]) == pytest.approx(expected, rel=1e-9)


def test_a_flat_image_has_the_limits_of_the_definitions() -> None:
    levels = np.full((1, 6, 6), 3)
    glcm = named(COOCCURRENCE, cooccurrence(levels, 8)[0])
    assert glcm["correlation"] == 1
    assert glcm["angular_second_moment"] == glcm["inverse_difference"] == 1
    assert glcm["contrast"] == glcm["joint_entropy"] == glcm["joint_variance"] == 0
    assert glcm["information_correlation_1"] == glcm["information_correlation_2"] == 0
    assert named(NEIGHBOURHOOD, neighbourhood(levels, 8)[0]) == {
        "coarseness": 1, "contrast": 0, "busyness": 0, "complexity": 0, "strength": 0,
    }  # fmt: skip
    zones = named(EMPHASIS, size_zone(levels)[0])
    assert zones["long_emphasis"] == 36**2
    assert zones["percentage"] == 1 / 36


def test_a_lone_voxel_has_no_pairs_and_stays_finite() -> None:
    levels = np.zeros((1, 5, 5), dtype=np.int64)
    levels[0, 2, 2] = 4
    assert (cooccurrence(levels, 8) == 0).all()
    assert np.isfinite(neighbourhood(levels, 8)).all()
    assert named(EMPHASIS, run_length(levels, 8)[0])["percentage"] == 1
