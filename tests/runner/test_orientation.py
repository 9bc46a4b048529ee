from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core.image import Image
from vesalius.runner.orientation import (
    RADIOLOGICAL,
    Turn,
    directions,
    has_geometry,
    slice_of,
    superior_axis,
)

ORIENTATIONS = [
    tuple(zip(order, signs, strict=True))
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]


def volume(orientation: tuple[tuple[int, int], ...]) -> Image:
    """4 x 5 x 6 voxels of 2 x 3 x 5 mm whose axes run as ``orientation`` says."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    for axis, (ras, sign) in enumerate(orientation):
        affine[ras, axis] = sign * (2.0, 3.0, 5.0)[axis]
    affine[:3, 3] = (10, -20, 30)
    data = torch.arange(120.0).reshape(1, 4, 5, 6)
    return Image(data, affine)


def by_place(image: Image) -> dict[tuple[float, ...], float]:
    """Value by position in mm."""
    found = {}
    for index in np.ndindex(*image.space):
        place = image.affine @ np.array([*index, *[0] * (3 - len(index)), 1.0])
        found[tuple(np.round(place[:3], 6))] = float(image.data[0][index])
    return found


@given(st.sampled_from(ORIENTATIONS), st.sampled_from(ORIENTATIONS))
def test_a_turned_volume_has_the_wanted_axes_and_every_value_in_its_place(
    current: tuple[tuple[int, int], ...], wanted: tuple[tuple[int, int], ...]
) -> None:
    image = volume(current)
    assert directions(image) == current
    turn = Turn.between(current, wanted)
    assert turn is not None
    turned = turn.forward(image)
    assert directions(turned) == wanted
    assert by_place(turned) == by_place(image)
    assert torch.equal(turn.back(turned.data), image.data)


def test_an_axial_slice_of_a_ras_volume_is_turned_to_how_radiologists_see_it() -> None:
    image = slice_of(volume(((0, 1), (1, 1), (2, 1))), 2, 3)
    assert directions(image) == ((0, 1), (1, 1))
    turn = Turn.between(directions(image), RADIOLOGICAL)
    assert turn is not None
    turned = turn.forward(image).data[0]
    # first row most anterior, first column most to the patient's right... of the viewer's left
    assert torch.equal(turned, image.data[0].T.flip(0, 1))
    assert by_place(turn.forward(image)) == by_place(image)


def test_a_slice_in_another_plane_is_not_turned() -> None:
    assert Turn.between(((0, 1), (2, 1)), RADIOLOGICAL) is None


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_slices_lie_where_they_lay_in_the_volume(axis: int) -> None:
    image = volume(((2, -1), (0, 1), (1, -1)))
    whole = by_place(image)
    part = by_place(slice_of(image, axis, 2))
    assert len(part) == image.data.numel() / image.space[axis]
    assert part.items() <= whole.items()


def test_superior_axis() -> None:
    assert superior_axis(volume(((2, -1), (0, 1), (1, 1)))) == 0
    assert superior_axis(volume(((0, 1), (2, -1), (1, 1)))) == 1
    assert superior_axis(Image(torch.zeros(1, 4, 5, 6))) == 2


def test_the_identity_says_nothing() -> None:
    assert not has_geometry(Image(torch.zeros(1, 4, 4)))
    assert has_geometry(volume(ORIENTATIONS[0]))
