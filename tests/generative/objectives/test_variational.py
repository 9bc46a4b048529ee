"""The bound against evidences that are known in closed form."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.distributions import Bernoulli, Laplace, MultivariateNormal, Normal, kl_divergence

from vesalius.core import Batch, InputError
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Likelihood, Variational
from vesalius.generative.objectives.gaussian_code import draw_code
from vesalius.generative.samplers import Prior

SIDE, CODES, NOISE = 4, 3, 0.3


def rng_of(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class LinearDecoder(nn.Module):
    """x = W z + b with orthogonal columns, so that the exact posterior is diagonal."""

    reduction = SIDE

    def __init__(self) -> None:
        super().__init__()
        rng = rng_of(0)
        basis = torch.linalg.qr(torch.randn(SIDE**2, CODES, generator=rng, dtype=torch.float64))[0]
        self.weight = basis * torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
        self.shift = torch.randn(SIDE**2, generator=rng, dtype=torch.float64)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        flat = x.flatten(1) @ self.weight.T + self.shift
        return flat.view(-1, 1, SIDE, SIDE)


class Posterior(nn.Module):
    """The exact posterior of :class:`LinearDecoder` under Gaussian noise, moved by ``off``."""

    reduction = SIDE

    def __init__(self, decoder: LinearDecoder, off: float = 0.0) -> None:
        super().__init__()
        self.decoder = decoder
        self.off = nn.Parameter(torch.full((2 * CODES,), off, dtype=torch.float64))

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        weight, shift = self.decoder.weight, self.decoder.shift
        precision = 1 + weight.square().sum(dim=0) / NOISE**2
        mean = (x.flatten(1) - shift) @ weight / NOISE**2 / precision
        both = torch.cat([mean, -precision.log().expand_as(mean)], dim=1) + self.off
        return both.view(-1, 2 * CODES, 1, 1)


def linear(**settings: Any) -> Variational:
    return Variational(
        channels=CODES,
        likelihood=Likelihood("gaussian", NOISE),
        conditioning=Unconditional(),
        **settings,
    )


def evidence(decoder: LinearDecoder, x: Tensor) -> Tensor:
    """log N(x; b, W W' + s^2 I) of each image, nats."""
    covariance = decoder.weight @ decoder.weight.T + NOISE**2 * torch.eye(SIDE**2)
    return MultivariateNormal(decoder.shift, covariance).log_prob(x.flatten(1))


def repeated(n: int) -> Batch:
    """One image n times: the mean over the batch is the expectation over codes."""
    x = torch.randn(1, 1, SIDE, SIDE, generator=rng_of(1), dtype=torch.float64)
    return Batch(wanted=x.expand(n, -1, -1, -1), cases=("a",) * n)


def bound(objective: Variational, networks: dict[str, nn.Module], batch: Batch) -> Tensor:
    losses = objective.loss("autoencoder", networks, batch, rng_of(2), {})
    assert batch.wanted is not None
    return -losses.total * math.prod(batch.wanted.shape[1:])


def test_the_bound_is_the_evidence_where_the_posterior_is_exact() -> None:
    decoder = LinearDecoder()
    batch = repeated(200_000)
    assert batch.wanted is not None
    networks: dict[str, nn.Module] = {"encoder": Posterior(decoder), "decoder": decoder}
    found = float(bound(linear(), networks, batch).detach())
    known = float(evidence(decoder, batch.wanted[:1]))
    # the reconstruction varies by a code's part of |x - Wz|^2 / 2 s^2, well below 3 nats
    assert found == pytest.approx(known, abs=4 * 3 / math.sqrt(200_000))


@pytest.mark.parametrize("off", [-0.5, 0.3])
def test_the_bound_falls_short_by_the_divergence_from_the_posterior(off: float) -> None:
    decoder = LinearDecoder()
    batch = repeated(200_000)
    assert batch.wanted is not None
    exact, moved = Posterior(decoder), Posterior(decoder, off)
    networks: dict[str, nn.Module] = {"encoder": moved, "decoder": decoder}
    found = float(bound(linear(), networks, batch).detach())

    def law(encoder: Posterior) -> Normal:
        assert batch.wanted is not None
        mean, log_variance = encoder(batch.wanted[:1]).detach().flatten().chunk(2)
        return Normal(mean, (log_variance / 2).exp())

    gap = float(kl_divergence(law(moved), law(exact)).sum())
    assert gap > 0.05
    known = float(evidence(decoder, batch.wanted[:1])) - gap
    assert found == pytest.approx(known, abs=4 * 3 / math.sqrt(200_000))


def test_at_the_exact_posterior_the_bound_is_level() -> None:
    """Its slope along every parameter of the encoder vanishes; away from it, it does not."""
    decoder, batch = LinearDecoder(), repeated(100_000)
    for off, level in ((0.0, True), (0.3, False)):
        encoder = Posterior(decoder, off)
        value = bound(linear(), {"encoder": encoder, "decoder": decoder}, batch)
        (slope,) = torch.autograd.grad(value, encoder.off)
        assert bool((slope.abs() < 0.05).all()) is level


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 8), st.sampled_from([(1, 1), (2, 3), (1, 2, 2)]))
def test_terms_by_other_means(seed: int, beta: float, grid: tuple[int, ...]) -> None:
    """KL by torch.distributions; the weights of the terms by hand."""
    mean = torch.randn(2, 3, *grid, generator=rng_of(seed), dtype=torch.float64)
    log_variance = torch.randn(2, 3, *grid, generator=rng_of(seed + 1), dtype=torch.float64)

    class Fixed(nn.Module):
        reduction = 2

        def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
            if x.shape[1] == 1:
                return torch.cat([mean, log_variance], dim=1)
            return torch.zeros(2, 1, *[2 * n for n in grid], dtype=x.dtype)

    images = torch.randn(2, 1, *[2 * n for n in grid], generator=rng_of(seed), dtype=torch.float64)
    objective = Variational(channels=3, beta=beta, conditioning=Unconditional())
    networks: dict[str, nn.Module] = {"encoder": Fixed(), "decoder": Fixed()}
    losses = objective.loss("autoencoder", networks, Batch(wanted=images), rng_of(0), {})
    law = Normal(mean, (log_variance / 2).exp())
    kl = float(kl_divergence(law, Normal(0.0, 1.0)).sum()) / 2
    nats = -float(Normal(0.0, 0.1).log_prob(images).sum()) / 2
    assert losses.values() == pytest.approx({"reconstruction": nats, "kl": kl})
    assert float(losses.total) == pytest.approx((nats + beta * kl) / images[0].numel())
    found = objective.posterior(networks, Batch(wanted=images))
    assert torch.equal(found[0], mean)
    assert torch.equal(found[1], log_variance)


