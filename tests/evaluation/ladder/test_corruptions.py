"""Each corruption does what it says, and nothing else."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.core.rng import numpy_stream
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.corruption import Corruption
from vesalius.evaluation.ladder.corruptions import (
    Blur,
    CopiedTraining,
    InsertedLesion,
    Mirrored,
    ModeCollapse,
    Noise,
    Nothing,
    RemovedLesion,
    Shift,
    WrongContrast,
    standard_corruptions,
)
from vesalius.evaluation.ladder.lesion_template import lesion_templates

N, SIZE = 10, 24


def cohort(n: int = N, dims: int = 2, *, healthy: bool = False, seed: int = 0) -> Cohort:
    """Heads that are squares: brain inside, a rim where no lesion can be, a lesion in half."""
    shape = (n, 1, *(SIZE,) * dims)
    generator = torch.Generator().manual_seed(seed)
    images = 1 + 0.05 * torch.randn(shape, generator=generator)
    mask, possible, lesion = (torch.zeros(shape, dtype=torch.bool) for _ in range(3))
    mask[(..., *(slice(2, -2),) * dims)] = True
    possible[(..., *(slice(8, -4),) * dims)] = True
    lesion[(slice(0, n // 2), 0, *(slice(10, 13),) * dims)] = True
    well = images.clone()
    images[lesion] += 1.0
    return Cohort(
        images,
        tuple(f"p{k}" for k in range(n)),
        mask=mask,
        possible=possible,
        lesion=lesion,
        healthy=well if healthy else None,
    )


def applied(corruption: Corruption, to: Cohort, severity: float, seed: int = 0) -> Tensor:
    return corruption.applies(to, severity, numpy_stream(seed, "test")).images


def changed_rows(before: Tensor, after: Tensor) -> list[int]:
    return (before != after).flatten(1).any(dim=1).nonzero()[:, 0].tolist()


def test_nothing_changes_nothing() -> None:
    of = cohort()
    found = Nothing().applies(of, 0.0, numpy_stream(0))
    assert torch.equal(found.images, of.images)
    assert not found.changed.any()


@pytest.mark.parametrize("dims", [2, 3])
def test_noise_has_the_deviation_that_is_said(dims: int) -> None:
    of = cohort(dims=dims)
    added = applied(Noise(data_range=4.0), of, 0.05) - of.images
    assert float(added.std()) == pytest.approx(0.2, rel=0.05)
    assert float(added.mean()) == pytest.approx(0.0, abs=0.02)
    # each image has its own
    assert abs(np.corrcoef(added[0].flatten(), added[1].flatten())[0, 1]) < 0.15


def test_blur_spreads_a_point_as_a_gaussian_and_keeps_its_sum() -> None:
    point = torch.zeros(1, 1, 21, 21)
    point[..., 10, 10] = 1
    found = applied(Blur(), Cohort(point), 1.2)[0, 0]
    assert float(found.sum()) == pytest.approx(1.0, abs=1e-4)
    place = torch.arange(21.0) - 10
    assert float((found.sum(1) * place**2).sum()) == pytest.approx(1.44, rel=0.02)
    assert float(found[10, 11] / found[10, 10]) == pytest.approx(np.exp(-0.5 / 1.44), rel=1e-3)


def test_a_shift_by_hand_repeats_the_edge() -> None:
    row = torch.tensor([[[[1.0, 2.0, 3.0, 4.0]]]])
    assert applied(Shift(), Cohort(row), 2).tolist() == [[[[1.0, 1.0, 1.0, 2.0]]]]


@pytest.mark.parametrize("severity", [0, 0.5, 4, -1])
def test_a_shift_is_whole_voxels_within_the_image(severity: float) -> None:
    with pytest.raises(InputError, match="whole voxels from 1 to 3"):
        applied(Shift(), Cohort(torch.zeros(1, 1, 4, 4)), severity)


def test_contrast_by_hand_keeps_the_limits() -> None:
    row = torch.tensor([[[[-5.0, 0.0, 5.0, 10.0]]]])
    found = applied(WrongContrast((0.0, 10.0)), Cohort(row), 2.0)
    assert found.flatten().tolist() == pytest.approx([0.0, 0.0, 2.5, 10.0])
    with pytest.raises(InputError, match="low below high"):
        WrongContrast((1.0, 1.0))


@settings(max_examples=10, deadline=None)
@given(dims=st.sampled_from([2, 3]), seed=st.integers(0, 1000))
def test_mirrored_twice_is_what_it_was(dims: int, seed: int) -> None:
    of = cohort(4, dims, seed=seed)
    once = applied(Mirrored(), of, 1.0)
    assert not torch.equal(once, of.images)
    assert torch.equal(once[..., 0], of.images[..., -1])
    assert torch.equal(applied(Mirrored(), of.showing(once), 1.0), of.images)


@pytest.mark.parametrize(("share", "count"), [(0.01, 1), (0.25, 2), (0.5, 5), (1.0, 10)])
def test_a_share_of_the_patients_is_changed(share: float, count: int) -> None:
    of = cohort()
    found = Mirrored().applies(of, share, numpy_stream(1))
    assert changed_rows(of.images, found.images) == found.changed.nonzero()[:, 0].tolist()
    assert int(found.changed.sum()) == count


@pytest.mark.parametrize(
    "corruption",
    [Mirrored(), ModeCollapse(noise=0.1), CopiedTraining(torch.rand(30, 1, SIZE, SIZE))],
    ids=lambda corruption: corruption.name,
)
def test_all_images_of_a_patient_share_their_fate(corruption: Corruption) -> None:
    of = dataclasses.replace(cohort(), patients=tuple(f"p{k // 5}" for k in range(N)))
    found = corruption.applies(of, 0.5, numpy_stream(1))
    assert found.changed.view(2, 5).all(dim=1).tolist() in ([True, False], [False, True])
    assert changed_rows(of.images, found.images) == found.changed.nonzero()[:, 0].tolist()


def test_lesions_are_removed_from_a_share_of_the_patients_who_have_any() -> None:
    # ten images of five patients; the lesions of 0 to 4 are of patients 0, 1 and 2
    of = dataclasses.replace(cohort(healthy=True), patients=tuple(f"p{k // 2}" for k in range(N)))
    found = RemovedLesion().applies(of, 1.0, numpy_stream(1))
    assert found.changed.nonzero()[:, 0].tolist() == [0, 1, 2, 3, 4]
    some = RemovedLesion().applies(of, 0.34, numpy_stream(1)).changed.nonzero()[:, 0].tolist()
    assert some in ([0, 1], [2, 3], [4])


@pytest.mark.parametrize("share", [0.0, -0.1, 1.1])
def test_a_share_lies_above_zero_and_up_to_one(share: float) -> None:
    with pytest.raises(InputError, match="a share above 0 and up to 1"):
        applied(Mirrored(), cohort(), share)


def test_a_collapse_shows_one_patient_again_and_again() -> None:
    of = cohort()
    found = ModeCollapse(noise=0.0).applies(of, 0.5, numpy_stream(2))
    shown = found.images[found.changed]
    assert len(shown) == 5
    assert (shown == shown[:1]).all()
    kept = of.images[~found.changed]
    assert (kept == shown[:1]).flatten(1).all(dim=1).sum() == 1
    noisy = ModeCollapse(noise=0.1).applies(of, 0.5, numpy_stream(2))
    spread = (noisy.images - found.images)[found.changed].std()
    assert float(spread) == pytest.approx(0.1, rel=0.05)
    whole = ModeCollapse(noise=0.0).applies(of, 1.0, numpy_stream(2)).images
    assert torch.equal(whole, of.images[:1].expand_as(whole))


def test_copies_are_training_images_and_none_is_used_twice() -> None:
    of, training = cohort(), cohort(12, seed=9).images
    found = CopiedTraining(training).applies(of, 1.0, numpy_stream(3))
    which = [
        next(k for k, one in enumerate(training) if torch.equal(one, image))
        for image in found.images
    ]
    assert len(set(which)) == N
    with pytest.raises(InputError, match="at least 10 training images, got 4"):
        applied(CopiedTraining(training[:4]), of, 1.0)


def test_a_removed_lesion_is_the_healthy_patient_where_that_is_known() -> None:
    of = cohort(healthy=True)
    found = RemovedLesion().applies(of, 1.0, numpy_stream(4))
    assert found.changed.tolist() == [True] * 5 + [False] * 5
    assert torch.equal(found.images, of.healthy)
    half = RemovedLesion().applies(of, 0.4, numpy_stream(4))
    assert int(half.changed.sum()) == 2
    assert not half.changed[5:].any()


@pytest.mark.parametrize("dims", [2, 3])
def test_a_removed_lesion_is_filled_from_around_where_it_is_not(dims: int) -> None:
    of = cohort(2, dims)
    found = applied(RemovedLesion(), of, 1.0)
    assert float(of.images[of.lesion].mean()) > 1.8
    assert float(found[of.lesion].mean()) == pytest.approx(1.0, abs=0.1)
    far = torch.ones_like(of.lesion)
    far[(..., *(slice(8, 15),) * dims)] = False
    assert torch.equal(found[far], of.images[far])


def test_without_lesions_nothing_is_removed() -> None:
    of = cohort(4)
    none = Cohort(of.images, lesion=torch.zeros_like(of.mask))
    assert torch.equal(applied(RemovedLesion(), none, 1.0), of.images)


@pytest.mark.parametrize("dims", [2, 3])
def test_an_inserted_lesion_lies_where_it_was_told_and_looks_the_same(dims: int) -> None:
    of, templates = cohort(dims=dims), lesion_templates(cohort(dims=dims, seed=5), 6, 40)
    assert len(templates) == N // 2
    for place in ("plausible", "impossible"):
        found = InsertedLesion(templates, place).applies(of, 1.0, numpy_stream(6))  # type: ignore[arg-type]
        assert found.planted is not None
        assert found.planted.flatten(1).sum(1).tolist() == [3**dims] * N
        inside = (found.planted & of.possible).flatten(1).sum(1) / 3**dims
        assert bool((inside >= 0.79).all() if place == "plausible" else (inside <= 0.21).all())
        assert bool((of.mask | ~found.planted).flatten(1).float().mean(1).min() > 0.9)
        if place == "plausible":
            assert not bool((found.planted & of.lesion).flatten(1).sum(1).max() > 0.21 * 3**dims)
        # bright as the lesions that it was cut from, and the rest is untouched
        assert float(found.images[found.planted].mean()) == pytest.approx(1.9, abs=0.15)
        changed = (found.images != of.images).flatten(1).sum(1)
        assert int(changed.max()) <= 5**dims


def test_both_kinds_of_place_get_the_same_lesions() -> None:
    of, templates = cohort(), lesion_templates(cohort(seed=5), 6, 40)
    first, second = (
        InsertedLesion(templates, place).applies(of, 1.0, numpy_stream(7))
        for place in ("plausible", "impossible")
    )
    assert torch.equal(first.changed, second.changed)
    assert first.planted is not None
    assert second.planted is not None
    for one, other in zip(first.images, second.images, strict=True):
        brightest = [image.flatten().sort().values[-4:] for image in (one, other)]
        assert torch.allclose(*brightest, atol=0.1)


def test_templates_have_the_size_that_is_asked_for() -> None:
    of = cohort()
    with pytest.raises(InputError, match="lesions of 10 to 40 voxels, got none"):
        lesion_templates(of, 10, 40)
    with pytest.raises(InputError, match="'lesion'"):
        lesion_templates(Cohort(of.images))
    at_border = torch.zeros_like(of.mask)
    at_border[..., :3, :3] = True
    with pytest.raises(InputError, match="none in the cohort"):
        lesion_templates(Cohort(of.images, lesion=at_border))


def test_what_a_corruption_needs_is_named() -> None:
    of = cohort()
    with pytest.raises(InputError, match="removed lesion: expected a cohort with 'lesion'"):
        applied(RemovedLesion(), Cohort(of.images), 1.0)
    inserted = InsertedLesion(lesion_templates(of), "impossible")
    with pytest.raises(InputError, match="'mask'"):
        applied(inserted, Cohort(of.images, possible=of.possible), 1.0)


def test_the_standard_rungs() -> None:
    of = cohort()
    with_lesions = standard_corruptions(of, (0.0, 2.0))
    assert len({one.name for one in with_lesions}) == len(with_lesions) == 11
    without = standard_corruptions(Cohort(of.images), (0.0, 2.0))
    assert len(without) == 8
    for corruption in with_lesions:
        before = of.images.clone()
        assert list(corruption.severities) == sorted(corruption.severities)
        again = [applied(corruption, of, corruption.severities[0], seed=1) for _ in range(2)]
        assert torch.equal(*again)
        assert torch.equal(of.images, before)
        assert again[0].shape == before.shape
        assert again[0].dtype == before.dtype


def test_a_cohort_is_checked() -> None:
    images = torch.zeros(3, 1, 4, 4)
    with pytest.raises(InputError, match="images of shape"):
        Cohort(torch.zeros(3, 2, 4, 4))
    with pytest.raises(InputError, match="one patient for each of 3 images, got 2"):
        Cohort(images, ("a", "b"))
    with pytest.raises(InputError, match="'mask' of type bool"):
        Cohort(images, mask=images)
    with pytest.raises(InputError, match="'lesion' of the images' shape"):
        Cohort(images, lesion=torch.zeros(3, 1, 4, 5, dtype=torch.bool))
    with pytest.raises(InputError, match="3 labels"):
        Cohort(images, label=torch.zeros(2))
    with pytest.raises(InputError, match="finite"):
        Cohort(images + torch.nan)
    owned = Cohort(images, ("a", "b", "a"), label=torch.tensor([0, 1, 2]))
    assert [rows.tolist() for rows in owned.by_patient()] == [[0, 2], [1]]
    part = owned.take([2, 0])
    assert part.patients == ("a", "a")
    assert part.label is not None
    assert part.label.tolist() == [2, 0]
