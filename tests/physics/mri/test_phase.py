from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.physics.mri import draw_phase, phase_map, random_phase_image


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.lists(st.integers(2, 20), min_size=2, max_size=3).map(tuple))
def test_magnitude_is_kept(seed: int, space: tuple[int, ...]) -> None:
    record = draw_phase(np.random.default_rng(seed), len(space))
    assert json.loads(json.dumps(record)) == record
    magnitude = torch.rand(1, *space, generator=torch.Generator().manual_seed(seed))
    image = random_phase_image(magnitude, record)
    assert image.shape == (2, *space)
    torch.testing.assert_close(image.square().sum(0).sqrt(), magnitude[0])
    assert torch.equal(image, random_phase_image(magnitude[0], record))
    angle = torch.atan2(image[1], image[0]) - phase_map(record, space)
    torch.testing.assert_close(torch.cos(angle)[magnitude[0] > 0.01].min(), torch.tensor(1.0))


def test_by_hand() -> None:
    record = {
        "constant": 0.5,
        "polynomial": [{"powers": [1, 0], "radians": 2.0}, {"powers": [0, 2], "radians": -1.0}],
        "waves": [{"periods": [0.0, 1.0], "shift": 0.25, "radians": 0.3}],
    }
    phase = phase_map(record, (4, 4))
    # position (3, 1): coordinates (+1/2, -1/2)
    wanted = 0.5 + 2 * 0.5 - 0.25 + 0.3 * math.cos(0.25 - math.pi / 2)
    assert float(phase[3, 1]) == pytest.approx(wanted, rel=1e-6)


def test_spread_is_as_documented() -> None:
    rng = np.random.default_rng(0)
    records = [draw_phase(rng, 2) for _ in range(800)]
    linear = [t["radians"] for r in records for t in r["polynomial"] if sum(t["powers"]) == 1]
    quadratic = [t["radians"] for r in records for t in r["polynomial"] if sum(t["powers"]) == 2]
    assert len(linear) == 2 * 800
    assert len(quadratic) == 3 * 800
    assert np.std(linear) == pytest.approx(1.0, rel=0.1)
    assert np.std(quadratic) == pytest.approx(0.5, rel=0.1)
    waves = torch.stack(
        [phase_map({**r, "constant": 0.0, "polynomial": []}, (9, 9)) for r in records]
    )
    assert float(waves.std()) == pytest.approx(0.3, rel=0.1)


def test_smooth() -> None:
    for seed in range(20):
        phase = phase_map(draw_phase(np.random.default_rng(seed), 2), (128, 128))
        assert float(torch.stack([phase.diff(dim=d).abs().max() for d in (0, 1)]).max()) < 0.25


def test_wrong_images() -> None:
    record = draw_phase(np.random.default_rng(0), 2)
    with pytest.raises(InputError, match="air is zero"):
        random_phase_image(-torch.ones(4, 4), record)
    with pytest.raises(InputError, match="2 axes"):
        random_phase_image(torch.ones(4, 4, 4), record)
    with pytest.raises(InputError, match="3 axes"):
        phase_map(record, (4, 4, 4))
