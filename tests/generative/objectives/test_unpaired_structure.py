"""A cycle that must keep structure."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch
from vesalius.generative.losses import L1, NormalisedCrossCorrelation, StructureConsistency
from vesalius.generative.objectives import UnpairedCycle


class Shifted(nn.Module):
    """A generator that changes contrast and moves the image by whole voxels."""

    def __init__(self, voxels: int) -> None:
        super().__init__()
        self.voxels = voxels
        self.factor = nn.Parameter(torch.tensor(-0.5))

    def forward(self, x: Tensor) -> Tensor:
        return self.factor * x.roll(self.voxels, dims=-1)


class Mean(nn.Module):
    """A critic."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * x.mean(dim=(2, 3))


def losses_of(objective: UnpairedCycle, voxels: int) -> tuple[dict[str, float], float]:
    images = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    other = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    networks: dict[str, nn.Module] = {
        "generator": Shifted(voxels),
        "generator_back": Shifted(-voxels),
        "critic": Mean(),
        "critic_back": Mean(),
    }
    found = objective.loss(
        "generators", networks, Batch(wanted=other, given=images), torch.Generator(), {}
    )
    return found.values(), float(found.total.detach())


def test_a_cycle_forgives_what_moves_and_moves_back_and_structure_does_not() -> None:
    structure = StructureConsistency(weight=5.0)
    objective = UnpairedCycle(identity=0.0, structure=(structure,))
    still, _ = losses_of(objective, 0)
    moved, _ = losses_of(objective, 3)
    assert moved["cycle"] == pytest.approx(still["cycle"])
    for name in (structure.name, f"{structure.name}_back"):
        assert still[name] == pytest.approx(0.0, abs=1e-3), "contrast may change"
        assert moved[name] > 0.1, "places may not"


def test_the_terms_of_structure_are_weighed_and_meet_their_own_source() -> None:
    plain, plain_total = losses_of(UnpairedCycle(identity=0.0), 3)
    terms = (L1(2.0), NormalisedCrossCorrelation(0.5))
    found, total = losses_of(UnpairedCycle(identity=0.0, structure=terms), 3)
    extra = {name: value for name, value in found.items() if name not in plain}
    assert set(extra) == {n for loss in terms for n in (loss.name, f"{loss.name}_back")}
    known = sum(loss.weight * (extra[loss.name] + extra[f"{loss.name}_back"]) for loss in terms)
    assert total == pytest.approx(plain_total + known, rel=1e-5)
    images = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    apart = (images + 0.5 * images.roll(3, dims=-1)).abs().mean()
    assert extra["l1"] == pytest.approx(float(apart)), "the drawn against what it was drawn from"


def test_supervised_terms_meet_the_true_partner_both_ways() -> None:
    plain, _ = losses_of(UnpairedCycle(identity=0.0, structure=(L1(3.0),)), 3)
    objective = UnpairedCycle(identity=0.0, structure=(L1(3.0),), supervised=(L1(2.0),))
    found, _ = losses_of(objective, 3)
    assert set(found) - set(plain) == {"l1-2", "l1-2_back"}
    assert {name: found[name] for name in plain} == pytest.approx(plain)
    images = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(0))
    other = torch.rand(4, 1, 12, 12, generator=torch.Generator().manual_seed(1))
    forward, back = -0.5 * images.roll(3, dims=-1), -0.5 * other.roll(-3, dims=-1)
    assert found["l1-2"] == pytest.approx(float((forward - other).abs().mean()))
    assert found["l1-2_back"] == pytest.approx(float((back - images).abs().mean()))
