from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.core.errors import InputError
from vesalius.physics import collate
from vesalius.physics.mri import CartesianMRI, UndersampledMRI
from vesalius.testing.check_operator import check_operator


def image(space: tuple[int, ...], seed: int = 0) -> torch.Tensor:
    return torch.randn(2, *space, generator=torch.Generator().manual_seed(seed)) / 4


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([(32, 40), (33, 41), (4, 9, 32)]),
    st.integers(1, 4),
    st.sampled_from(["random", "equispaced"]),
    st.integers(0, 1000),
)
def test_a_case_can_be_made_again_from_its_record(
    space: tuple[int, ...], coils: int, mask: str, seed: int
) -> None:
    degradation = UndersampledMRI(mask=mask, coils=coils)  # type: ignore[arg-type]
    record = degradation.draw(np.random.default_rng(seed), space)
    stored = json.loads(json.dumps(record))
    measurement, operator = degradation.apply(image(space), record)
    again, operator_again = degradation.apply(image(space), stored)
    assert measurement.shape == (coils, *space)
    assert torch.equal(measurement, again)
    assert torch.equal(operator.coil_maps, operator_again.coil_maps)
    assert operator.domain.batch == 1
    assert bool((measurement[~operator.mask[0].expand_as(measurement)] == 0).all())
    other, _ = degradation.apply(
        image(space), degradation.draw(np.random.default_rng(seed + 1), space)
    )
    assert not torch.equal(measurement, other)


def test_the_operator_is_what_made_the_measurement() -> None:
    degradation = UndersampledMRI(noise_std=0.0)
    record = degradation.draw(np.random.default_rng(0), (32, 32))
    measurement, operator = degradation.apply(image((32, 32)), record)
    torch.testing.assert_close(measurement[None], operator.forward(image((32, 32))[None]))
    check_operator(operator, generator=torch.Generator().manual_seed(0))


def test_noise_has_the_size_asked_for_and_is_white() -> None:
    degradation = UndersampledMRI(noise_std=0.02, coils=4)
    record = degradation.draw(np.random.default_rng(0), (128, 128))
    measurement, operator = degradation.apply(torch.zeros(2, 128, 128), record)
    noise = measurement[:, operator.mask[0, 0]]
    assert float(noise.real.std()) == pytest.approx(0.02, rel=0.03)
    assert float(noise.imag.std()) == pytest.approx(0.02, rel=0.03)
    correlation = torch.corrcoef(torch.cat([noise.real, noise.imag]))
    assert float((correlation - torch.eye(8)).abs().max()) < 0.06


def test_noise_does_not_depend_on_the_image() -> None:
    degradation = UndersampledMRI(noise_std=0.02)
    record = degradation.draw(np.random.default_rng(0), (32, 32))
    zero, operator = degradation.apply(torch.zeros(2, 32, 32), record)
    measurement, _ = degradation.apply(image((32, 32)), record)
    torch.testing.assert_close(measurement - operator(image((32, 32))[None])[0], zero)


def test_images_may_be_complex_or_channels() -> None:
    degradation = UndersampledMRI()
    record = degradation.draw(np.random.default_rng(0), (32, 32))
    x = image((32, 32))
    wanted, _ = degradation.apply(x, record)
    for same in (torch.complex(x[0], x[1]), torch.complex(x[0], x[1])[None]):
        torch.testing.assert_close(degradation.apply(same, record)[0], wanted)
    volume = image((3, 8, 32))
    record = degradation.draw(np.random.default_rng(0), (3, 8, 32))
    wanted, _ = degradation.apply(volume, record)
    for same in (torch.complex(volume[0], volume[1]), torch.complex(volume[0], volume[1])[None]):
        torch.testing.assert_close(degradation.apply(same, record)[0], wanted)


def test_cases_go_into_a_batch() -> None:
    degradation = UndersampledMRI(noise_std=0.0)
    rng = np.random.default_rng(0)
    made = [
        degradation.apply(image((32, 36), n), degradation.draw(rng, (32, 36))) for n in range(3)
    ]
    operator = collate([each for _, each in made])
    assert isinstance(operator, CartesianMRI)
    x = torch.stack([image((32, 36), n) for n in range(3)])
    torch.testing.assert_close(operator.forward(x), torch.stack([y for y, _ in made]))
    assert len({tuple(r.flatten().tolist()) for r in operator.mask}) > 1


def test_wrong_images() -> None:
    degradation = UndersampledMRI()
    record = degradation.draw(np.random.default_rng(0), (32, 32))
    with pytest.raises(InputError, match="random_phase_image"):
        degradation.apply(torch.zeros(1, 32, 32), record)
    with pytest.raises(InputError, match="32 lines"):
        degradation.apply(torch.zeros(2, 32, 48), record)
    with pytest.raises(InputError, match="centre"):
        UndersampledMRI(acceleration=20).draw(np.random.default_rng(0), (32, 32))
