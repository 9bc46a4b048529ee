"""What every metric of one image against its reference has to fulfil, for us and for plug-ins.

These laws cannot see a wrong scale: compare every metric with an independent implementation or a
number worked by hand as well.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.metric import CaseMetric

BATCH = 3
TINY = 1e-6


@dataclass(frozen=True)
class Material:
    """What a metric is tried on.

    Parameters
    ----------
    references:
        ``(shape, generator)`` to references of that shape ``(batch, channel, *space)``, float64.
    spoiled:
        ``(references, amount, generator)`` to worse images; amounts are between 0 and 1.
    """

    references: Callable[[tuple[int, ...], torch.Generator], Tensor]
    spoiled: Callable[[Tensor, float, torch.Generator], Tensor]


def _smooth_images(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    noise = torch.rand(shape, generator=generator, dtype=torch.float64)
    pool = functional.avg_pool2d if len(shape) == 4 else functional.avg_pool3d
    return 1000 * pool(noise, 3, stride=1, padding=1)


def _noisy(references: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    noise = torch.randn(references.shape, generator=generator, dtype=torch.float64)
    return references + 400 * amount * noise


def _balls(shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
    space = shape[2:]
    axes = [torch.arange(n, dtype=torch.float64) for n in space]
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    maps = []
    for _ in range(shape[0]):
        shift = torch.rand(len(space), generator=generator, dtype=torch.float64) * 2 - 1
        centre = torch.tensor(space, dtype=torch.float64) / 2 + shift
        distance = (grid - centre.view(-1, *[1] * len(space))).square().sum(0).sqrt()
        maps.append(distance <= min(space) / 5)
    return torch.stack(maps).unsqueeze(1).expand(shape).to(torch.float64).clone()


def _grown(references: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    reach = 1 + round(3 * amount)
    pool = functional.max_pool2d if references.ndim == 4 else functional.max_pool3d
    return pool(references, 2 * reach + 1, stride=1, padding=reach)


IMAGES = Material(_smooth_images, _noisy)
"""Smooth positive images of about 500, spoiled by white noise."""

LABELS = Material(_balls, _grown)
"""Label maps with a ball of label 1, spoiled by growing it."""


def check_case_metric(
    metric: CaseMetric,
    *,
    best: float,
    symmetric: bool,
    material: Material = IMAGES,
    spaces: tuple[tuple[int, ...], ...] = ((21, 24), (13, 12, 15)),
    reach: int | None = 0,
    seed: int = 0,
) -> None:
    """Raise AssertionError naming the first law that ``metric`` breaks.

    An image against itself has the ``best`` value; the value never improves in the metric's
    direction with the amount of spoiling, and is worse in the end; ``symmetric`` ones do not tell
    prediction from reference; cases do not see their batch; a full mask is no mask; voxels further
    than ``reach`` from the mask do not count (None: not promised); an empty mask gives NaN, and to
    its own case only; the result is ``(batch,)`` float64 from float32, float64 and integer images,
    which stay as they are; shapes that differ, masks that do not fit and NaN raise InputError, the
    last naming the case.

    Parameters
    ----------
    metric:
        With parameters that suit the material.
    best:
        Value of an image against itself.
    symmetric:
        Whether prediction and reference may change places.
    material:
        ``IMAGES``, ``LABELS`` or your own.
    spaces:
        Sizes to try, in 2D, 3D or both.
    reach:
        Half the window of a metric that looks around each voxel.
    seed:
        Of the material.
    """
    assert metric.name, "a metric has a name"
    assert metric.unit, "a metric has a unit ('1' for none)"
    assert metric.citation, "a metric has a source"
    for space in spaces:
        generator = torch.Generator().manual_seed(seed)
        references = material.references((BATCH, 1, *space), generator)
        spoiled = [material.spoiled(references, amount, generator) for amount in (0.1, 0.4, 1.0)]
        _check_order(metric, references, spoiled, best)
        if symmetric:
            _same(
                metric.statistic(references, spoiled[1]),
                metric.statistic(spoiled[1], references),
                "symmetry",
            )
        _check_batch(metric, spoiled[1], references)
        _check_types(metric, spoiled[1], references)
        _check_mask(metric, spoiled[1], references, reach)
        _check_refusals(metric, spoiled[1], references)


def _check_order(
    metric: CaseMetric, references: Tensor, spoiled: list[Tensor], best: float
) -> None:
    identity = metric.statistic(references, references)
    _same(identity, torch.full_like(identity, best), "an image against itself")
    values = [identity, *(metric.statistic(images, references) for images in spoiled)]
    steps = [_worsening(metric, *pair) for pair in itertools.pairwise(values)]
    for step in [*steps, _worsening(metric, values[0], values[-1]) - TINY]:
        assert bool((step >= 0).all()), (
            f"worse images must have worse values (direction {metric.direction}): "
            f"{[value.tolist() for value in values]}"
        )


def _worsening(metric: CaseMetric, before: Tensor, after: Tensor) -> Tensor:
    if metric.direction == "up":
        return before - after
    return after - before if metric.direction == "down" else after.abs() - before.abs()


def _check_batch(metric: CaseMetric, predicted: Tensor, references: Tensor) -> None:
    together = metric.statistic(predicted, references)
    assert together.shape == (BATCH,), f"one value a case: shape {tuple(together.shape)}"
    alone = [metric.statistic(predicted[i : i + 1], references[i : i + 1]) for i in range(BATCH)]
    _same(together, torch.cat(alone), "a case does not see its batch")


def _check_types(metric: CaseMetric, predicted: Tensor, references: Tensor) -> None:
    predicted, references = predicted.round(), references.round()
    before = predicted.clone(), references.clone()
    wide = metric.statistic(predicted, references)
    assert wide.dtype is torch.float64, f"float64 values, not {wide.dtype}"
    for dtype in (torch.float32, torch.int16):
        found = metric.statistic(predicted.to(dtype), references.to(dtype))
        assert found.dtype is torch.float64, f"float64 values from {dtype}, not {found.dtype}"
        _same(found, wide, f"{dtype} images of the same values")
    unchanged = torch.equal(predicted, before[0]) and torch.equal(references, before[1])
    assert unchanged, "images stay as they are"


def _check_mask(
    metric: CaseMetric, predicted: Tensor, references: Tensor, reach: int | None
) -> None:
    whole = torch.ones_like(references, dtype=torch.bool)
    free = metric.statistic(predicted, references)
    _same(metric.statistic(predicted, references, whole), free, "a full mask is no mask")
    one_empty = whole.clone()
    one_empty[1] = False
    values = metric.statistic(predicted, references, one_empty)
    assert math.isnan(values[1]), f"NaN for an empty mask, not {values[1]}"
    _same(values[[0, 2]], free[[0, 2]], "an empty mask is its own case's")
    if reach is None:
        return
    mask = whole.clone()
    for axis, n in enumerate(references.shape[2:], start=2):
        middle = torch.zeros(n, dtype=torch.bool)
        middle[n // 2 - n // 4 : n // 2 + n // 4] = True
        mask &= middle.view(-1, *[1] * (references.ndim - axis - 1))
    pool = functional.max_pool2d if references.ndim == 4 else functional.max_pool3d
    near = pool(mask.double(), 2 * reach + 1, stride=1, padding=reach) > 0 if reach else mask
    elsewhere = torch.where(near, predicted, predicted.flip(0) + 1)
    _same(
        metric.statistic(elsewhere, references, mask),
        metric.statistic(predicted, references, mask),
        "voxels out of the mask's reach do not count",
    )
    masked = metric.statistic(predicted, references, mask)
    assert not torch.allclose(metric.statistic(references, references, mask), masked), (
        "voxels in the mask count"
    )


def _check_refusals(metric: CaseMetric, predicted: Tensor, references: Tensor) -> None:
    mask = torch.ones_like(references, dtype=torch.bool)
    shorter = predicted[..., 1:]
    _refused(metric, shorter, references, None, "images of different shapes")
    _refused(metric, predicted[:1], references, None, "batches of different sizes")
    _refused(metric, predicted, references, mask[..., 1:], "a mask of another shape")
    _refused(metric, predicted, references, mask.double(), "a mask that is not bool")
    for broken, name in ((math.nan, "NaN"), (math.inf, "infinity")):
        for side in range(2):
            pair = [predicted.clone(), references.clone()]
            pair[side].view(BATCH, -1)[1, 5] = broken
            error = _refused(metric, pair[0], pair[1], None, name)
            assert "1" in str(error.case), f"the error for {name} names the case: {error}"


def _refused(
    metric: CaseMetric, predicted: Tensor, references: Tensor, mask: Tensor | None, what: str
) -> InputError:
    try:
        metric.statistic(predicted, references, mask)
    except InputError as error:
        return error
    raise AssertionError(f"{what} must raise InputError")


def _same(found: Tensor, wanted: Tensor, law: str) -> None:
    assert torch.allclose(found, wanted, rtol=1e-9, atol=1e-9, equal_nan=True), (
        f"{law}: {found.tolist()} is not {wanted.tolist()}"
    )