def test_warm_up_and_free_nats_by_hand() -> None:
    decoder, batch = LinearDecoder(), repeated(4)
    networks: dict[str, nn.Module] = {"encoder": Posterior(decoder), "decoder": decoder}

    def loss(objective: Variational, done: float) -> Any:
        return objective.loss(
            "autoencoder", networks, batch, rng_of(0), {"done": torch.tensor(done)}
        )

    for done, part in ((0.0, 0.0), (0.1, 0.5), (0.2, 1.0), (0.9, 1.0)):
        weight, _ = loss(linear(beta=3.0, warm_up=0.2), done).terms["kl"]
        assert weight == pytest.approx(3 * part / SIDE**2)
    plain = loss(linear(), 0.0)
    mean, log_variance = linear().posterior(networks, batch)
    each = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))[0].flatten()
    each = each.detach()
    for free in (float(each.min()) + 1e-3, 100.0):
        freed = loss(linear(free_nats=free), 0.0)
        known = sum(max(free, float(one)) for one in each)
        assert freed.values()["kl"] == pytest.approx(plain.values()["kl"])
        assert freed.values()["kl_paid"] == pytest.approx(known)
        difference = float((freed.total - plain.total).detach()) * SIDE**2
        assert difference == pytest.approx(known - float(each.sum()))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["gaussian", "laplace"]), st.booleans())
