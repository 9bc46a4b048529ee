from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import Image, InputError
from vesalius.tasks.frame import Frame

SPACES = st.lists(st.integers(3, 20), min_size=2, max_size=3).map(tuple)


def image_of(space: tuple[int, ...]) -> Image:
    """Voxels numbered from one, on a skew grid."""
    affine = np.array([[0, 2, 0, 5], [-3, 0.5, 0, 1], [0, 0, 1.5, -4], [0, 0, 0, 1.0]])
    return Image(torch.arange(1.0, 1 + np.prod(space)).view(1, *space), affine)


@given(SPACES, st.data())
def test_what_fits_is_placed_and_restored_whole(
    space: tuple[int, ...], data: st.DataObject
) -> None:
    size = tuple(n + data.draw(st.integers(0, 6)) for n in space)
    frame, image = Frame(size), image_of(space)
    corner = frame.corner(image, None)
    placed = frame.place(image.data, corner, -7.0)
    assert placed.shape == (1, *size)
    assert int((placed != -7.0).sum()) == np.prod(space)
    assert torch.equal(frame.restore(placed, image, corner, 0.0), image.data)
    labels = frame.place_labels(image.data.long(), corner)
    assert labels.dtype == torch.int64
    assert torch.equal(frame.restore(labels, image, corner, 0), image.data.long())


@given(SPACES, st.integers(1, 3), st.data())
def test_framed_voxels_lie_where_their_blocks_do(
    space: tuple[int, ...], factor: int, data: st.DataObject
) -> None:
    """World point of a framed voxel: the mean of the world points of its block."""
    size = tuple(data.draw(st.integers(1, 9)) for _ in space)
    frame, image = Frame(size, factor), image_of(space)
    corner = frame.corner(image, None)
    voxel = np.array([data.draw(st.integers(0, n - 1)) for n in size])
    block = np.stack(np.meshgrid(*[np.arange(factor)] * len(size)), -1).reshape(-1, len(size))
    inside = np.zeros((len(block), 4))
    inside[:, : len(size)] = np.asarray(corner) + voxel * factor + block
    inside[:, 3] = 1
    expected = (image.affine @ inside.T).mean(axis=1)[:3]
    homogeneous = np.zeros(4)
    homogeneous[: len(size)], homogeneous[3] = voxel, 1
    found = (frame.affine(image, corner) @ homogeneous)[:3]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(SPACES, st.data())
def test_a_field_that_is_smaller_lies_inside(space: tuple[int, ...], data: st.DataObject) -> None:
    size = tuple(data.draw(st.integers(1, n)) for n in space)
    frame, image = Frame(size), image_of(space)
    corner = frame.corner(image, None)
    placed = frame.place(image.data, corner, -7.0)
    assert (placed != -7.0).all(), "nothing but the image is seen"
    back = frame.restore(placed, image, corner, 0.0)
    assert int((back != 0).sum()) == np.prod(size)
    assert torch.equal(back[back != 0], image.data[back != 0])
    for first, n, field in zip(corner, space, size, strict=True):
        assert abs((first + (field - 1) / 2) - (n - 1) / 2) <= 0.5, "in the middle"


def test_the_field_follows_the_mask() -> None:
    image = image_of((10, 12))
    mask = torch.zeros(1, 10, 12, dtype=torch.int64)
    mask[0, 7:10, 0:2] = 1
    frame = Frame((4, 4))
    assert frame.corner(image, Image(mask)) == (6, 0)
    assert frame.corner(image, Image(torch.zeros_like(mask))) == frame.corner(image, None) == (3, 4)


def test_blocks_are_averaged_by_hand() -> None:
    frame = Frame((1, 2), 2)
    image = Image(torch.tensor([[[1.0, 3.0, 10.0, 0.0], [5.0, 7.0, 0.0, 2.0]]]))
    corner = frame.corner(image, None)
    assert corner == (0, 0)
    assert frame.place(image.data, corner, 0.0).tolist() == [[[4.0, 3.0]]]
    assert frame.place_labels(image.data.long(), corner).tolist() == [[[7, 2]]]


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("dims", [2, 3])
def test_a_plane_is_restored_exactly_between_block_centres(factor: int, dims: int) -> None:
    space = (6 * factor,) * dims
    axes = torch.meshgrid(*[torch.arange(n, dtype=torch.float64) for n in space], indexing="ij")
    plane = sum((k + 1.0) * axis for k, axis in enumerate(axes))
    assert isinstance(plane, torch.Tensor)
    image = Image(plane[None].float())
    frame = Frame((6,) * dims, factor)
    corner = frame.corner(image, None)
    back = frame.restore(frame.place(image.data, corner, 0.0), image, corner, 0.0)
    inner = (slice(None), *[slice(factor, -factor)] * dims)
    assert torch.allclose(back[inner], image.data[inner], atol=1e-4)


def test_the_frame_that_fits() -> None:
    assert Frame.fitting((128, 128), (240, 230), "c") == Frame((128, 128), 2)
    assert Frame.fitting((128, 128), (100, 90), "c") == Frame((128, 128), 1)
    with pytest.raises(InputError, match=r"^c: expected images with 2 axes of space, got 3 axes"):
        Frame.fitting((8, 8), (8, 8, 8), "c")
    with pytest.raises(InputError, match="give slices to a 2D recipe"):
        Frame((8, 8)).corner(image_of((4, 4, 4)), None)
    assert Frame.from_json(Frame((3, 4), 2).to_json()) == Frame((3, 4), 2)


def test_blocks_of_a_voxel_and_a_half_are_averaged_by_hand() -> None:
    frame = Frame((1, 2), (1.0, 1.5))
    image = Image(torch.tensor([[[1.0, 4.0, 10.0]]]))
    corner = frame.corner(image, None)
    assert frame.field == (1, 3)
    assert frame.place(image.data, corner, 0.0).tolist() == [[pytest.approx([2.0, 8.0])]]
    assert frame.place_labels(image.data.long(), corner).tolist() == [[[1, 10]]]
    # centres of the blocks lie a quarter of a voxel before voxel 0.5 and after voxel 1.5
    affine = frame.affine(image, corner)
    assert (affine @ [0, 0, 0, 1])[:2].tolist() == [0, 0.25]
    assert (affine @ [0, 1, 0, 1])[:2].tolist() == [0, 1.75]
    assert Frame.from_json(frame.to_json()) == frame
    assert frame.restore(torch.tensor([[[2.0, 8.0]]]), image, corner, 0.0).shape == (1, 1, 3)


@pytest.mark.parametrize("factor", [(1.0, 1.3), (0.5, 1.0), 0])
def test_a_field_of_whole_voxels_is_asked_for(factor: tuple[float, ...] | int) -> None:
    with pytest.raises(InputError, match="a field of whole voxels"):
        Frame((1, 2), factor)


@given(st.integers(1, 3), st.data())
def test_equal_factors_average_as_one_number_does(factor: int, data: st.DataObject) -> None:
    size = tuple(data.draw(st.integers(1, 5)) for _ in range(3))
    one, several = Frame(size, factor), Frame(size, (float(factor),) * 3)
    image = image_of(tuple(data.draw(st.integers(3, 9)) for _ in range(3)))
    corner = one.corner(image, None)
    assert corner == several.corner(image, None)
    assert torch.allclose(
        one.place(image.data, corner, 0.0), several.place(image.data, corner, 0.0), rtol=1e-5
    )
    assert torch.equal(
        one.place_labels(image.data, corner), several.place_labels(image.data, corner)
    )
    assert np.array_equal(one.affine(image, corner), several.affine(image, corner))
