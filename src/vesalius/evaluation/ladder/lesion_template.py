"""Lesions cut out of patients, to be put elsewhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vesalius.core.errors import InputError
from vesalius.evaluation.ladder.cohort import Cohort

Array = NDArray[np.float64]
Region = NDArray[np.bool_]
#: Standard deviation in voxels of the soft edge with which a lesion is put in.
EDGE = 0.6
#: Parts of a lesion that must lie where it was told to lie, if there is such a place.
INSIDE = 0.8


@dataclass(frozen=True, eq=False)
class LesionTemplate:
    """One lesion: its values, how much it covers, and where it is, on a box a voxel wider.

    Beyond the lesion ``values`` are its mean, of which the soft edge is made.
    """

    values: Array
    weight: Array
    region: Region

    def put(self, image: Array, corner: tuple[int, ...]) -> None:
        """Blend it into ``image`` ``(*space)`` in place, the box's first voxel at ``corner``."""
        box = tuple(
            slice(at, at + size) for at, size in zip(corner, self.region.shape, strict=True)
        )
        image[box] = (1 - self.weight) * image[box] + self.weight * self.values


def lesion_templates(
    cohort: Cohort, least_voxels: int = 6, most_voxels: int = 40
) -> tuple[LesionTemplate, ...]:
    """Every connected lesion of ``cohort`` of this size that does not touch the image's border.

    Raises InputError without lesions in the cohort, or where none is of this size.
    """
    from scipy.ndimage import find_objects, gaussian_filter, label

    if cohort.lesion is None:
        raise InputError("a cohort with 'lesion'", case="lesion templates")
    found = []
    for image, lesion in zip(cohort.images, cohort.lesion, strict=True):
        parts, _ = label(lesion[0].numpy())
        for number, box in enumerate(find_objects(parts), 1):
            wide = tuple(slice(side.start - 1, side.stop + 1) for side in box)
            inside = all(
                side.start >= 0 and side.stop <= size
                for side, size in zip(wide, parts.shape, strict=True)
            )
            if not inside:
                continue
            region = parts[wide] == number
            if not least_voxels <= region.sum() <= most_voxels:
                continue
            own = image[0].double().numpy()[wide]
            values = np.where(region, own, own[region].mean())
            weight = np.maximum(gaussian_filter(region.astype(float), EDGE), 0.8 * region)
            found.append(LesionTemplate(values, weight, region))
    if not found:
        raise InputError(
            f"lesions of {least_voxels} to {most_voxels} voxels", came="none in the cohort"
        )
    return tuple(found)


def place_for(
    template: LesionTemplate, allowed: Region, rng: np.random.Generator
) -> tuple[int, ...]:
    """Corner of a random place where the lesion lies in ``allowed`` ``(*space)``.

    By at least INSIDE of its voxels; where there is no such place, one where most of it does.
    """
    from scipy.signal import fftconvolve

    if any(s > t for s, t in zip(template.region.shape, allowed.shape, strict=True)):
        raise InputError(
            f"a lesion smaller than the image, {allowed.shape}", came=template.region.shape
        )
    flipped = np.flip(template.region).astype(float)
    share = fftconvolve(allowed.astype(float), flipped, mode="valid") / flipped.sum()
    best = min(INSIDE, float(share.max())) - 1e-6
    places = np.argwhere(share >= best)
    return tuple(int(at) for at in places[rng.integers(len(places))])
