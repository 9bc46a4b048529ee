from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from vesalius.core.errors import InputError
from vesalius.reports import Picture, Strip, spanning_window
from vesalius.reports.colours import (
    LABELS,
    UNDEFINED_COLOUR,
    colour_table,
    label_colour,
    oklab,
    rgb_of,
    srgb,
)
from vesalius.reports.tiles import plate, png, tile


def decoded(picture: Picture) -> np.ndarray:
    """The colours that a browser would show."""
    uri = tile(picture, "case").uri
    head, _, body = uri.partition(",")
    assert head == "data:image/png;base64"
    image = PillowImage.open(io.BytesIO(base64.b64decode(body)))
    return np.asarray(image.convert("RGB"))


def test_grey_follows_the_window():
    values = np.array([[-1000.0, -160.0, 40.0, 240.0, 3000.0]])
    shown = decoded(Picture("ct", values, (-160.0, 240.0), "HU"))
    assert shown.shape == (1, 5, 3)
    assert (shown[..., 0] == shown[..., 1]).all()
    assert (shown[..., 0] == shown[..., 2]).all()
    assert shown[0, :, 0].tolist() == [0, 0, 128, 255, 255]


@given(
    low=st.floats(-2000, 2000),
    width=st.floats(1, 4000),
    fraction=st.floats(0, 1),
)
def test_grey_is_linear_everywhere_in_the_window(low, width, fraction):
    value = low + fraction * width
    shown = decoded(Picture("x", np.array([[value]]), (low, low + width), "HU"))
    assert abs(int(shown[0, 0, 0]) - 255 * fraction) <= 0.5 + 1e-6


def test_rows_and_columns_keep_their_places():
    values = np.arange(6.0).reshape(2, 3)
    shown = decoded(Picture("x", values, (0, 5), "1"))[..., 0]
    assert shown.tolist() == [[0, 51, 102], [153, 204, 255]]


@pytest.mark.parametrize("colour", ["grey", "signed", "heat", "labels"])
@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_undefined_pixels_are_marked_and_no_others(colour, broken):
    values = np.array([[0.0, broken], [1.0, 2.0]])
    picture = Picture("x", values, (0.0, 2.0), "1", colour)
    shown = decoded(picture)
    assert tuple(shown[0, 1]) == UNDEFINED_COLOUR
    assert sum(tuple(pixel) == UNDEFINED_COLOUR for pixel in shown.reshape(-1, 3)) == 1
    assert "plum" in tile(picture, "case").alt
    assert tile(picture, "case").undefined


def test_the_mark_stands_apart_from_every_map():
    mark = oklab(np.array([UNDEFINED_COLOUR], dtype=np.uint8))
    for colour in ("grey", "signed", "heat"):
        assert np.linalg.norm(oklab(colour_table(colour, 255)) - mark, axis=1).min() > 0.08
    labels = np.array([rgb_of(colour) for colour in LABELS], dtype=np.uint8)
    assert np.linalg.norm(oklab(labels) - mark, axis=1).min() > 0.08


def test_grey_with_undefined_pixels_still_follows_the_window():
    values = np.array([[-160.0, 40.0, 240.0, np.nan]])
    shown = decoded(Picture("ct", values, (-160, 240), "HU"))
    assert shown[0, :3, 0].tolist() == [0, 128, 255]


@pytest.mark.parametrize("window", [(-3.0, 3.0), (-1.0, 4.0), (0.0, 2.0)])
def test_signed_keeps_zero_dark_and_tells_signs_apart(window):
    shown = decoded(Picture("d", np.array([[-1.0, 0.0, 1.0]]), window, "HU", "signed")).astype(int)
    below, zero, above = shown[0]
    assert zero.max() < 20
    assert above[0] > above[2] + 20  # warm
    if window[0] < 0:
        assert below[2] > below[0] + 20  # cold
    else:
        assert below.tolist() == zero.tolist()


def test_heat_is_even_in_lightness():
    table = colour_table("heat", 256)
    lightness = oklab(table)[:, 0]
    steps = np.diff(lightness)
    assert lightness[0] < 0.15
    assert lightness[-1] > 0.97
    assert (steps > -1e-3).all()
    expected = np.linspace(lightness[0], lightness[-1], 256)
    assert np.abs(lightness - expected).max() < 0.02


def test_signed_is_symmetric_in_lightness():
    lightness = oklab(colour_table("signed", 255))[:, 0]
    assert lightness.argmin() == 127
    assert np.abs(lightness - lightness[::-1]).max() < 0.03


def test_oklab_known_values_and_round_trip():
    # Ottosson's own table: white, and sRGB red
    assert oklab(np.array([[255, 255, 255]], np.uint8))[0] == pytest.approx([1, 0, 0], abs=1e-4)
    red = oklab(np.array([[255, 0, 0]], np.uint8))[0]
    assert red == pytest.approx([0.62796, 0.22486, 0.12585], abs=1e-4)
    colours = np.random.default_rng(0).integers(0, 256, (200, 3)).astype(np.uint8)
    assert np.array_equal(srgb(oklab(colours)), colours)


@pytest.mark.parametrize(
    ("colour", "expected"), [("grey", (0, 0, 0)), ("heat", (8, 4, 5)), ("signed", None)]
)
def test_constant_images_in_a_window_without_width(colour, expected):
    shown = decoded(Picture("x", np.zeros((4, 4)), (0.0, 0.0), "HU", colour))
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 1
    if expected:
        assert tuple(shown[0, 0]) == expected
    else:
        assert shown.max() < 20  # the dark middle: no difference


