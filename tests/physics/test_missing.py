"""Holes and low resolution: projections with known images."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch

from vesalius.core import InputError
from vesalius.physics.downsampling import Downsampled, LowResolution, Way
from vesalius.physics.hole import Hole
from vesalius.physics.masking import Masking
from vesalius.physics.operator import collate
from vesalius.testing.check_operator import check_operator


@pytest.mark.parametrize("way", ["kspace", "average"])
@pytest.mark.parametrize("space", [(12, 8), (4, 8, 12), (16,)])
def test_low_resolution_is_a_projection_that_keeps_constants(
    way: Way, space: tuple[int, ...]
) -> None:
    operator = LowResolution((2, *space), 4, way)
    generator = torch.Generator().manual_seed(0)
    check_operator(operator, generator=generator)
    x = torch.randn(3, 2, *space, generator=generator, dtype=torch.float64)
    once = operator.forward(x)
    assert torch.allclose(operator.forward(once), once, atol=1e-12)
    assert not torch.allclose(once, x)
    ones = torch.ones_like(x)
    assert torch.allclose(operator.forward(ones), ones, atol=1e-12)


def test_kspace_truncation_keeps_low_waves_and_drops_high_ones() -> None:
    place = 2 * math.pi * torch.arange(32, dtype=torch.float64) / 32
    operator = LowResolution((1, 32), 4, "kspace")
    for frequency in range(17):
        wave = torch.cos(frequency * place + 0.3).view(1, 1, -1)
        kept = operator.forward(wave)
        # 8 samples hold frequencies up to 3 with both signs
        expected = wave if frequency <= 3 else torch.zeros_like(wave)
        assert torch.allclose(kept, expected, atol=1e-12), frequency


def test_average_is_the_mean_of_blocks() -> None:
    x = torch.tensor([[1.0, 3.0, 10.0, 20.0], [5.0, 7.0, 30.0, 40.0]])[None]
    y, _ = Downsampled(2, "average").apply(x, {"factor": 2})
    assert torch.equal(y[0], torch.tensor([[4.0, 4.0, 25.0, 25.0]] * 2))


def test_sizes_that_do_not_divide_are_refused() -> None:
    rng = np.random.default_rng(0)
    assert Downsampled(4).draw(rng, (33, 40)) == {"factor": 4}
    with pytest.raises(InputError, match="4 divides"):
        Downsampled(4, "average").draw(rng, (33, 40))
    with pytest.raises(InputError, match="factor"):
        Downsampled(4).draw(rng, (3, 40))


@pytest.mark.parametrize("space", [(20, 31), (8, 9, 10)])
def test_holes_are_inside_and_of_the_size_that_was_asked_for(space: tuple[int, ...]) -> None:
    hole = Hole(0.2, 0.5)
    for seed in range(30):
        record = hole.draw(np.random.default_rng(seed), space)
        assert json.loads(json.dumps(record)) == record
        x = torch.rand(2, *space) + 1
        y, operator = hole.apply(x, record)
        gone = y == 0
        assert torch.equal(y[~gone], x[~gone])
        assert torch.equal(gone[0], gone[1])
        for axis, n in enumerate(space):
            others = [k for k in range(len(space)) if k != axis]
            side = int(gone[0].any(dim=tuple(others)).sum() if others else gone[0].sum())
            assert round(0.2 * n) <= side <= round(0.5 * n)
        assert torch.equal(operator.known[0, 0], ~gone[0])
    check_operator(operator, generator=torch.Generator().manual_seed(1))
    both = collate([operator, operator])
    assert isinstance(both, Masking)
    assert both.domain.batch == 2
    with pytest.raises(InputError, match="size"):
        hole.apply(torch.rand(1, 4, 4), record)


def test_several_holes_hide_more_than_one() -> None:
    record = Hole(0.2, 0.2, count=5).draw(np.random.default_rng(3), (50, 50))
    y, _ = Hole(0.2, 0.2, count=5).apply(torch.ones(1, 50, 50), record)
    assert 100 < int((y == 0).sum()) <= 500
    with pytest.raises(InputError, match="hole"):
        Hole(0.5, 0.2).draw(np.random.default_rng(0), (10, 10))
