"""Numbers, categories and missing values as a vector."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from vesalius.core import InputError
from vesalius.networks import CovariateEncoder

NAN = math.nan
CASES = torch.tensor([[0.5, 1.0, -2.0], [NAN, 0.0, 1.5], [3.0, NAN, NAN]])


@pytest.fixture
def encoder() -> CovariateEncoder:
    torch.manual_seed(0)
    return CovariateEncoder(channels_in=3, channels_out=5, categories=(0, 2, 0), width=4)


def test_it_adds_up_what_is_known_and_what_is_not(encoder: CovariateEncoder) -> None:
    assert encoder.slopes is not None
    origin_age, female, male, origin_volume = encoder.values.weight
    age, volume = encoder.slopes
    no_age, no_sex, no_volume = encoder.missing
    sums = [
        origin_age + 0.5 * age + male + origin_volume - 2.0 * volume,
        no_age + female + origin_volume + 1.5 * volume,
        origin_age + 3.0 * age + no_sex + no_volume,
    ]
    normed = encoder.norm(torch.stack(sums))
    expected = encoder.last(functional.silu(encoder.hidden(normed)))
    torch.testing.assert_close(encoder(CASES), expected)


def test_gradient_reaches_every_parameter(encoder: CovariateEncoder) -> None:
    encoder(CASES).square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        rows = parameter.grad.flatten(1).abs().sum(1) if parameter.ndim > 1 else parameter.grad
        assert (rows != 0).all() if parameter.ndim > 1 else (rows != 0).any(), name
        assert rows.isfinite().all(), name


def test_cases_do_not_know_each_other(encoder: CovariateEncoder) -> None:
    alone = torch.cat([encoder(case[None]) for case in CASES])
    torch.testing.assert_close(encoder(CASES), alone)


def test_all_may_be_categories_or_numbers() -> None:
    sexes = CovariateEncoder(channels_in=1, channels_out=2, categories=(3,))
    assert sexes.slopes is None
    assert sexes(torch.tensor([[2.0], [NAN]])).isfinite().all()
    numbers = CovariateEncoder(channels_in=2, channels_out=2)
    assert numbers.categories == (0, 0)
    assert not torch.allclose(numbers(torch.zeros(1, 2)), numbers(torch.full((1, 2), NAN)))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (torch.zeros(2, 2), r"covariates \(batch, 3\)"),
        (torch.zeros(2, 3).long(), "floating-point"),
        (torch.tensor([[0.0, 2.0, 0.0]]), "category from 0 to 1 of covariate 1, got 2"),
        (torch.tensor([[0.0, 0.5, 0.0]]), "got 0.5"),
        (torch.tensor([[0.0, -1.0, 0.0]]), "got -1"),
        (torch.tensor([[math.inf, 0.0, 0.0]]), "finite covariates"),
    ],
)
def test_what_it_does_not_know_is_named(
    encoder: CovariateEncoder, wrong: torch.Tensor, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        encoder(wrong)


def test_categories_are_those_of_the_covariates() -> None:
    with pytest.raises(InputError, match="each of 2 covariates"):
        CovariateEncoder(channels_in=2, channels_out=2, categories=(2,))
    with pytest.raises(InputError, match="no level"):
        CovariateEncoder(channels_in=1, channels_out=2)(torch.zeros(1, 1), torch.zeros(1))
