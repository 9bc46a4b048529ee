"""What pictures of two folders show."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from vesalius.core.image import Image
from vesalius.evaluation.protocols import Content
from vesalius.runner.folder_pictures import SOFT_TISSUE_HU, _View, _window


def test_the_slice_across_the_axis_that_the_file_has() -> None:
    frames = torch.arange(4.0)[:, None, None].expand(4, 5, 6)[None]  # (time, row, column)
    content = Content(Image(frames), slice_axis=0)
    shown = _View.of(content).pixels(content.image)
    assert shown.shape == (5, 6)
    assert set(shown.ravel()) == {2.0}


def test_the_slice_with_most_of_the_mask() -> None:
    content = Content(Image(torch.arange(7.0).expand(1, 4, 5, 7).clone()))
    mask = torch.zeros(1, 4, 5, 7, dtype=torch.bool)
    mask[0, 0, 0, 1:6] = mask[0, 2, :, 5] = True
    assert set(_View.of(content, mask).pixels(content.image).ravel()) == {5.0}
    assert set(_View.of(content).pixels(content.image).ravel()) == {3.0}


def test_an_image_of_two_axes_is_shown_whole() -> None:
    content = Content(Image(torch.rand(1, 3, 4)))
    assert _View.of(content).pixels(content.image).shape == (3, 4)


def test_soft_tissue_for_hounsfield_units_only() -> None:
    shot = np.array([[-1000.0, 50.0], [60.0, 1500.0]])
    assert _window("HU", shot) == SOFT_TISSUE_HU
    low, high = _window("a.u.", shot)
    assert (low, high) == pytest.approx((-1000, 1500), abs=30)
