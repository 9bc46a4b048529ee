from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core import Batch, InputError
from vesalius.generative.guidance import DataConsistency, Scene
from vesalius.generative.paths import CosinePath, KarrasPath
from vesalius.generative.predictor import Predictor
from vesalius.generative.samplers import Ddim
from vesalius.physics.mri import CartesianMRI


def scene_of(batch: Batch) -> Scene:
    """A scene without networks."""

    def predictor(other: Batch) -> Predictor:
        raise AssertionError("data consistency asks for no other prediction")

    return Scene(batch, {}, predictor)


def measured(
    seed: int = 0, noise: float = 0.1, coils: int = 3
) -> tuple[CartesianMRI, Tensor, Tensor]:
    """A masked, normalised-coil operator, an image (2, 2, 6, 6) and its noisy measurement."""
    rng = torch.Generator().manual_seed(seed)
    mask = torch.rand(2, 1, 6, 6, generator=rng) < 0.4
    maps = torch.randn(2, coils, 6, 6, dtype=torch.complex128, generator=rng)
    operator = CartesianMRI(mask, maps / maps.abs().square().sum(1, keepdim=True).sqrt())
    image = torch.randn(2, 2, 6, 6, generator=rng, dtype=torch.float64)
    clean = operator.forward(image)
    error = torch.randn(clean.shape, generator=rng, dtype=clean.dtype) * noise
    return operator, image, clean + torch.where(clean != 0, error, torch.zeros_like(error))


def dense(operator: CartesianMRI, case: int) -> Tensor:
    """The real matrix of one case, (2 coil space, 2 space)."""
    one = operator.take([case])
    unit = torch.eye(72, dtype=torch.float64).view(72, 2, 6, 6)
    columns = [torch.view_as_real(one.forward(x[None])).flatten() for x in unit]
    return torch.stack(columns, dim=1)


def test_the_posterior_mean_of_a_linear_gaussian_problem() -> None:
    """Prior N(d, p I), noise variance n: argmin |A z - y|^2 / n + |z - d|^2 / p with s = p / n."""
    operator, image, measurement = measured()
    prior_mean = image + 0.3
    strength = 7.0
    guided = DataConsistency(strength_max=strength, iterations=80).guide(
        lambda x, time: prior_mean,
        scene_of(Batch(wanted=None, measurement=measurement, operator=operator)),
    )
    found = guided(None, None)
    for case in range(2):
        a = dense(operator, case)
        y = torch.view_as_real(measurement[case]).flatten()
        d = prior_mean[case].flatten()
        left = strength * a.T @ a + torch.eye(72, dtype=torch.float64)
        mean = torch.linalg.solve(left, strength * a.T @ y + d)
        assert torch.allclose(found[case].flatten(), mean, atol=1e-8)


def test_on_a_path_trust_in_the_prior_falls_with_the_noise() -> None:
    operator, image, measurement = measured()
    batch = Batch(wanted=None, measurement=measurement, operator=operator)
    path = KarrasPath(noise_min=0.01, noise_max=100.0)
    guidance = DataConsistency(
        path, strength=4.0, strength_min=0.5, strength_max=50.0, iterations=60
    )
    guided = guidance.guide(lambda x, time: torch.zeros_like(image), scene_of(batch))
    for noise, strength in ((0.01, 0.5), (2.0, 16.0), (90.0, 50.0)):
        time = path.time_of(torch.tensor(noise, dtype=torch.float64)).expand(2)
        alone = DataConsistency(strength_max=strength, iterations=60)
        expected = alone.guide(lambda x, t: torch.zeros_like(image), scene_of(batch))(None, None)
        assert torch.allclose(guided(image, time), expected, atol=1e-6)


def test_drawing_with_the_exact_prior_agrees_with_the_measurement(
    exact: Callable[..., Any],
) -> None:
    operator, image, measurement = measured(noise=0.0, coils=1)
    path = CosinePath(data_std=1.0)
    batch = Batch(wanted=None, measurement=measurement, operator=operator)
    guidance = DataConsistency(
        path, strength=1e4, strength_min=1e4, strength_max=1e4, iterations=60
    )
    denoise = exact(path, ((1.0, 0.0, 1.0),))
    guided = guidance.guide(lambda x, time: denoise(x, time).double(), scene_of(batch))
    drawn = Ddim(path, 8).sample(guided, (2, 2, 6, 6), torch.Generator().manual_seed(0))
    misfit = (operator.forward(drawn.double()) - measurement).abs().max()
    assert float(misfit) < 1e-3
    assert float((drawn - image).abs().max()) > 0.1, "what is not measured is free"


def test_gradients_flow_through_it() -> None:
    operator, image, measurement = measured()
    batch = Batch(wanted=None, measurement=measurement, operator=operator)
    prediction = image.clone().requires_grad_()
    guided = DataConsistency(strength_max=2.0, iterations=60).guide(
        lambda x, t: prediction, scene_of(batch)
    )
    weight = torch.randn(image.shape, generator=torch.Generator().manual_seed(5)).double()
    (guided(None, None) * weight).sum().backward()
    assert prediction.grad is not None
    for case in range(2):
        a = dense(operator, case)
        left = 2.0 * a.T @ a + torch.eye(72, dtype=torch.float64)
        expected = torch.linalg.solve(left, weight[case].flatten())
        assert torch.allclose(prediction.grad[case].flatten(), expected, atol=1e-8)


def test_images_alone_are_refused() -> None:
    with pytest.raises(InputError, match="choose a reconstruction task"):
        DataConsistency().guide(
            lambda x, time: torch.zeros(1), scene_of(Batch(wanted=torch.zeros(1, 1, 2, 2)))
        )