def test_labels_have_their_own_colours_and_names():
    values = np.array([[0, 1, 2, 13, 300]])
    picture = Picture("s", values, (0, 13), "1", "labels", label_names={1: "liver"})
    shown = decoded(picture)
    for place, label in enumerate([0, 1, 2, 13, 300]):
        assert tuple(shown[0, place]) == rgb_of(label_colour(label))
    names = [name for _, name in tile(picture, "case").labels]
    assert names == ["liver", "2", "13", "300"]
    assert tile(picture, "case").labels[-1] == (label_colour(300), "300")


def test_many_labels_are_counted():
    picture = Picture("s", np.arange(40).reshape(5, 8), (0, 39), "1", "labels")
    assert tile(picture, "case").labels[-1][1] == "and 27 more"


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, bool])
def test_every_kind_of_number_is_drawn(dtype):
    shown = decoded(Picture("x", np.array([[0, 1]], dtype=dtype), (0, 1), "1"))
    assert shown[0, :, 0].tolist() == [0, 255]


def test_tile_words():
    made = tile(Picture("error", np.zeros((3, 4)), (-0.5, 40), "HU", "heat"), "case-7")
    assert (made.low, made.high, made.unit) == ("−0.5", "40", "HU")
    assert made.alt == "case-7, error, window −0.5 to 40 HU"
    assert made.gradient.split(",")[0] == "#080405"
    assert (made.width, made.height) == (4, 3)


def test_pixel_aspect_stretches_the_tile_only():
    picture = Picture("sagittal", np.zeros((10, 20)), (0, 1), "HU", pixel_aspect=3.0)
    assert tile(picture, "c").height == 30
    assert PillowImage.open(io.BytesIO(png(picture))).size == (20, 10)


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (5, 5), (8, 4), (11, 6), (30, 6)])
def test_columns_of_a_plate(count, columns):
    pictures = tuple(Picture(str(i), np.zeros((2, 2)), (0, 1), "1") for i in range(count))
    assert plate(Strip("c", "", pictures)).columns == columns


def test_a_strip_without_pictures_is_a_plate():
    assert plate(Strip("c", "", ())).tiles == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixels": np.zeros((1, 4, 4))}, "one slice"),
        ({"pixels": np.zeros((0, 4))}, "one slice"),
        ({"window": (1.0, 0.0)}, "finite window"),
        ({"window": (np.nan, 1.0)}, "finite window"),
        ({"pixel_aspect": 0.0}, "pixel aspect"),
        ({"pixels": np.array([[0.5]]), "colour": "labels"}, "nearest neighbour"),
        ({"pixels": np.array([[-1]]), "colour": "labels"}, "whole numbers"),
    ],
)
def test_wrong_pictures_are_refused(changes, words):
    fields = {"label": "x", "pixels": np.zeros((4, 4)), "window": (0.0, 1.0), "unit": "HU"}
    with pytest.raises(InputError, match=words):
        Picture(**{**fields, **changes})


def test_spanning_window():
    one, two = np.array([[0.0, 1.0]]), np.array([[np.nan, -4.0]])
    assert spanning_window(one, two, percentiles=(0, 100)) == (-4.0, 1.0)
    assert spanning_window(one, two, percentiles=(0, 100), symmetric=True) == (-4.0, 4.0)
    assert spanning_window(np.array([[np.nan, np.inf]])) == (0.0, 1.0)
    assert spanning_window(np.full((2, 2), 7.0)) == (7.0, 7.0)


def test_signed_ends_are_reached_at_equal_distances_from_zero():
    table = colour_table("signed", 255)
    values = np.array([[-3.0, -1.5, 3.0, 9.0]])
    shown = decoded(Picture("d", values, (-3.0, 3.0), "HU", "signed"))
    assert shown[0].tolist() == [table[i].tolist() for i in (0, 64, 254, 254)]
    narrow = decoded(Picture("d", values, (-1.5, 3.0), "HU", "signed"))
    assert narrow[0].tolist() == [table[i].tolist() for i in (64, 64, 254, 254)]


def test_labels_are_laid_over_the_image_and_named():
    values = np.array([[0.0, 100.0, 200.0, 200.0]])
    labels = np.array([[0, 1, 2, 13]])
    names = {1: "anterior", 2: "posterior"}
    picture = Picture("x", values, (0, 200), "a.u.", overlay=labels, label_names=names)
    shown = decoded(picture)
    assert shown[0, 0].tolist() == [0, 0, 0], "the image where nothing is laid over it"
    for column, grey, colour in ((1, 128, LABELS[1]), (2, 255, LABELS[2]), (3, 255, LABELS[1])):
        expected = [(grey + part) / 2 for part in rgb_of(colour)]
        assert np.abs(shown[0, column] - expected).max() <= 1
    made = tile(picture, "case")
    assert made.labels == ((LABELS[1], "anterior"), (LABELS[2], "posterior"), (LABELS[1], "13"))
    assert made.gradient, "the image keeps its scale"
    assert "labels laid over it" in made.alt


@pytest.mark.parametrize(
    ("overlay", "match"),
    [
        (np.zeros((2, 2)), "an overlay of the picture's size"),
        (np.array([[0.5]]), "whole numbers from 0"),
        (np.array([[np.nan]]), "whole numbers from 0"),
    ],
)
def test_overlays_that_do_not_fit_are_refused(overlay, match):
    with pytest.raises(InputError, match=match):
        Picture("x", np.zeros((1, 1)), (0, 1), "1", overlay=overlay)
