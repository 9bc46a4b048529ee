"""Line integrals along parallel rays as an operator, with its exact adjoint."""

# ruff: noqa: D102  (an override is documented where it is declared)

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, final

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag

from vesalius.core.errors import InputError
from vesalius.physics.operator import LinearOperator, TensorSpace

CHUNK = 2**21  # samples of rays kept at once: bounds memory, changes no value


@final
@dataclass(frozen=True)
class LineIntegrals(LinearOperator):
    """Sinogram of every slice: integrals along parallel rays, in the image's unit times mm.

    Takes real ``(batch, *leading, row, column)``, gives ``(batch, *leading, angle, detector)``.
    With x to the right and y up, in mm from the middle of the image, the ray at angle theta and
    detector position s is ``{(x, y): x cos(theta) + y sin(theta) = s}``, as scikit-image's radon
    has it: at 0 degrees the sinogram is the sum over rows, left column first. Along a ray the image
    is interpolated linearly once in every row or column, whichever it crosses more of (Joseph 1982,
    doi:10.1109/TMI.1982.4307572); outside the image it is zero. Rays are computed a few angles
    at a time, for their matrix would not fit in memory at 512x512.

    Parameters
    ----------
    shape:
        ``(*leading, row, column)``, without the batch: ``(1, 64, 64)``, or ``(1, 20, 64, 64)`` for
        20 slices.
    angles_degrees:
        One a projection.
    spacing_mm:
        Of rows and of columns.
    n_detectors:
        Elements in a row, symmetric about the middle; None covers the diagonal.
    detector_spacing_mm:
        From element to element; None takes the smaller pixel spacing.
    """

    shape: tuple[int, ...]
    angles_degrees: tuple[float, ...]
    spacing_mm: tuple[float, float] = (1.0, 1.0)
    n_detectors: int | None = None
    detector_spacing_mm: float | None = None

    def __post_init__(self) -> None:
        if len(self.shape) < 2 or min(self.shape) < 1:
            raise InputError("a shape (*leading, row, column)", came=self.shape)
        if not self.angles_degrees or not all(map(math.isfinite, self.angles_degrees)):
            raise InputError("at least one finite angle", came=self.angles_degrees)
        lengths = (
            *self.spacing_mm,
            self.pitch_mm,
            1 if self.n_detectors is None else self.detectors,
        )
        if not min(lengths) > 0:
            raise InputError(
                "spacings and a number of detectors above zero",
                came=f"{self.spacing_mm} mm, {self.pitch_mm} mm and {self.n_detectors}",
            )

    @property
    def pitch_mm(self) -> float:
        """From detector element to element."""
        own = self.detector_spacing_mm
        return min(self.spacing_mm) if own is None else own

    @property
    def detectors(self) -> int:
        """Detector elements."""
        if self.n_detectors is not None:
            return self.n_detectors
        height, width = (n * step for n, step in zip(self.shape[-2:], self.spacing_mm, strict=True))
        return math.ceil(math.hypot(height, width) / self.pitch_mm)

    @property
    def domain(self) -> TensorSpace:
        return TensorSpace(self.shape)

    @property
    def codomain(self) -> TensorSpace:
        return TensorSpace((*self.shape[:-2], len(self.angles_degrees), self.detectors))

    def positions_mm(self) -> Tensor:
        """Return the position s of each detector element, ``(detector,)`` float64."""
        count = torch.arange(self.detectors, dtype=torch.float64)
        return (count - (self.detectors - 1) / 2) * self.pitch_mm

    def _forward(self, x: Tensor) -> Tensor:
        flat: Tensor = _Project.apply(x.flatten(0, -3), self)  # type: ignore[no-untyped-call]
        return flat.reshape(*x.shape[:-2], *flat.shape[-2:])

    def _adjoint(self, y: Tensor) -> Tensor:
        flat: Tensor = _Spread.apply(y.flatten(0, -3), self)  # type: ignore[no-untyped-call]
        return flat.reshape(*y.shape[:-2], *flat.shape[-2:])

    def take(self, cases: Sequence[int] | Tensor) -> LineIntegrals:
        return self

    @classmethod
    def collate(cls, operators: Sequence[LineIntegrals]) -> LineIntegrals:
        if any(other != operators[0] for other in operators[1:]):
            raise InputError(
                "cases with one geometry of rays",
                came="several",
                remedy="make batches of cases of one size and spacing",
            )
        return operators[0]

    def to(self, device: torch.device | str) -> LineIntegrals:
        return self

    def _rays(self, theta: float) -> tuple[Tensor, Tensor]:
        """Pixels and weights of all rays of one angle, ``(detector, sample)``."""
        rows, columns = self.shape[-2:]
        dy, dx = self.spacing_mm
        cos, sin = math.cos(theta), math.sin(theta)
        s = self.positions_mm()[:, None]
        if abs(cos) * dx >= abs(sin) * dy:  # a ray crosses more rows than columns
            y = ((rows - 1) / 2 - torch.arange(rows, dtype=torch.float64)) * dy
            across = (s - y * sin) / cos / dx + (columns - 1) / 2
            length, stride, stride_along, size = dy / abs(cos), 1, columns, columns
        else:
            x = (torch.arange(columns, dtype=torch.float64) - (columns - 1) / 2) * dx
            across = (rows - 1) / 2 - (s - x * cos) / sin / dy
            length, stride, stride_along, size = dx / abs(sin), columns, 1, rows
        first = across.floor()
        share = across - first
        along = torch.arange(across.shape[1]) * stride_along
        pixels, weights = [], []
        for index, part in ((first, 1 - share), (first + 1, share)):
            inside = (index >= 0) & (index <= size - 1)
            pixels.append(index.clamp(0, size - 1).long() * stride + along)
            weights.append(torch.where(inside, part * length, 0.0))
        return torch.cat(pixels, dim=1), torch.cat(weights, dim=1)

    def project(self, images: Tensor) -> Tensor:
        """``(n, row, column)`` to ``(n, angle, detector)``, outside of autograd."""
        flat = columns(precise(images.flatten(1)))
        found = [_summed(flat, *part.of_rays) for part in self._parts(flat)]
        sinograms = torch.cat(found).T.to(images.dtype)
        return sinograms.reshape(-1, len(self.angles_degrees), self.detectors)

    def spread(self, sinograms: Tensor) -> Tensor:
        """``(n, angle, detector)`` to ``(n, row, column)``, outside of autograd."""
        flat = columns(precise(sinograms.flatten(1)))
        found = flat.new_zeros(math.prod(self.shape[-2:]), len(sinograms))
        start = 0
        for part in self._parts(flat):
            found += _summed(flat[start : start + part.n_rays], *part.of_pixels)
            start += part.n_rays
        return found.T.to(sinograms.dtype).reshape(-1, *self.shape[-2:])

    def _parts(self, values: Tensor) -> Iterator[_Part]:
        samples = self.detectors * 2 * max(self.shape[-2:])
        step = max(1, CHUNK // samples)
        for start in range(0, len(self.angles_degrees), step):
            yield _part(self, start, start + step, values.device, values.dtype)


Sums = tuple[Tensor, Tensor, Tensor]  # what is summed, where each sum begins, and weights


@dataclass(frozen=True)
class _Part:
    """Some angles: each ray as a sum over pixels, and each pixel as a sum over rays."""

    n_rays: int
    of_rays: Sums
    of_pixels: Sums


@lru_cache(maxsize=4)
def _part(
    operator: LineIntegrals, start: int, stop: int, device: torch.device, dtype: torch.dtype
) -> _Part:
    pixels, rays, weights, n_rays = [], [], [], 0
    for angle in operator.angles_degrees[start:stop]:
        some, heavy = operator._rays(math.radians(angle))
        ray = torch.arange(n_rays, n_rays + operator.detectors)[:, None].expand(some.shape)
        inside = heavy != 0
        pixels.append(some[inside])
        rays.append(ray[inside])
        weights.append(heavy[inside])
        n_rays += operator.detectors
    pixel, ray = torch.cat(pixels), torch.cat(rays)
    weight = torch.cat(weights).to(dtype)
    return _Part(
        n_rays,
        _sorted(pixel, ray, weight, n_rays, device),
        _sorted(ray, pixel, weight, math.prod(operator.shape[-2:]), device),
    )


def _sorted(
    summed: Tensor, into: Tensor, weights: Tensor, n_sums: int, device: torch.device
) -> Sums:
    order = into.argsort(stable=True)
    counts = torch.bincount(into, minlength=n_sums)
    begins = counts.cumsum(0) - counts
    return summed[order].to(device), begins.to(device), weights[order].to(device)


def _summed(values: Tensor, summed: Tensor, begins: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of rows of ``values``, gathered and added in one pass."""
    return embedding_bag(summed, values, begins, mode="sum", per_sample_weights=weights)


def columns(cases: Tensor) -> Tensor:
    """``(n, value)`` as ``(value, n)``, copied: embedding_bag is slow where strides are odd."""
    return cases.T.clone(memory_format=torch.contiguous_format)


def precise(values: Tensor) -> Tensor:
    """Half precision as single."""
    return values if values.dtype == torch.float64 else values.float()


class _Project(torch.autograd.Function):
    """Keeps no samples of rays: the gradient is the adjoint."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, operator: LineIntegrals) -> Tensor:
        ctx.operator = operator
        return operator.project(x)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Spread.apply(gradient, ctx.operator), None  # type: ignore[no-untyped-call]


class _Spread(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, operator: LineIntegrals) -> Tensor:
        ctx.operator = operator
        return operator.spread(y)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return _Project.apply(gradient, ctx.operator), None  # type: ignore[no-untyped-call]
