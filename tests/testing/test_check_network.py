"""The check catches networks that break the contract, each in one way."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from vesalius.testing.check_network import check_network


class Sound(nn.Module):
    """A network that keeps the contract; the others differ from it in one thing."""

    def __init__(self) -> None:
        super().__init__()
        self.channels_out = 1
        self.layer = nn.Conv2d(2, 1, 3, padding=1)
        self.scale = nn.Linear(1, 1)

    def forward(
        self, x: Tensor, level: Tensor | None = None, condition: Tensor | None = None
    ) -> Tensor:
        if level is None or condition is None:
            raise ValueError("expected a level and a condition")
        return self.scale(level[:, None])[:, :, None, None] * self.layer(
            torch.cat([x, condition], 1)
        )


class WrongShape(Sound):
    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        return super().forward(x, level, condition)[..., 1:]


class WrongType(Sound):
    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        return super().forward(x, level, condition).double()


class NotFinite(Sound):
    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        return super().forward(x, level, condition) / 0


class Dead(Sound):
    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.ones(1))


class DeadBias(Sound):
    """A bias just before a normalisation that takes it away again."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.InstanceNorm2d(1)
        self.last = nn.Conv2d(1, 1, 1)

    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        if level is None or condition is None:
            raise ValueError("expected a level and a condition")
        seen = self.last(self.norm(self.layer(torch.cat([x, condition], 1))))
        return self.scale(level[:, None])[:, :, None, None] * seen


class TiedBatch(Sound):
    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        y = super().forward(x, level, condition)
        return y - y.mean(0)


class EvenOnly(Sound):
    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        y = super().forward(x, level, condition)
        half = nn.functional.avg_pool2d(y, 2)
        return nn.functional.interpolate(half, scale_factor=2)


class DeafToLevel(Sound):
    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        return super().forward(x, None if level is None else level.detach() * 0, condition)


class BlindToCondition(Sound):
    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        return super().forward(x, level, x if condition is not None else None)


class Careless(Sound):
    """Does without what it was built to take."""

    def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
        level = torch.ones_like(x[:, 0, 0, 0]) if level is None else level
        return super().forward(x, level, condition)


class Forgetful(Sound):
    """Comes out otherwise after its state was loaded."""

    def load_state_dict(self, state_dict, strict=True, assign=False):  # type: ignore[no-untyped-def]
        found = super().load_state_dict(state_dict, strict, assign)
        with torch.no_grad():
            self.scale.bias.add_(1)
        return found


def given(batch: int = 2) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    x, condition = torch.randn(2, batch, 1, 12, 14, generator=generator)
    return x, torch.arange(batch) - 0.3, condition


def test_a_sound_network_passes_and_is_left_alone() -> None:
    network = Sound()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    state = torch.random.get_rng_state()
    check_network(network, *given())
    assert torch.equal(torch.random.get_rng_state(), state)
    assert network.training
    for name, value in network.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(parameter.grad is None for parameter in network.parameters())


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (WrongShape, r"expected \(2, 1, 12, 14\), got \(2, 1, 12, 13\)"),
        (WrongType, "came out as torch.float64"),
        (NotFinite, "not finite"),
        (Dead, "no gradient reaches unused"),
        (DeadBias, "no gradient reaches layer.bias"),
        (TiedBatch, "case 0 of a batch comes out otherwise than alone"),
        (EvenOnly, "came out as"),
        (DeafToLevel, r"no gradient reaches scale.weight"),
        (BlindToCondition, "no gradient reaches the condition"),
        (Careless, "does without its level silently"),
        (Forgetful, "after its state was saved and loaded"),
    ],
)
def test_a_broken_network_is_caught(kind: type[Sound], said: str) -> None:
    with pytest.raises(AssertionError, match=rf"{kind.__name__}: .*{said}"):
        check_network(kind(), *given())


def test_a_network_that_takes_what_it_does_not_use_is_caught() -> None:
    class Deaf(nn.Conv2d):
        channels_out = 1

        def forward(self, x, level=None, condition=None):  # type: ignore[no-untyped-def]
            return super().forward(x)

    x, level, condition = given()
    network = Deaf(1, 1, 3, padding=1)
    with pytest.raises(AssertionError, match="takes a level without a word"):
        check_network(network, x)
    with pytest.raises(AssertionError, match="no gradient reaches the condition"):
        check_network(network, x, None, condition)
    with pytest.raises(AssertionError, match="the level does not matter"):
        check_network(network, x, level)


def test_the_batch_check_can_be_left_out() -> None:
    check_network(TiedBatch(), *given(), batch_independent=False)


def test_one_case_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least two cases"):
        check_network(Sound(), *given(batch=1))