def test_likelihoods_are_those_of_torch(seed: int, kind: Any, learnt: bool) -> None:
    rng = rng_of(seed)
    images, centre, log_scale = torch.randn(3, 2, 2, 4, 4, generator=rng, dtype=torch.float64)
    likelihood = Likelihood(kind, None if learnt else 0.4)
    decoded = torch.cat([centre, log_scale], dim=1) if learnt else centre
    assert likelihood.channels(2) == decoded.shape[1]
    scale = log_scale.exp() if learnt else torch.full_like(centre, 0.4)
    law = (Normal if kind == "gaussian" else Laplace)(centre, scale)
    known = law.log_prob(images).flatten(1).sum(1)
    assert torch.allclose(likelihood.log_density(images, decoded), known)
    assert torch.equal(likelihood.image(decoded, 2), centre)


def test_binary_images_have_the_probability_of_their_voxels() -> None:
    logits = 3 * torch.randn(2, 1, 4, 4, generator=rng_of(0), dtype=torch.float64)
    white = (torch.rand(2, 1, 4, 4, generator=rng_of(1), dtype=torch.float64) < 0.5).double()
    likelihood = Likelihood("bernoulli")
    known = Bernoulli(logits=logits).log_prob(white).flatten(1).sum(1)
    assert torch.allclose(likelihood.log_density(2 * white - 1, logits), known)
    assert likelihood.channels(3) == 3
    assert torch.allclose(likelihood.image(logits, 1), 2 * logits.sigmoid() - 1)


def test_a_learnt_scale_has_a_floor() -> None:
    images = torch.zeros(1, 1, 2, 2)
    sunk = torch.cat([images, torch.full_like(images, -50.0)], dim=1)
    found = Likelihood("gaussian", None).log_density(images, sunk)
    assert float(found) == pytest.approx(float(4 * Normal(0.0, 0.01).log_prob(torch.tensor(0.0))))


@settings(max_examples=10, deadline=None)
@given(st.floats(-2, 2), st.floats(-3, 2))
def test_codes_by_their_law(mean: float, log_variance: float) -> None:
    whole = torch.ones(20_000, 1, 1, 1)
    code = draw_code(mean * whole, log_variance * whole, rng_of(0))
    deviation = math.exp(log_variance / 2)
    assert float(code.mean()) == pytest.approx(mean, abs=4.5 * deviation / math.sqrt(20_000))
    assert float(code.std()) == pytest.approx(deviation, rel=0.03)


