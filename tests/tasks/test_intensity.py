from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import Image, InputError
from vesalius.tasks.intensity import Scale

VALUES = st.floats(-1e4, 1e4, width=32)


@given(VALUES, st.floats(1, 1e4), st.lists(VALUES, min_size=1, max_size=5))
def test_a_scale_is_a_linear_map_and_its_inverse(
    low: float, width: float, values: list[float]
) -> None:
    scale = Scale(low, low + width)
    x = torch.tensor(values, dtype=torch.float64)
    ends = scale.to_model(torch.tensor([low, low + width], dtype=torch.float64))
    assert torch.allclose(ends, torch.tensor([-1.0, 1.0], dtype=torch.float64))
    assert torch.allclose(scale.to_physical(scale.to_model(x)), x, atol=1e-6)


def test_known_ranges_are_not_estimated() -> None:
    values = torch.linspace(-50, 50, 64).view(1, 8, 8)
    assert Scale.of([Image(values, unit="HU")], "ct") == Scale(-1024.0, 1650.0, "HU")
    assert Scale.of([Image(values, stored="uint8")], "mr") == Scale(0.0, 255.0, "a.u.")


def test_estimated_ranges_leave_out_the_brightest_voxels() -> None:
    rng = np.random.default_rng(0)
    values = torch.from_numpy(rng.uniform(10, 20, (1, 200, 200)))
    values[0, 0, 0] = 1e6
    scale = Scale.of([Image(values), Image(values + 5)], "mr")
    assert scale.low == pytest.approx(10, abs=0.1)
    assert scale.high == pytest.approx(25, abs=0.3)


def test_what_cannot_be_scaled_is_said() -> None:
    with pytest.raises(InputError, match="low below high"):
        Scale(1.0, 1.0)
    with pytest.raises(InputError, match=r"^mr: expected images that vary, got the constant 3"):
        Scale.of([Image(torch.full((1, 4, 4), 3.0))], "mr")
    with pytest.raises(InputError, match="at least one image"):
        Scale.of([], "mr")
