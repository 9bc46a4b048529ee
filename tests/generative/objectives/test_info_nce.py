from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.objectives import Contrastive
from vesalius.generative.objectives.contrastive import retrieved
from vesalius.generative.objectives.info_nce import info_nce, information, sigmoid_pairs
from vesalius.generative.objectives.objective import require_networks
from vesalius.networks.image_embedder import ImageEmbedder
from vesalius.networks.logit_scale import LogitScale


def test_info_nce_by_hand() -> None:
    logits = torch.tensor([[2.0, 0.0], [1.0, 3.0]])
    rows = [math.log1p(math.exp(-2)), math.log1p(math.exp(-2))]
    columns = [math.log1p(math.exp(-1)), math.log1p(math.exp(-3))]
    assert float(info_nce(logits, symmetric=False)) == pytest.approx(sum(rows) / 2)
    assert float(info_nce(logits)) == pytest.approx(sum(rows + columns) / 4)
    assert float(info_nce(logits.T)) == pytest.approx(float(info_nce(logits)))
    assert float(info_nce(torch.zeros(5, 5))) == pytest.approx(math.log(5))
    stacked = torch.stack([logits, torch.zeros(2, 2)])
    expected = (sum(rows) / 2 + math.log(2)) / 2
    assert float(info_nce(stacked, symmetric=False)) == pytest.approx(expected)


def test_sigmoid_pairs_by_hand() -> None:
    logits = torch.tensor([[2.0, 0.5], [-1.0, 3.0]])

    def softplus(x: float) -> float:
        return math.log1p(math.exp(x))

    pairs = softplus(-2.0) + softplus(0.5) + softplus(-1.0) + softplus(-3.0)
    assert float(sigmoid_pairs(logits)) == pytest.approx(pairs / 2)
    # SigLIP's own start: scale 10 and bias -10 for perfect partners and strangers at right angles
    start = 10 * torch.eye(4) - 10
    assert float(sigmoid_pairs(start)) == pytest.approx(softplus(0) + 3 * softplus(-10))


@pytest.mark.parametrize("correlation", [0.5, 0.9])
def test_the_bound_is_below_the_information_of_gaussians_and_reaches_it(
    correlation: float,
) -> None:
    """With the exact log ratio of densities as logits; -log(1 - rho^2) / 2 nats."""
    exact = -math.log(1 - correlation**2) / 2
    rng = torch.Generator().manual_seed(0)
    bounds = []
    for n in (8, 1024):
        found = []
        for _ in range(8192 // n):
            x = torch.randn(n, 1, generator=rng, dtype=torch.float64)
            other = torch.randn(n, 1, generator=rng, dtype=torch.float64)
            y = correlation * x + math.sqrt(1 - correlation**2) * other
            rest = 1 - correlation**2
            logits = -((y.T - correlation * x) ** 2) / (2 * rest) + y.T**2 / 2
            found.append(information(info_nce(logits), n))
        bounds.append(sum(found) / len(found))
    assert bounds[0] < exact
    assert bounds[0] < bounds[1]
    assert bounds[1] == pytest.approx(exact, abs=0.03)


class Corner(nn.Module):
    """A vector of length one from the first voxels."""

    def __init__(self, sign: float = 1.0) -> None:
        super().__init__()
        self.sign = nn.Parameter(torch.tensor(sign))

    def forward(self, x: Tensor) -> Tensor:
        return self.sign * nn.functional.normalize(x.flatten(1)[:, :3], dim=1)


def pairs(n: int = 6) -> Batch:
    rng = torch.Generator().manual_seed(0)
    image = torch.randn(n, 1, 2, 2, generator=rng)
    return Batch(wanted=image, given=image.clone(), cases=tuple(map(str, range(n))))


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_the_loss_is_that_of_the_table_of_products(kind: str) -> None:
    objective = Contrastive(kind=kind, fixed_scale=5.0)  # type: ignore[arg-type]
    networks: dict[str, nn.Module] = {"given_encoder": Corner(), "wanted_encoder": Corner()}
    require_networks(objective, networks)
    case = pairs()
    assert case.wanted is not None
    vectors = nn.functional.normalize(case.wanted.flatten(1)[:, :3], dim=1)
    table = 5.0 * vectors @ vectors.T
    losses = objective.loss("encoders", networks, case, torch.Generator(), {})
    expected = info_nce(table) if kind == "clip" else sigmoid_pairs(table)
    assert float(losses.total.detach()) == pytest.approx(float(expected), rel=1e-5)
    bound = information(info_nce(table), 6)
    assert losses.values()["information"] == pytest.approx(bound, rel=1e-4)
    losses.total.backward()
    assert all(network.sign.grad is not None for network in networks.values())


def test_the_temperature_is_learnt() -> None:
    objective = Contrastive()
    networks: dict[str, nn.Module] = {
        "given_encoder": Corner(),
        "wanted_encoder": Corner(),
        "scale": LogitScale(scale=4.0, bias=-1.0),
    }
    require_networks(objective, networks)
    logits = objective.logits(networks, torch.ones(2, 1, 2, 2), torch.ones(2, 1, 2, 2))
    assert torch.allclose(logits, torch.full((2, 2), 3.0))
    objective.loss("encoders", networks, pairs(), torch.Generator(), {}).total.backward()
    scale = networks["scale"]
    assert isinstance(scale, LogitScale)
    # partners are alike exactly: the sharper the better
    assert scale.log_scale.grad is not None
    assert float(scale.log_scale.grad) < 0
    assert float(LogitScale(scale=500.0)(torch.ones(())).detach()) == pytest.approx(100.0)


def test_encoders_learn_to_find_partners() -> None:
    """Given is wanted upside down and darker: partners are found among unseen cases."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks: dict[str, nn.Module] = {
            name: ImageEmbedder(channels_in=1, channels_out=16, width=4, levels=2)
            for name in ("given_encoder", "wanted_encoder")
        }
    objective = Contrastive(fixed_scale=10.0)
    parameters = [p for network in networks.values() for p in network.parameters()]
    optimiser = torch.optim.Adam(parameters, 3e-3)

    def cases(seed: int, n: int = 32) -> Batch:
        rng = torch.Generator().manual_seed(seed)
        wanted = torch.rand(n, 1, 8, 8, generator=rng)
        blobs = nn.functional.avg_pool2d(wanted, 4)
        wanted = nn.functional.interpolate(blobs, scale_factor=4.0) * 6 - 3
        return Batch(wanted=wanted, given=0.5 * wanted.flip(2), cases=tuple(map(str, range(n))))

    for step in range(50):
        optimiser.zero_grad()
        objective.loss("encoders", networks, cases(step), torch.Generator(), {}).total.backward()
        optimiser.step()
    for network in networks.values():
        network.eval()
    unseen = cases(1000)
    assert unseen.given is not None
    assert unseen.wanted is not None
    places = retrieved(networks, unseen.given, unseen.wanted, 3)
    assert places.shape == (32, 3)
    partners = torch.arange(32)
    assert float((places[:, 0] == partners).float().mean()) > 0.5, "1 in 32 by chance"


def test_what_cannot_be_compared_or_drawn_is_refused() -> None:
    objective = Contrastive(fixed_scale=5.0)
    networks: dict[str, nn.Module] = {"given_encoder": Corner(), "wanted_encoder": Corner()}
    with pytest.raises(InputError, match="at least two cases"):
        objective.loss("encoders", networks, pairs(1), torch.Generator(), {})
    with pytest.raises(InputError, match="Contrastive, which compares"):
        objective.predictor(networks, pairs())
