"""Losses of what a scanner would measure."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import poisson

from vesalius.core import Batch, InputError
from vesalius.generative.losses import DataConsistency, PoissonLikelihood, Sinogram
from vesalius.physics import Identity
from vesalius.physics.ct.line_integrals import LineIntegrals
from vesalius.physics.mri import CartesianMRI


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def test_data_consistency_of_kspace() -> None:
    """With one coil and half of k-space: the energy of the sampled half, and a known gradient."""
    mask = torch.zeros(2, 1, 6, 8, dtype=torch.bool)
    mask[..., ::2] = True
    operator = CartesianMRI(mask, torch.ones(2, 1, 6, 8, dtype=torch.complex128))
    truth, drawn = draw(2, 2, 6, 8), draw(2, 2, 6, 8, seed=1).requires_grad_()
    batch = Batch(wanted=None, measurement=operator.forward(truth), operator=operator)
    loss = DataConsistency()(drawn, batch)
    error = drawn.detach() - truth
    sampled = operator.gram.forward(error)
    assert float(loss.detach()) == pytest.approx(float((error * sampled).sum() / (2 * 48)))
    loss.backward()
    assert drawn.grad is not None
    torch.testing.assert_close(drawn.grad, 2 * sampled / (2 * 48))
    unseen = truth + error - sampled
    assert float(DataConsistency()(unseen, batch)) == pytest.approx(0, abs=1e-12)


def test_without_a_measurement_there_is_a_sentence() -> None:
    image = draw(1, 1, 4, 4)
    for loss in (DataConsistency(), PoissonLikelihood(domain="measurement")):
        with pytest.raises(InputError, match="a task with measurements"):
            loss(image, Batch(wanted=image))


def test_poisson_likelihood_against_scipy() -> None:
    """Its differences are those of minus the log-likelihood of the counts."""
    counts = torch.randint(0, 30, (2, 1, 5, 5), generator=torch.Generator().manual_seed(0)).double()
    batch = Batch(wanted=counts / 10 - 1)
    first, second = 30 * draw(2, 1, 5, 5) + 0.1, 30 * draw(2, 1, 5, 5, seed=1) + 0.1
    loss = PoissonLikelihood(counts=10.0)
    found = [float(loss(rate / 10 - 1, batch)) for rate in (first, second)]
    reference = [-poisson.logpmf(counts, rate).mean() for rate in (first, second)]
    assert found[0] - found[1] == pytest.approx(reference[0] - reference[1])
    best = -poisson.logpmf(counts, counts).mean()
    assert found[0] == pytest.approx(reference[0] - best)


def test_poisson_likelihood_of_projections() -> None:
    operator = LineIntegrals((1, 6, 6), (0.0, 90.0))
    activity = draw(1, 1, 6, 6)
    expected = operator.forward(activity)
    batch = Batch(wanted=None, measurement=expected.round(), operator=operator)
    loss = PoissonLikelihood(counts=1.0, low=0.0, domain="measurement")
    rate, seen = expected.clamp(min=1e-3), expected.round()
    wanted = (rate - seen + torch.special.xlogy(seen, seen / rate)).mean()
    assert float(loss(activity, batch)) == pytest.approx(float(wanted))
    negative = Batch(wanted=None, measurement=-expected, operator=operator)
    with pytest.raises(InputError, match="counts of zero or more"):
        loss(activity, negative)


def test_rates_of_zero_and_counts_of_zero() -> None:
    """Outside a body nothing decays: no infinity, and nothing lost but the smallest rate."""
    nothing = torch.full((1, 1, 3, 3), -1.0)
    found = float(PoissonLikelihood()(nothing, Batch(wanted=nothing)))
    assert found == pytest.approx(1e-3)
    some = Batch(wanted=nothing + 1)
    assert math.isfinite(float(PoissonLikelihood()(nothing, some)))


def test_sinogram_of_a_square_by_hand() -> None:
    """At 0 and 90 degrees a pixel of 2 mm has rays of 2 mm through it, one detector wide."""
    wanted = torch.zeros(1, 1, 8, 8).double()
    drawn = wanted.clone()
    drawn[..., 2:5, 4:6] = 1.5
    operator = LineIntegrals((1, 8, 8), (0.0, 90.0), (2.0, 2.0))
    assert operator.detectors == 12
    sums = 3 * 2 * 1.5 * 2 + 2 * 3 * 1.5 * 2  # all of the rays' integrals
    loss = Sinogram(n_angles=2, spacing_mm=(2.0, 2.0))
    assert float(loss(drawn, Batch(wanted=wanted))) == pytest.approx(sums / (2 * 12))
    squared = Sinogram(n_angles=2, spacing_mm=(2.0, 2.0), norm="l2")
    wanted_squared = 2 * (3 * 1.5 * 2) ** 2 + 3 * (2 * 1.5 * 2) ** 2
    assert float(squared(drawn, Batch(wanted=wanted))) == pytest.approx(wanted_squared / 24)


def test_sinograms_of_slices_are_those_of_a_volume() -> None:
    drawn, wanted = draw(1, 1, 3, 7, 6), draw(1, 1, 3, 7, 6, seed=1)
    loss = Sinogram(n_angles=5)
    slices = loss(drawn[0].transpose(0, 1), Batch(wanted=wanted[0].transpose(0, 1)))
    assert float(loss(drawn, Batch(wanted=wanted))) == pytest.approx(float(slices))


def test_identity_is_a_mean_squared_error() -> None:
    drawn, measured = draw(2, 1, 4, 4), draw(2, 1, 4, 4, seed=1)
    batch = Batch(wanted=None, measurement=measured, operator=Identity((1, 4, 4)))
    found = float(DataConsistency()(drawn, batch))
    assert found == pytest.approx(float((drawn - measured).square().mean()))
