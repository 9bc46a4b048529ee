"""Grey-level run lengths (GLRLM): how long the same level goes on along a line."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from vesalius.metrics.feature.emphasis import EMPHASIS, emphasis
from vesalius.metrics.feature.grey_levels import Inside, Levels, Values, directions

RUN_LENGTH = EMPHASIS


@lru_cache(maxsize=64)
def _lines(space: tuple[int, ...], step: tuple[int, ...]) -> tuple[Levels, Inside]:
    """Flat voxel indices line after line along ``step``, and which of them begin a line."""
    place = np.indices(space).reshape(len(space), -1)
    room = [
        place[axis] if move > 0 else space[axis] - 1 - place[axis]
        for axis, move in enumerate(step)
        if move
    ]
    passed = np.min(room, axis=0)
    start = np.ravel_multi_index(tuple(place - passed * np.array(step)[:, None]), space)
    order = np.lexsort((passed, start))
    return order, passed[order] == 0


def run_length(levels: Levels, bins: int) -> Values:
    """``RUN_LENGTH`` of each image, averaged over directions: ``(case, feature)``.

    ``levels``: ``(case, *space)``. Voxels outside (level 0) end a run.

    Reference: IBSI 4.7 ("averaged over directions"); Zwanenburg et al. 2020, Radiology 295:328;
    Galloway 1975.
    """
    cases, space = len(levels), levels.shape[1:]
    flat = levels.reshape(cases, -1)
    voxels = (flat > 0).sum(1)
    # counted with 16 bits where possible: the comparison below is bound by memory
    compact = flat.astype(np.int16) if bins < 2**15 else flat
    longest = max(space) + 1
    steps = directions(len(space))
    groups, found_levels, lengths, counts = [], [], [], []
    for number, step in enumerate(steps):
        order, begins = _lines(space, step)
        sequence = compact[:, order]
        starts = np.empty(sequence.shape, dtype=bool)
        starts[:, 1:] = sequence[:, 1:] != sequence[:, :-1]
        starts[:, begins] = True
        position = np.flatnonzero(starts)
        length = np.diff(position, append=sequence.size)
        level = sequence.reshape(-1)[position].astype(np.int64)
        case = position // flat.shape[1]
        matrix = np.bincount((case * (bins + 1) + level) * longest + length)
        entry = np.flatnonzero(matrix)
        owner, found = np.divmod(entry // longest, bins + 1)
        kept = found > 0
        groups.append((owner * len(steps) + number)[kept])
        found_levels.append(found[kept])
        lengths.append((entry % longest)[kept])
        counts.append(matrix[entry][kept])
    features = emphasis(
        np.concatenate(groups), np.concatenate(found_levels), np.concatenate(lengths),
        np.concatenate(counts), np.repeat(voxels, len(steps)),
    )  # fmt: skip
    return np.asarray(features.reshape(cases, len(steps), -1).mean(1))
