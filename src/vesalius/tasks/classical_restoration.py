"""How images are restored without learning: denoising, interpolation, filling of holes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vesalius.physics.degradation import Degradation
from vesalius.physics.downsampling import Downsampled
from vesalius.physics.hole import Hole

Array = NDArray[np.float64]
#: From an image ``space``, where it is missing (or None) and a strength, to the restored image.
Method = Callable[[Array, NDArray[np.bool_] | None, float], Array]

#: Strengths that are tried, in standard deviations of the noise or (smoothing) in voxels.
STRENGTHS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)
SMOOTHING = (0.3, 0.45, 0.6, 0.8, 1.0, 1.4, 2.0)
UNTUNED = (0.0,)


def methods(degradation: Degradation) -> Mapping[str, tuple[Method, tuple[float, ...]]]:
    """Today's methods against a degradation, each with the strengths to choose from."""
    if isinstance(degradation, Downsampled):
        coarse = partial(_interpolated, degradation.factor, degradation.way == "average")
        return {
            "cubic interpolation": (partial(coarse, 3), UNTUNED),
            "linear interpolation": (partial(coarse, 1), UNTUNED),
            ("zero filling" if degradation.way == "kspace" else "nearest"): (_as_it_is, UNTUNED),
        }
    if isinstance(degradation, Hole):
        return {"biharmonic": (_biharmonic, UNTUNED), "mean of the rest": (_mean, UNTUNED)}
    return {
        "non-local means": (_non_local_means, STRENGTHS),
        "total variation": (_total_variation, STRENGTHS),
        "Gaussian smoothing": (_gaussian, SMOOTHING),
    }


def _as_it_is(image: Array, missing: Any, strength: float) -> Array:
    return image


def noise_level(image: Array) -> float:
    """Standard deviation of white noise, from the median of differences along all axes at once.

    Reference: Donoho and Johnstone, Biometrika 81:425, 1994, with Haar's diagonal detail.
    """
    detail = image
    for axis in range(image.ndim):
        detail = np.diff(detail, axis=axis) / np.sqrt(2)
    return max(float(np.median(np.abs(detail))) / 0.6745, 1e-6)


def _total_variation(image: Array, missing: Any, strength: float) -> Array:
    """Chambolle, J Math Imaging Vis 20:89, 2004."""
    from skimage.restoration import denoise_tv_chambolle

    found: Array = denoise_tv_chambolle(image, weight=strength * noise_level(image))
    return found


def _non_local_means(image: Array, missing: Any, strength: float) -> Array:
    """Buades et al., CVPR 2005; the noise's share of patch distances is taken off."""
    from skimage.restoration import denoise_nl_means

    sigma = noise_level(image)
    found: Array = denoise_nl_means(
        image, patch_size=5, patch_distance=6, h=strength * sigma, sigma=sigma, fast_mode=True
    )
    return found


def _gaussian(image: Array, missing: Any, strength: float) -> Array:
    from scipy.ndimage import gaussian_filter

    found: Array = gaussian_filter(image, strength)
    return found


def _interpolated(
    factor: int, averaged: bool, order: int, image: Array, missing: Any, strength: float
) -> Array:
    """A spline through the coarse samples that the image was made from."""
    from scipy.ndimage import map_coordinates

    first = (factor - 1) / 2 if averaged else 0.0
    coarse = image[(slice(None, None, factor),) * image.ndim]
    places = np.meshgrid(*((np.arange(n) - first) / factor for n in image.shape), indexing="ij")
    found: Array = map_coordinates(coarse, places, order=order, mode="nearest")
    return found


def _biharmonic(image: Array, missing: NDArray[np.bool_] | None, strength: float) -> Array:
    """Damelin and Hoang, Int J Math Math Sci 2018:3950312."""
    from skimage.restoration import inpaint_biharmonic

    found: Array = inpaint_biharmonic(image, missing)
    return found


def _mean(image: Array, missing: NDArray[np.bool_] | None, strength: float) -> Array:
    assert missing is not None
    return np.where(missing, image[~missing].mean(), image)
