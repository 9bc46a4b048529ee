"""The radiomic extractor: what it promises of batches, masks, ranges and broken input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import ndimage
from torch import Tensor

from vesalius.core import InputError
from vesalius.metrics.feature import RadiomicFeatures, radiomics


def tissue(seed: int, *shape: int) -> Tensor:
    """Smooth random images in about -300 to 300."""
    noise = np.random.default_rng(seed).normal(size=shape)
    smooth = ndimage.gaussian_filter(noise, [0, 0, *[1.5] * (len(shape) - 2)])
    return torch.from_numpy(smooth / smooth.std() * 100)


PLAIN = RadiomicFeatures((-300, 300), sigmas_mm=(), wavelet=None)
FULL = RadiomicFeatures((-300, 300))


def test_names_and_columns_agree() -> None:
    found = FULL.features(tissue(0, 3, 1, 20, 24))
    assert found.shape == (3, len(FULL.feature_names))
    assert found.dtype == torch.float64
    assert len(set(FULL.feature_names)) == len(FULL.feature_names) == 8 * 77
    images = dict.fromkeys(name.split(".")[0] for name in FULL.feature_names)
    assert list(images) == [
        "original", "log_1mm", "log_2mm", "log_3mm", "coif1_LL", "coif1_LH", "coif1_HL", "coif1_HH",
    ]  # fmt: skip
    column = FULL.feature_names.index("original.first_order.mean")
    assert found[:, column] == pytest.approx(tissue(0, 3, 1, 20, 24).mean((1, 2, 3)))


def test_volumes() -> None:
    extractor = RadiomicFeatures((-300, 300), dimensions=3, sigmas_mm=(2.0,), spacing_mm=(2, 1, 1))
    found = extractor.features(tissue(1, 2, 1, 8, 10, 12))
    assert found.shape == (2, len(extractor.feature_names)) == (2, 10 * 77)
    assert torch.isfinite(found).all()


def test_a_case_does_not_see_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    images = tissue(2, 5, 1, 16, 16)
    alone = torch.cat([FULL.features(image[None]) for image in images])
    monkeypatch.setattr(radiomics, "_VOXELS_AT_ONCE", 2 * 16 * 16)
    torch.testing.assert_close(FULL.features(images), alone, rtol=1e-9, atol=1e-9)


def test_only_the_mask_counts() -> None:
    images = tissue(3, 2, 1, 18, 18)
    mask = torch.zeros(images.shape, dtype=torch.bool)
    mask[..., 3:14, 4:17] = True
    other = torch.where(mask, images, 250.0)
    torch.testing.assert_close(PLAIN.features(images, mask), PLAIN.features(other, mask))
    cropped = PLAIN.features(images[..., 3:14, 4:17])
    torch.testing.assert_close(PLAIN.features(images, mask), cropped)
    everywhere = torch.ones_like(mask)
    torch.testing.assert_close(FULL.features(images, everywhere), FULL.features(images))


def test_intensities_are_never_rescaled() -> None:
    images = tissue(4, 1, 1, 20, 20)
    names = list(PLAIN.feature_names)
    column = names.index("original.glcm.joint_average")
    before, brighter = (PLAIN.features(x)[0, column] for x in (images, images + 60))
    assert brighter - before == pytest.approx(60 / 600 * 32, abs=0.05)
    # the same in another unit, with the range in that unit, has the same texture
    scaled = RadiomicFeatures((-3, 3), sigmas_mm=(), wavelet=None).features(images / 100)
    texture = [i for i, name in enumerate(names) if "first_order" not in name]
    torch.testing.assert_close(scaled[:, texture], PLAIN.features(images)[:, texture])


def test_textures_do_not_turn_with_the_image() -> None:
    images = tissue(5, 2, 1, 19, 19)
    log = RadiomicFeatures((-300, 300), wavelet=None)
    for turned in (images.flip(-1), images.rot90(1, (-2, -1)), images.mT):
        torch.testing.assert_close(log.features(turned), log.features(images), rtol=1e-8, atol=1e-8)


def test_spacing_scales_the_filter_widths() -> None:
    images = tissue(6, 1, 1, 24, 24)
    in_mm = RadiomicFeatures((-300, 300), sigmas_mm=(3.0,), spacing_mm=1.5, wavelet=None)
    in_voxels = RadiomicFeatures((-300, 300), sigmas_mm=(2.0,), wavelet=None)
    torch.testing.assert_close(in_mm.features(images), in_voxels.features(images))


def test_every_filter_has_its_own_range_of_levels() -> None:
    # a flat image of 200 in a range of -300 to 300: level 27 of 32 where the range is kept, and no
    # response, the level in the middle, in what looks for edges
    named = dict(
        zip(FULL.feature_names, FULL.features(torch.full((1, 1, 9, 9), 200.0))[0], strict=True)
    )
    for image in ("original", "coif1_LL"):
        assert named[f"{image}.glcm.joint_average"] == 27
    for image in ("log_1mm", "log_3mm", "coif1_LH", "coif1_HL", "coif1_HH"):
        assert named[f"{image}.glcm.joint_average"] == 17
    images = tissue(11, 1, 1, 20, 20)
    wide = RadiomicFeatures((-300, 300), filtered_half_range=0.5, wavelet=None)
    narrow = RadiomicFeatures((-300, 300), wavelet=None)
    column = wide.feature_names.index("log_2mm.glcm.joint_variance")
    ratio = narrow.features(images)[0, column] / wide.features(images)[0, column]
    assert ratio == pytest.approx(4, rel=0.1)  # half the width of a level, twice the levels


def test_noise_and_blur_move_the_texture_as_they_should() -> None:
    images = tissue(7, 4, 1, 32, 32)
    noise = torch.from_numpy(np.random.default_rng(8).normal(size=images.shape)) * 60
    names = PLAIN.feature_names
    clean, noisy = (dict(zip(names, PLAIN.features(x).mean(0), strict=True))
                    for x in (images, images + noise))  # fmt: skip
    assert noisy["original.glcm.contrast"] > clean["original.glcm.contrast"]
    assert noisy["original.glcm.correlation"] < clean["original.glcm.correlation"]
    assert noisy["original.glrlm.long_emphasis"] < clean["original.glrlm.long_emphasis"]
    assert noisy["original.glszm.percentage"] > clean["original.glszm.percentage"]


@pytest.mark.parametrize("value", [0.0, -1000.0, 123.456, 75.0, 300.0])
def test_constant_images_give_finite_features(value: float) -> None:
    found = FULL.features(torch.full((2, 1, 16, 16), value))
    assert torch.isfinite(found).all()
    named = dict(zip(FULL.feature_names, found[0].tolist(), strict=True))
    assert named["original.first_order.mean"] == pytest.approx(value)
    assert named["original.first_order.skewness"] == 0
    # rounding makes no texture, in no filtered image
    for image in dict.fromkeys(name.split(".")[0] for name in named):
        assert named[f"{image}.glcm.contrast"] == 0, image
        assert named[f"{image}.glszm.percentage"] == 1 / 256, image


def test_a_mask_of_one_voxel_gives_finite_features() -> None:
    mask = torch.zeros(1, 1, 12, 12)
    mask[0, 0, 5, 5] = 1
    assert torch.isfinite(FULL.features(tissue(9, 1, 1, 12, 12), mask)).all()


def test_broken_input_names_the_image() -> None:
    images = tissue(10, 3, 1, 12, 12)
    mask = torch.ones(images.shape, dtype=torch.bool)
    mask[2] = False
    with pytest.raises(InputError, match="image 2: expected a mask with at least one voxel"):
        FULL.features(images, mask)
    images[1, 0, 4, 4] = float("nan")
    with pytest.raises(InputError, match="image 1: expected finite values"):
        FULL.features(images)


@pytest.mark.parametrize("shape", [(2, 2, 8, 8), (2, 8, 8), (2, 1, 4, 8, 8), (0, 1, 8, 8)])
def test_wrong_shapes(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="images of shape"):
        FULL.features(torch.zeros(shape))
    with pytest.raises(InputError, match="mask of the images' shape"):
        FULL.features(torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 9))


def test_wrong_settings() -> None:
    with pytest.raises(InputError, match="low < high"):
        RadiomicFeatures((3, 3))
    with pytest.raises(InputError, match="2 bins"):
        RadiomicFeatures((0, 1), bins=1)
    with pytest.raises(InputError, match="positive widths"):
        RadiomicFeatures((0, 1), sigmas_mm=(0.0,))
    with pytest.raises(InputError, match="3 positive voxel sizes"):
        RadiomicFeatures((0, 1), dimensions=3, spacing_mm=(1.0, 1.0))
    with pytest.raises(InputError, match="filtered_half_range"):
        RadiomicFeatures((0, 1), filtered_half_range=0)
