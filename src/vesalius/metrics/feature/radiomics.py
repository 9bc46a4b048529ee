"""Radiomic features of an image and of its filtered versions: an extractor without weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.cooccurrence import COOCCURRENCE, cooccurrence
from vesalius.metrics.feature.filters import Wavelet, laplacian_of_gaussian, wavelet_bands
from vesalius.metrics.feature.first_order import FIRST_ORDER, first_order
from vesalius.metrics.feature.grey_levels import Inside, Values, grey_levels
from vesalius.metrics.feature.image_window import check_window
from vesalius.metrics.feature.neighbourhood import NEIGHBOURHOOD, neighbourhood
from vesalius.metrics.feature.run_length import RUN_LENGTH, run_length
from vesalius.metrics.feature.size_zone import SIZE_ZONE, size_zone
from vesalius.metrics.metric import Extractor

# images are worked on in parts of about this many voxels, so that the matrices stay in cache
_VOXELS_AT_ONCE = 2**16


class RadiomicFeatures(Extractor):
    """First-order, GLCM, GLRLM, GLSZM and NGTDM features after IBSI, in 2D or 3D.

    They are measured on the image itself, on its Laplacian of Gaussian at each of ``sigmas_mm`` and
    on the bands of one undecimated wavelet level. Textures are averaged over directions.

    Parameters
    ----------
    intensity_range:
        (low, high) in the unit of the images: what the grey levels divide. Values beyond it count
        as the first or last level. It is never taken from the images.
    dimensions:
        2 for ``(batch, 1, height, width)``, 3 for ``(batch, 1, depth, height, width)``.
    bins:
        Number of grey levels.
    sigmas_mm, spacing_mm:
        Widths of the Laplacian of Gaussian in mm and the size of a voxel along each axis (a number
        for all axes; with the default of 1 the widths are in voxels).
    wavelet:
        "coif1" as in most published radiomics, "haar", or None for no bands.
    filtered_half_range:
        The levels of filtered images divide plus and minus this part of the width of
        ``intensity_range``, moved by half a level so that no response lies within one; the lowest
        wavelet band keeps ``intensity_range`` itself.

    References
    ----------
    Zwanenburg et al. 2020, Radiology 295:328 (IBSI 1); filters after IBSI 2, arXiv:2006.05470.
    Filtered images and feature families are those of Konz et al. 2024, arXiv:2412.01496.
    """

    name = "radiomics"
    citation = "Zwanenburg et al. 2020, Radiology 295:328 (IBSI)"

    def __init__(
        self,
        intensity_range: tuple[float, float],
        *,
        dimensions: Literal[2, 3] = 2,
        bins: int = 32,
        sigmas_mm: tuple[float, ...] = (1.0, 2.0, 3.0),
        spacing_mm: float | tuple[float, ...] = 1.0,
        wavelet: Wavelet | None = "coif1",
        filtered_half_range: float = 0.25,
    ) -> None:
        spacing = (
            (float(spacing_mm),) * dimensions
            if isinstance(spacing_mm, (int, float))
            else tuple(spacing_mm)
        )
        if bins < 2:
            raise InputError("at least 2 bins", came=bins)
        if len(spacing) != dimensions or min(spacing) <= 0:
            raise InputError(f"{dimensions} positive voxel sizes in mm", came=spacing_mm)
        if any(sigma <= 0 for sigma in sigmas_mm):
            raise InputError("positive widths in mm", came=sigmas_mm)
        if filtered_half_range <= 0:
            raise InputError("a positive filtered_half_range", came=filtered_half_range)
        self.intensity_range = check_window(intensity_range, "intensity_range")
        self.dimensions = dimensions
        self.bins = bins
        self.sigmas_mm = tuple(sigmas_mm)
        self.spacing_mm = spacing
        self.wavelet = wavelet
        self.filtered_half_range = filtered_half_range

    @property
    def feature_names(self) -> tuple[str, ...]:
        """``filter.family.feature``, in the order of the columns of :meth:`features`."""
        families = {
            "first_order": FIRST_ORDER,
            "glcm": COOCCURRENCE,
            "glrlm": RUN_LENGTH,
            "glszm": SIZE_ZONE,
            "ngtdm": NEIGHBOURHOOD,
        }
        # the filters of one voxel have the names of the filters of any image
        one = np.zeros((1, *(1,) * self.dimensions))
        return tuple(
            f"{image}.{family}.{feature}"
            for image, _, _ in self._filtered(one)
            for family, features in families.items()
            for feature in features
        )

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, *space)`` in physical units to ``(batch, feature)`` float64 on the CPU.

        ``mask``: ``(batch, 1, *space)`` bool, or None for the whole image. Filters see the whole
        image; features are measured inside the mask. Raises InputError, naming the index of the
        image, for an empty mask or values that are not finite.
        """
        values, inside = self._checked(images, mask)
        at_once = max(1, _VOXELS_AT_ONCE // max(1, values[0].size))
        parts = [
            self._measured(values[first : first + at_once], inside[first : first + at_once])
            for first in range(0, len(values), at_once)
        ]
        return torch.from_numpy(np.concatenate(parts))

    def _checked(self, images: Tensor, mask: Tensor | None) -> tuple[Values, Inside]:
        if images.ndim != self.dimensions + 2 or images.shape[1] != 1 or 0 in images.shape:
            space = "height, width" if self.dimensions == 2 else "depth, height, width"
            raise InputError(
                f"images of shape (batch, 1, {space})",
                came=f"shape {tuple(images.shape)}",
                remedy="pass one channel at a time and set dimensions to 2 or 3",
            )
        values = images.detach().to("cpu", torch.float64)[:, 0]
        if mask is None:
            inside = torch.ones(values.shape, dtype=torch.bool)
        elif mask.shape != images.shape:
            raise InputError(
                f"a mask of the images' shape {tuple(images.shape)}",
                came=f"shape {tuple(mask.shape)}",
            )
        else:
            inside = mask.detach().to("cpu", torch.bool)[:, 0]
        for index in range(len(values)):
            if not torch.isfinite(values[index]).all():
                raise InputError("finite values", came="NaN or infinity", case=f"image {index}")
            if not inside[index].any():
                raise InputError(
                    "a mask with at least one voxel",
                    came="an empty mask",
                    case=f"image {index}",
                    remedy="leave this image out",
                )
        return values.numpy(), inside.numpy()

    def _filtered(self, values: Values) -> Iterator[tuple[str, Values, tuple[float, float]]]:
        """Name, values and range of levels of the image and of each filtered version."""
        low, high = self.intensity_range
        half = self.filtered_half_range * (high - low)
        # zero, the response of every flat region, lies in the middle of a level, not on an edge
        shift = half / self.bins
        edges = (-half - shift, half - shift)
        yield "original", values, (low, high)
        for sigma_mm in self.sigmas_mm:
            response = laplacian_of_gaussian(values, sigma_mm, self.spacing_mm)
            yield f"log_{sigma_mm:g}mm", response, edges
        if self.wavelet is not None:
            for band, response in wavelet_bands(values, self.wavelet).items():
                smooth = set(band) == {"L"}
                yield f"{self.wavelet}_{band}", response, (low, high) if smooth else edges

    def _measured(self, values: Values, inside: Inside) -> Values:
        found = []
        for _, image, (low, high) in self._filtered(values):
            levels = grey_levels(image, inside, low, high, self.bins)
            found += [
                first_order(image, inside, levels, self.bins),
                cooccurrence(levels, self.bins),
                run_length(levels, self.bins),
                size_zone(levels),
                neighbourhood(levels, self.bins),
            ]
        return np.concatenate(found, axis=1)
