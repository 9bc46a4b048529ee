"""Grey-level size zones (GLSZM): how large the connected patches of one level are."""

from __future__ import annotations

import numpy as np

from vesalius.metrics.feature.emphasis import EMPHASIS, emphasis
from vesalius.metrics.feature.grey_levels import Levels, Values

SIZE_ZONE = EMPHASIS


def size_zone(levels: Levels) -> Values:
    """``SIZE_ZONE`` of each image: ``(case, *space)`` to ``(case, feature)``.

    Zones are joined through sides, edges and corners (8 neighbours in 2D, 26 in 3D).
    Reference: IBSI 4.8; Zwanenburg et al. 2020, Radiology 295:328; Thibault et al. 2014.
    """
    from skimage.measure import label

    cases, dimensions = len(levels), levels.ndim - 1
    # one labelling for all: a layer of outside between one image and the next keeps them apart
    apart = np.pad(levels, [(0, 0), (0, 1), *[(0, 0)] * (dimensions - 1)])
    stacked = apart.reshape(-1, *levels.shape[2:])
    zone = label(stacked, background=0, connectivity=dimensions).ravel()
    size = np.bincount(zone)
    zone_level = np.zeros(len(size), dtype=np.int64)
    zone_level[zone] = stacked.ravel()
    zone_case = np.zeros(len(size), dtype=np.int64)
    zone_case[zone] = np.repeat(np.arange(cases), apart[0].size)
    size, zone_level, zone_case = size[1:], zone_level[1:], zone_case[1:]
    wide, high = int(size.max(initial=0)) + 1, int(zone_level.max(initial=0)) + 1
    entry, count = np.unique((zone_case * high + zone_level) * wide + size, return_counts=True)
    case, level = np.divmod(entry // wide, high)
    return emphasis(case, level, entry % wide, count, (levels.reshape(cases, -1) > 0).sum(1))
