from __future__ import annotations

import pytest
import torch

from vesalius.core import Batch, InputError
from vesalius.generative.conditioning import (
    Concatenation,
    MaskAblation,
    SpatialCondition,
    Unconditional,
)

GIVEN = torch.randn(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
STATE = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(1))
BATCH = Batch(wanted=None, given=GIVEN)


@pytest.mark.parametrize(
    "conditioning", [Concatenation(), SpatialCondition(), MaskAblation(), Unconditional()]
)
def test_channels_are_those_that_are_arranged(
    conditioning: Concatenation | SpatialCondition | MaskAblation | Unconditional,
) -> None:
    added, condition = conditioning.channels(3)
    inside, beside = conditioning.arrange(STATE, BATCH)
    assert inside.shape[1] == 1 + added
    assert (0 if beside is None else beside.shape[1]) == condition
    assert torch.equal(inside[:, :1], STATE)


def test_one_call_systems_see_what_is_given_alone() -> None:
    assert Concatenation().arrange(None, BATCH)[0] is GIVEN
    inside, beside = SpatialCondition().arrange(None, BATCH)
    assert inside is GIVEN
    assert beside is GIVEN


def test_what_is_missing_is_said() -> None:
    for conditioning in (Concatenation(), SpatialCondition(), MaskAblation()):
        with pytest.raises(InputError, match="task that gives something"):
            conditioning.arrange(STATE, Batch(wanted=STATE))
    with pytest.raises(InputError, match="path's state"):
        Unconditional().arrange(None, BATCH)


def one_hot(labels: torch.Tensor, n: int) -> torch.Tensor:
    return torch.stack([labels == k + 1 for k in range(n)], dim=1).float()


def test_the_label_map_is_the_class_number_over_their_number() -> None:
    labels = torch.tensor([[[0, 1], [2, 4]]])
    inside, beside = MaskAblation().arrange(None, Batch(wanted=None, given=one_hot(labels, 4)))
    assert beside is None
    assert inside.tolist() == [[[[0.0, 0.25], [0.5, 1.0]]]]


@pytest.mark.parametrize("drop", [0.0, 0.25, 0.5, 1.0])
def test_classes_are_dropped_alone_and_with_the_stated_chance(drop: float) -> None:
    n, classes = 20_000, 3
    labels = torch.arange(1, classes + 1).view(1, 1, classes).expand(n, 1, classes)
    batch = Batch(wanted=None, given=one_hot(labels, classes))
    rng = torch.Generator().manual_seed(0)
    inside, _ = MaskAblation(drop).arrange(None, batch, rng=rng)
    gone = (inside[:, 0, 0] == 0).double()
    # four standard errors
    assert torch.allclose(
        gone.mean(0), torch.full((classes,), drop).double(), atol=4 * 0.5 / n**0.5
    )
    if 0 < drop < 1:
        correlation = torch.corrcoef(gone.T) - torch.eye(classes)
        assert float(correlation.abs().max()) < 4 / n**0.5
    drawn, _ = MaskAblation(drop).arrange(None, batch)
    assert (drawn > 0).all(), "nothing is dropped when images are drawn"
