from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import Batch, Image, InputError, MissingExtra
from vesalius.core.image import spacing_affine


@given(st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0.1, 9), st.floats(0, 6.3))
def test_spacing_is_read_from_a_rotated_affine(a: float, b: float, c: float, turn: float) -> None:
    rotation = np.eye(4)
    rotation[:2, :2] = [[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]]
    image = Image(torch.zeros(1, 2, 3, 4), rotation @ spacing_affine((a, b, c)))
    assert image.spacing_mm == pytest.approx((a, b, c))
    assert image.space == (2, 3, 4)


@pytest.mark.parametrize("shape", [(2,), (2, 2), (1, 1, 2, 2, 2)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="2 or 3 axes of space, got shape"):
        Image(torch.zeros(shape))


def test_a_small_affine_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(4, 4\) affine, got shape \(3, 3\)"):
        Image(torch.zeros(1, 2, 2), np.eye(3))


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_values_that_are_not_finite_name_the_case(bad: float) -> None:
    data = torch.zeros(1, 4, 4)
    data[0, 1, 2] = bad
    with pytest.raises(InputError, match=r"^case-7: expected finite values, got 1 NaN or inf"):
        Image(data).require_finite("case-7")
    whole = Image(torch.zeros(1, 4, 4))
    assert whole.require_finite("case-7") is whole
    Image(torch.zeros(1, 4, 4, dtype=torch.int64)).require_finite("case-7")


def test_pairs_on_other_grids_name_the_case() -> None:
    image = Image(torch.zeros(1, 4, 4))
    with pytest.raises(
        InputError, match=r"^c: expected a pair of one size, \(4, 4\), got \(4, 5\)"
    ):
        image.require_same_grid(Image(torch.zeros(1, 4, 5)), "c")
    moved = np.eye(4)
    moved[0, 3] = 0.5
    with pytest.raises(InputError, match=r"differ by up to 0.5"):
        image.require_same_grid(Image(torch.zeros(1, 4, 4), moved), "c")
    moved[0, 3] = 0.005
    image.require_same_grid(Image(torch.zeros(1, 4, 4), moved), "c")


def test_with_data_keeps_the_grid() -> None:
    affine = spacing_affine((2.0, 3.0))
    image = Image(torch.zeros(1, 4, 4), affine, "HU", "CT", "int16")
    other = image.with_data(torch.ones(1, 4, 4), unit="Gy")
    assert other.affine is affine
    assert (other.unit, other.modality, other.stored) == ("Gy", "CT", "int16")
    assert image.data.sum() == 0


def test_batch_moves_and_counts() -> None:
    batch = Batch(wanted=None, given=torch.zeros(3, 1, 2, 2), extras={"age": torch.zeros(3)})
    assert batch.size == 3
    assert Batch(wanted=None, cases=("a", "b")).size == 2
    moved = batch.to("meta")
    assert moved.given is not None
    assert moved.given.is_meta
    assert moved.extras["age"].is_meta
    assert moved.wanted is None


def test_a_missing_extra_says_what_to_install() -> None:
    with pytest.raises(ImportError, match=r"pip install 'vesalius\[test\]'"):
        raise MissingExtra("sklearn", "test")
