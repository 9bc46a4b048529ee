from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.objectives import MaskedAutoencoder
from vesalius.networks.patch_transformer import PatchTransformer


class Spy(nn.Module):
    """Says 0.5 everywhere, and remembers what it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.5))
        self.seen: list[tuple[Tensor, Tensor]] = []

    def forward(self, x: Tensor, condition: Tensor) -> Tensor:
        self.seen.append((x, condition))
        return self.value.expand_as(x)


def holed(n: int = 4) -> Batch:
    """Images of 12 x 16 with a hole of another size in each."""
    rng = torch.Generator().manual_seed(0)
    image = torch.rand(n, 1, 12, 16, generator=rng) + 1
    missing = torch.zeros(n, 1, 12, 16)
    for k in range(n):
        missing[k, :, 2 : 5 + k, 3:9] = 1
    given = torch.cat([torch.where(missing > 0, -1.0, image), missing], dim=1)
    return Batch(wanted=image, given=given, cases=tuple(map(str, range(n))))


@pytest.mark.parametrize("least", [0.2, 0.75])
def test_hidden_voxels_alone_are_paid_for_and_none_is_seen(least: float) -> None:
    objective = MaskedAutoencoder(patch=4, least=least, most=0.75)
    spy, case, counts = Spy(), holed(), set()
    assert case.wanted is not None
    for seed in range(12):
        rng = torch.Generator().manual_seed(seed)
        losses = objective.loss("network", {"network": spy}, case, rng, {})
        seen, mask = spy.seen[-1]
        hidden = mask > 0.5
        assert bool((seen[hidden] == 0).all())
        assert torch.equal(seen[~hidden], case.wanted[~hidden])
        error = (case.wanted - 0.5)[hidden].square().mean()
        assert float(losses.total.detach()) == pytest.approx(float(error), rel=1e-5)
        patches = hidden.unflatten(2, (3, 4)).unflatten(4, (4, 4)).float().mean(dim=(3, 5))
        assert set(patches.unique().tolist()) == {0.0, 1.0}, "whole patches"
        number = {int(one) for one in patches.sum(dim=(1, 2, 3))}
        assert len(number) == 1, "as many in every case"
        counts |= number
    expected = {9} if least == 0.75 else set(range(2, 10))
    assert counts <= expected
    assert len(counts) > (least != 0.75)


def test_holes_are_hidden_first() -> None:
    objective = MaskedAutoencoder(patch=4, least=0.5, most=0.5)
    missing = torch.zeros(2, 1, 12, 16, dtype=torch.bool)
    missing[0, :, 0:5, 6:9] = True
    missing[1, :, 11, 15] = True
    for seed in range(20):
        hidden = objective.hidden(missing, torch.Generator().manual_seed(seed))
        assert int(hidden.sum()) == 2 * 6 * 16
        assert bool(hidden[missing].all())
        assert bool(hidden[0, 0, 0:8, 4:12].all()), "every patch that misses anything"
        assert bool(hidden[1, 0, 8:, 12:].all())
    some = torch.stack(
        [objective.hidden(missing, torch.Generator().manual_seed(s)) for s in range(60)]
    )
    share = some[:, 1].float().mean(dim=0)[0, ::4, ::4].flatten()[:-1]
    assert bool((share - 5 / 11).abs().max() < 0.25), "the others by lot"


def test_drawing_fills_the_hole_and_keeps_the_rest() -> None:
    objective, spy, case = MaskedAutoencoder(patch=4), Spy(), holed()
    assert case.given is not None
    assert case.wanted is not None
    whole = case.given.clone()
    whole[1, -1] = 0  # nothing is missing here
    whole[1, 0] = case.wanted[1, 0]
    batch = Batch(wanted=None, given=whole, cases=case.cases)
    with torch.no_grad():
        drawn = objective.predictor({"network": spy}, batch)(None, None)
    missing = whole[:, -1:] > 0.5
    assert torch.equal(drawn[~missing], case.wanted[~missing])
    assert bool((drawn[missing] == 0.5).all())
    assert len(spy.seen) == 3, "a whole image asks nothing"
    for seen, mask in spy.seen:
        assert bool((seen[mask > 0.5] == 0).all())
        assert not bool((seen == -1).any()), "what a hole holds is never seen"


def test_a_patch_transformer_learns_to_fill_gradients() -> None:
    """Each image is a plane: what is hidden follows from what is seen."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = PatchTransformer(
            channels_in=1, channels_out=1, condition_channels=1, patch=4, width=32, n_layers=2,
            heads=2, decoder_width=32, decoder_layers=1,
        )  # fmt: skip
    objective = MaskedAutoencoder(patch=4)
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")

    def planes(seed: int) -> Batch:
        a, b = torch.randn(2, 32, 1, 1, 1, generator=torch.Generator().manual_seed(seed))
        return Batch(wanted=a * x + b * y, cases=tuple(map(str, range(32))))

    def paid(seed: int) -> Tensor:
        rng = torch.Generator().manual_seed(seed)
        return objective.loss("network", {"network": network}, planes(seed), rng, {}).total

    before = sum(float(paid(seed).detach()) for seed in range(1000, 1004))
    optimiser = torch.optim.Adam(network.parameters(), 3e-3)
    for step in range(80):
        optimiser.zero_grad()
        paid(step).backward()
        optimiser.step()
    after = sum(float(paid(seed).detach()) for seed in range(1000, 1004))
    assert after < 0.15 * before


def test_what_does_not_fit_is_refused() -> None:
    for settings in ({"patch": 0}, {"least": 0.0}, {"least": 0.8, "most": 0.5}, {"most": 1.0}):
        with pytest.raises(InputError, match="0 < least <= most < 1"):
            MaskedAutoencoder(**settings)  # type: ignore[arg-type]
    objective = MaskedAutoencoder(patch=5)
    with pytest.raises(InputError, match="patches of 5 divide"):
        objective.loss("network", {"network": Spy()}, holed(), torch.Generator(), {})
    with pytest.raises(InputError, match="map of what is missing, got 1 channels"):
        objective.interfaces(1, 1)
    assert objective.interfaces(2, 1) == objective.interfaces(0, 1)
    nothing = Batch(wanted=None, cases=("a",))
    with pytest.raises(InputError, match="got a task that gives nothing"):
        objective.predictor({"network": Spy()}, nothing)(None, None)
