from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.core import Batch, InputError
from vesalius.generative.losses import L2, Folding, Smoothness, jacobian_determinant
from vesalius.generative.objectives import Registration
from vesalius.physics.deformation import warp

SPACE = (20, 24)


def blob(row: float, column: float) -> Tensor:
    axes = torch.meshgrid(*(torch.arange(n) for n in SPACE), indexing="ij")
    return torch.exp(-((axes[0] - row) ** 2 + (axes[1] - column) ** 2) / 30)[None, None]


def pair(shift: tuple[float, float]) -> Batch:
    """A moving blob, and a fixed one ``shift`` voxels further."""
    moving, fixed = blob(9, 11), blob(9 + shift[0], 11 + shift[1])
    return Batch(wanted=fixed, given=torch.cat([moving, fixed], dim=1), cases=("a",))


class Field(nn.Module):
    """The same field, whatever it sees."""

    def __init__(self, start: Tensor) -> None:
        super().__init__()
        self.field = nn.Parameter(start)

    def forward(self, x: Tensor) -> Tensor:
        return self.field.expand(x.shape[0], -1, *SPACE)


def fit(objective: Registration, network: nn.Module, batch: Batch, steps: int = 60) -> None:
    optimiser = torch.optim.Adam(network.parameters(), 0.15)
    for _ in range(steps):
        loss = objective.loss("network", {"network": network}, batch, torch.Generator(), {})
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()


@pytest.mark.parametrize("squarings", [0, 5])
def test_a_shift_is_found(squarings: int) -> None:
    batch = pair((2.0, -1.0))
    network = Field(torch.zeros(1, 2, 1, 1))
    objective = Registration((L2(),), squarings=squarings)
    fit(objective, network, batch)
    # the moving image is read where it came from
    found = network.field.detach().flatten().tolist()
    assert found == pytest.approx([-2, 1], abs=0.1)
    drawn = objective.predictor({"network": network}, batch)(None, None).detach()
    assert batch.wanted is not None
    assert float((drawn - batch.wanted).abs().max()) < 0.05


def test_smoothness_weighs_against_likeness() -> None:
    batch, rough = pair((2.0, 1.0)), []
    for weight in (0.0, 10.0):
        network = Field(torch.zeros(1, 2, *SPACE))
        objective = Registration((L2(100.0),), regularisation=(Smoothness(weight),))
        fit(objective, network, batch)
        rough.append(float(network.field.detach().diff(dim=2).square().mean()))
    assert rough[1] < 0.3 * rough[0]


def test_velocities_do_not_fold_where_displacements_do() -> None:
    rough = 3 * torch.randn(1, 2, *SPACE, generator=torch.Generator().manual_seed(0))
    rough = nn.functional.avg_pool2d(rough, 5, stride=1, padding=2)
    networks: dict[str, nn.Module] = {"network": Field(2 * rough).requires_grad_(False)}
    batch = pair((0.0, 0.0))
    straight = Registration((L2(),), regularisation=(Folding(),))
    flowing = Registration((L2(),), regularisation=(Folding(),), squarings=7)
    folded = [
        float((jacobian_determinant(o.field(networks, batch)) <= 0).float().mean())
        for o in (straight, flowing)
    ]
    assert folded[0] > 0.05
    assert folded[1] < 0.1 * folded[0]
    values = straight.loss("network", networks, batch, torch.Generator(), {}).values()
    moved = warp(batch.given[:, :1], 2 * rough)  # type: ignore[index]
    assert values["l2"] == pytest.approx(float((moved - batch.wanted).square().mean()))
    assert values["folding"] > 0


def test_a_moving_and_a_fixed_image_must_be_given() -> None:
    assert Registration().interfaces(2, 1)["network"].channels_in == 2
    with pytest.raises(InputError, match="a moving and a fixed image"):
        Registration().interfaces(1, 1)
    with pytest.raises(InputError, match="given images"):
        Registration().predictor({"network": nn.Identity()}, Batch(wanted=None))(None, None)
