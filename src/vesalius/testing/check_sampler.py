"""What every sampler along a Gaussian path has to fulfil, for our tests and for plug-ins."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.gaussian import GaussianPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers.sampler import Sampler
from vesalius.testing.exact_denoiser import Mixture, exact_denoiser, exact_end

#: A sampler of so many steps.
Make = Callable[[int], Sampler]

MEAN, STD = 0.3, 0.4
#: Two groups of voxels far apart; the border between them.
MIXTURE: Mixture = ((0.25, -0.8, 0.1), (0.75, 0.4, 0.2))
BORDER = -0.3
SHAPE = (2, 1, 4, 5)
VOXELS = 10_000


@contextmanager
def _in_double() -> Iterator[None]:
    """Double precision, so that a method's error is seen and not its rounding."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@dataclass
class _Watched:
    """A predictor that writes down what it is asked."""

    inner: Predictor
    shape: tuple[int, ...]
    calls: int = 0
    first: tuple[Tensor, Tensor] | None = None
    returned: list[tuple[Tensor, int]] = field(default_factory=list)

    def __call__(self, x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None, "asked for the image behind no state"
        assert time is not None, "asked for the image behind a state without its time"
        assert tuple(x.shape) == self.shape, f"asked at a state of shape {tuple(x.shape)}"
        assert time.shape == (x.shape[0],), f"asked at times of shape {tuple(time.shape)}"
        assert time.dtype == x.dtype, f"asked at {time.dtype} times of {x.dtype} states"
        low, high = float(time.min()), float(time.max())
        assert 0 < low <= high <= 1, f"asked at time {low} to {high}, off the path"
        if self.first is None:
            self.first = (x.clone(), time.clone())
        self.calls += 1
        found = self.inner(x, time)
        self.returned.append((found, found._version))
        return found


def _draw(
    sampler: Sampler,
    path: GaussianPath,
    mixture: Mixture,
    shape: tuple[int, ...],
    seed: int,
    device: torch.device | str = "cpu",
) -> tuple[Tensor, _Watched]:
    watched = _Watched(exact_denoiser(path, mixture), shape)
    rng = torch.Generator(device).manual_seed(seed)
    with torch.no_grad():
        drawn = sampler.sample(watched, shape, rng)
    assert drawn.device == rng.device, f"drew on {drawn.device} with a generator on {rng.device}"
    return drawn, watched


def measured_order(
    make: Make, path: GaussianPath, steps: tuple[int, ...] = (40, 80, 160), *, seed: int = 0
) -> tuple[float, ...]:
    """How the error falls with the steps: log2 of what is left when they are doubled.

    The images are Gaussian, the denoiser exact, and the truth is where the probability-flow
    equation leads from the state at which the predictor was first asked.
    """
    if any(then != 2 * now for now, then in pairwise(steps)):
        raise InputError("steps that double", came=steps)
    errors = []
    with _in_double():
        for n in steps:
            drawn, watched = _draw(make(n), path, ((1.0, MEAN, STD),), SHAPE, seed)
            assert watched.first is not None, "the predictor was never asked"
            end = exact_end(path, *watched.first, MEAN, STD)
            errors.append(float((drawn - end).abs().max()))
    return tuple(math.log2(more / less) for more, less in pairwise(errors))


def _near(found: float, wanted: float, tolerance: float, what: str) -> None:
    assert abs(found - wanted) <= tolerance, f"{what} is {found:.4f} instead of {wanted:.4f}"


def check_moments(
    make: Make,
    path: GaussianPath,
    steps: int,
    tolerance: float = 0.03,
    device: torch.device | str = "cpu",
) -> None:
    """Raise AssertionError unless draws have the law of the images, one Gaussian and then two.

    ``tolerance`` bounds errors of means, of shares of components, and relative ones of standard
    deviations (four times that for the narrow components). 10000 voxels are drawn, so chance
    alone makes errors of about 0.005.
    """
    shape = (4, 1, VOXELS // 4, 1)
    drawn = _draw(make(steps), path, ((1.0, MEAN, STD),), shape, 0, device)[0].double()
    _near(float(drawn.mean()), MEAN, tolerance, "the mean of a Gaussian")
    _near(float(drawn.std()) / STD, 1.0, tolerance, "the relative deviation of a Gaussian")
    drawn = _draw(make(steps), path, MIXTURE, shape, 1, device)[0].double()
    left = drawn < BORDER
    _near(float(left.double().mean()), MIXTURE[0][0], tolerance, "the share of one of two groups")
    for part, (_, mean, std) in zip((drawn[left], drawn[~left]), MIXTURE, strict=True):
        _near(float(part.mean()), mean, tolerance, "the mean of one of two groups")
        relative = float(part.std()) / std
        _near(relative, 1.0, 4 * tolerance, "the relative deviation of one of two groups")


def check_sampler(
    make: Make,
    path: GaussianPath,
    *,
    order: float | None = None,
    few: int = 6,
    many: int = 150,
    tolerance: float = 0.03,
    device: torch.device | str = "cpu",
) -> None:
    """Raise AssertionError naming the first thing that the sampler ``make(steps)`` does wrong.

    With the exact denoiser of Gaussian images: the predictor is asked ``calls`` times, at states of
    the right shape, at times on the path, one a case, in the states' precision; what it returned is
    not written over; draws come from the generator alone, lie on its device, are again the same
    from the same one, and stay in torch's default precision, single as well as double. Then images
    have the right law (:func:`check_moments`) and, for a sampler whose draws are functions of their
    start, ``order`` is that of convergence to the probability-flow equation
    (:func:`measured_order`).

    Parameters
    ----------
    make:
        From a number of steps to a sampler along ``path``.
    order:
        None for a sampler that adds noise on its way.
    few, many:
        Steps for what does not depend on their number, and for the law of the images.
    tolerance:
        See :func:`check_moments`.
    device:
        Of the generator, for all but the order.
    """
    sampler = make(few)
    state = torch.random.get_rng_state()
    drawn, watched = _draw(sampler, path, MIXTURE, SHAPE, 0, device)
    assert torch.equal(state, torch.random.get_rng_state()), "draws from torch's own stream"
    assert tuple(drawn.shape) == SHAPE, f"drew {tuple(drawn.shape)} for {SHAPE}"
    assert drawn.dtype == torch.float32, f"drew {drawn.dtype} in single precision"
    assert bool(drawn.isfinite().all()), "drew what is not finite"
    assert watched.calls == sampler.calls, f"says {sampler.calls} calls, made {watched.calls}"
    for found, version in watched.returned:
        assert found._version == version, "writes over what the predictor returned"
    again, _ = _draw(sampler, path, MIXTURE, SHAPE, 0, device)
    assert torch.equal(drawn, again), "draws otherwise from the same generator"
    other, _ = _draw(sampler, path, MIXTURE, SHAPE, 1, device)
    assert not torch.allclose(drawn, other), "draws the same from another generator"
    with _in_double():
        double, _ = _draw(sampler, path, MIXTURE, SHAPE, 0, device)
        assert double.dtype == torch.float64, f"drew {double.dtype} in double precision"
    check_moments(make, path, many, tolerance, device)
    if order is not None:
        for found_order in measured_order(make, path):
            _near(found_order, order, 0.25, "the order of convergence")
