from __future__ import annotations

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import LatentScale


def latents(seed: int, n: int = 3) -> Tensor:
    """Two channels of other means and deviations."""
    rng = torch.Generator().manual_seed(seed)
    size = torch.tensor([2.0, 0.1]).view(1, 2, 1, 1)
    return 5 * size + size * torch.randn(n, 2, 4, 5, generator=rng)


def test_mean_and_deviation_of_all_that_was_seen_at_first() -> None:
    scale = LatentScale(channels_in=2, channels_out=2, n_batches=3)
    batches = [latents(seed, n) for seed, n in enumerate((3, 1, 4, 2, 5))]
    assert torch.equal(scale(batches[0]), batches[0]), "nothing is changed before any is seen"
    for batch in batches:
        scale.observe(batch)
    seen = torch.cat(batches[:3]).transpose(0, 1).flatten(1).double()
    mean, deviation = scale.moments()
    assert torch.allclose(mean, seen.mean(1), rtol=1e-10)
    assert torch.allclose(deviation, seen.std(1, correction=0), rtol=1e-6)
    expected = (batches[4] - seen.mean(1).view(1, 2, 1, 1)) / seen.std(1, correction=0).view(
        1, 2, 1, 1
    )
    assert torch.allclose(scale(batches[4]), expected.float(), atol=1e-4)
    assert torch.allclose(scale.invert(scale(batches[4])), batches[4], atol=1e-5)


def test_the_scale_lies_in_its_state() -> None:
    scale, again = (LatentScale(channels_in=2, channels_out=2, n_batches=2) for _ in range(2))
    scale.observe(latents(0))
    again.load_state_dict(scale.state_dict())
    for one in (scale, again):
        one.observe(latents(1))
        one.observe(latents(2))
    assert torch.equal(scale(latents(3)), again(latents(3)))
    assert list(scale.parameters()) == []


def test_a_channel_that_is_the_same_everywhere_stays_finite() -> None:
    scale = LatentScale(channels_in=1, channels_out=1, dims=3)
    same = torch.full((2, 1, 3, 3, 3), 7.0)
    scale.observe(same)
    assert scale(same).isfinite().all()
    assert torch.allclose(scale.invert(scale(same)), same)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="as many channels out as in"):
        LatentScale(channels_in=2, channels_out=3)
    with pytest.raises(InputError, match="one batch or more"):
        LatentScale(channels_in=2, channels_out=2, n_batches=0)
    scale = LatentScale(channels_in=2, channels_out=2)
    for wrong in (torch.zeros(1, 3, 4, 4), torch.zeros(1, 2, 4, 4, 4)):
        for called in (scale, scale.observe, scale.invert):
            with pytest.raises(InputError, match=r"latents \(batch, 2, 2 axes of space\)"):
                called(wrong)