class Grids(nn.Module):
    """Any interface on a grid of ``reduction``: averaged down, or repeated up; told a condition."""

    def __init__(self, channels_in: int, channels_out: int, reduction: int, up: bool) -> None:
        super().__init__()
        self.reduction, self.up = reduction, up
        self.mix = nn.Conv2d(channels_in, channels_out, 1)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        if condition is not None:
            x = torch.cat([x, condition], dim=1)
        if self.up:
            return self.mix(nn.functional.interpolate(x, scale_factor=float(self.reduction)))
        grid = [-(-n // self.reduction) for n in x.shape[2:]]
        return self.mix(nn.functional.adaptive_avg_pool2d(x, grid))


def test_odd_sizes_are_drawn_whole_and_told_what_is_given() -> None:
    objective = Variational(channels=2, likelihood=Likelihood("laplace", None))
    interfaces = objective.interfaces(given=3, wanted=1)
    assert interfaces["encoder"].channels_in == 4
    assert interfaces["encoder"].channels_out == 4
    assert interfaces["decoder"].channels_in == 5
    assert interfaces["decoder"].channels_out == 2
    networks: dict[str, nn.Module] = {
        "encoder": Grids(4, 4, 4, up=False),
        "decoder": Grids(5, 2, 4, up=True),
    }
    given_images = torch.randn(2, 3, 5, 9, generator=rng_of(0))
    batch = Batch(wanted=torch.zeros(2, 1, 5, 9), given=given_images)
    objective.loss("autoencoder", networks, batch, rng_of(0), {}).total.backward()
    for network in networks.values():
        assert all(p.grad is not None and bool(p.grad.any()) for p in network.parameters())
    shape = objective.code_shape(networks, (2, 1, 5, 9))
    assert shape == (2, 2, 2, 3)
    predict = objective.predictor(networks, batch)
    image = objective.decode(networks, Prior().sample(predict, shape, rng_of(1)), batch, (5, 9))
    assert image.shape == (2, 1, 5, 9)
    swapped = objective.predictor(networks, Batch(wanted=None, given=given_images.flip(0)))
    assert not torch.allclose(
        image, objective.decode(networks, Prior().sample(swapped, shape, rng_of(1)), batch, (5, 9))
    )
    networks["encoder"] = Grids(4, 4, 2, up=False)
    with pytest.raises(InputError, match="give both networks the same multipliers"):
        objective.loss("autoencoder", networks, batch, rng_of(0), {})


def test_the_prior_is_drawn_at_its_temperature() -> None:
    def same(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        assert time is None
        return x

    shape = (100, 3, 10, 10)
    first = Prior().sample(same, shape, rng_of(0))
    assert float(first.mean()) == pytest.approx(0, abs=4 / math.sqrt(30_000))
    assert float(first.std()) == pytest.approx(1, rel=0.02)
    assert torch.allclose(Prior(0.5).sample(same, shape, rng_of(0)), first / 2)
    assert not Prior(0.0).sample(same, shape, rng_of(0)).any()
    assert Prior().calls == 1
    with pytest.raises(InputError, match="temperature of 0 or more"):
        Prior(-1.0)


def test_a_small_autoencoder_learns_the_law_of_its_images() -> None:
    """Images a + z v with z from N(0, 1): the bound comes near the entropy's negative."""
    rng = rng_of(0)
    direction = torch.tensor([1.0, -1.0, 0.5, 0.0]).view(1, 1, 2, 2)
    z = torch.randn(256, 1, 1, 1, generator=rng)
    noise = 0.3 * torch.randn(256, 1, 2, 2, generator=rng)
    batch = Batch(wanted=0.3 + z * direction + noise)
    objective = Variational(
        channels=2, likelihood=Likelihood("gaussian", 0.3), conditioning=Unconditional()
    )

    class Line(nn.Module):
        reduction = 2

        def __init__(self, before: int, after: tuple[int, ...]) -> None:
            super().__init__()
            self.after = after
            self.line = nn.Linear(before, math.prod(after))

        def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
            return self.line(x.flatten(1)).view(-1, *self.after)

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks: dict[str, nn.Module] = {
            "encoder": Line(4, (4, 1, 1)),
            "decoder": Line(2, (1, 2, 2)),
        }
    parameters = [p for network in networks.values() for p in network.parameters()]
    optimiser = torch.optim.Adam(parameters, 5e-2)
    steps = 300
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 5e-2 * (1 - step / steps)
        optimiser.zero_grad()
        objective.loss("autoencoder", networks, batch, rng_of(step), {}).total.backward()
        optimiser.step()
    values = objective.loss("autoencoder", networks, batch, rng_of(0), {}).values()
    flat = direction.flatten()
    law = MultivariateNormal(torch.full((4,), 0.3), torch.outer(flat, flat) + 0.09 * torch.eye(4))
    assert batch.wanted is not None
    known = -float(law.log_prob(batch.wanted.flatten(1)).mean())
    assert sum(values.values()) == pytest.approx(known, abs=0.15)
    predict = objective.predictor(networks, Batch(wanted=None))
    drawn = Prior().sample(predict, (4000, 2, 1, 1), rng).detach().flatten(1)
    assert torch.allclose(drawn.mean(0), torch.full((4,), 0.3), atol=0.12)
    # the maximum of likelihood keeps the sample's variance along the direction (Tipping & Bishop)
    sample = (batch.wanted.flatten(1) @ flat / flat.norm()).var() - 0.09
    line = torch.outer(flat, flat) / flat.square().sum()
    assert torch.allclose(drawn.T.cov(), sample * line, atol=0.2)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"channels": 0}, "at least one channel"),
        ({"beta": -1.0}, "beta"),
        ({"warm_up": 1.5}, "warm_up from 0 to 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        Variational(**wrong)
    with pytest.raises(InputError, match="a scale above zero"):
        Likelihood("gaussian", 0.0)
