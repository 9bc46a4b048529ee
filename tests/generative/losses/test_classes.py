"""Losses of classes and of distributions."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from vesalius.core import Batch, InputError
from vesalius.generative.losses import (
    BinaryCrossEntropy,
    CrossEntropy,
    Dice,
    Focal,
    GaussianLikelihood,
    KullbackLeibler,
    kl_between_gaussians,
    kl_to_standard_normal,
)


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def one_hot(*shape: int, classes: int = 3) -> torch.Tensor:
    labels = torch.randint(classes, shape, generator=torch.Generator().manual_seed(4))
    return torch.nn.functional.one_hot(labels, classes).movedim(-1, 1).double()


def test_by_hand() -> None:
    logits = torch.tensor([[0.0, math.log(3)]]).double()
    yes = Batch(wanted=torch.tensor([[0.0, 1.0]]).double())
    assert float(CrossEntropy()(logits, yes)) == pytest.approx(math.log(4 / 3))
    # sigmoid: 1/2 where no is right, 3/4 where yes is
    wanted = -(math.log(1 / 2) + math.log(3 / 4)) / 2
    assert float(BinaryCrossEntropy()(logits, yes)) == pytest.approx(wanted)
    focal = -(0.75 * 0.5**2 * math.log(1 / 2) + 0.25 * 0.25**2 * math.log(3 / 4)) / 2
    assert float(Focal()(logits, yes)) == pytest.approx(focal)
    even = Batch(wanted=torch.tensor([[0.5, 0.5]]).double())
    kl = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert float(KullbackLeibler()(logits, even)) == pytest.approx(kl)


@pytest.mark.parametrize("space", [(), (5, 6), (4, 5, 3)])
def test_entropies_against_scipy_and_scikit_learn(space: tuple[int, ...]) -> None:
    from scipy.stats import entropy
    from sklearn.metrics import log_loss

    logits, truth = draw(4, 3, *space), one_hot(4, *space)
    shares = logits.softmax(dim=1).movedim(1, -1).reshape(-1, 3).numpy()
    labels = truth.argmax(dim=1).flatten().numpy()
    found = float(CrossEntropy()(logits, Batch(wanted=truth)))
    assert found == pytest.approx(log_loss(labels, shares, labels=[0, 1, 2]))
    soft = draw(4, 3, *space, seed=1).softmax(dim=1)
    other = soft.movedim(1, -1).reshape(-1, 3).numpy()
    kl = float(KullbackLeibler()(logits, Batch(wanted=soft)))
    assert kl == pytest.approx(entropy(other, shares, axis=1).mean())
    crossed = float(CrossEntropy()(logits, Batch(wanted=soft)))
    assert crossed == pytest.approx(kl + entropy(other, axis=1).mean())
    binary = float(BinaryCrossEntropy()(logits, Batch(wanted=truth)))
    assert binary == pytest.approx(
        log_loss(truth.flatten().numpy(), logits.sigmoid().flatten().numpy())
    )


@pytest.mark.parametrize("balance", [None, 0.25, 0.6])
def test_focal_against_monai(balance: float | None) -> None:
    from monai.losses import FocalLoss

    logits, truth = draw(2, 3, 5, 6), one_hot(2, 5, 6)
    reference = FocalLoss(gamma=1.5, alpha=balance)(logits.float(), truth.float())
    found = Focal(focus=1.5, balance=balance)(logits, Batch(wanted=truth))
    assert float(found) == pytest.approx(float(reference), rel=1e-5)


def test_focal_without_focus_is_binary_cross_entropy() -> None:
    logits, batch = draw(2, 3, 5, 6), Batch(wanted=one_hot(2, 5, 6))
    plain = float(Focal(focus=0.0, balance=None)(logits, batch))
    assert plain == pytest.approx(float(BinaryCrossEntropy()(logits, batch)))
    assert float(Focal(balance=None)(3 * logits.abs() * (2 * one_hot(2, 5, 6) - 1), batch)) < plain


@pytest.mark.parametrize("space", [(5, 6), (4, 5, 3)])
def test_dice_against_monai(space: tuple[int, ...]) -> None:
    from monai.losses import DiceLoss

    logits, truth = draw(2, 3, *space), one_hot(2, *space)
    reference = DiceLoss(softmax=True, include_background=False, smooth_nr=1.0, smooth_dr=1.0)
    found = float(Dice()(logits, Batch(wanted=truth)))
    assert found == pytest.approx(float(reference(logits, truth)))
    alone = DiceLoss(sigmoid=True, smooth_nr=0.5, smooth_dr=0.5)
    found = float(Dice(smoothing=0.5)(logits[:, :1], Batch(wanted=truth[:, :1])))
    assert found == pytest.approx(float(alone(logits[:, :1], truth[:, :1])))


def test_dice_of_a_class_that_is_absent() -> None:
    absent = torch.zeros(1, 1, 4, 4).double()
    batch = Batch(wanted=absent)
    assert float(Dice()(absent - 100, batch)) == pytest.approx(0)
    assert float(Dice()(absent + 100, batch)) == pytest.approx(1 - 1 / 17)


def test_what_is_no_probability_is_refused() -> None:
    image = draw(1, 1, 4, 4)
    for loss in (CrossEntropy(), BinaryCrossEntropy(), Dice(), Focal(), KullbackLeibler()):
        with pytest.raises(InputError, match=r"one-hot, from 0 to 1, got values from -"):
            loss(image, Batch(wanted=image))


def test_gaussian_divergences_against_torch_distributions() -> None:
    mean, log_variance = draw(3, 2, 4), draw(3, 2, 4, seed=1)
    prior_mean, prior_log_variance = draw(3, 2, 4, seed=2), draw(3, 2, 4, seed=3)
    posterior = Normal(mean, (log_variance / 2).exp())
    prior = Normal(prior_mean, (prior_log_variance / 2).exp())
    standard = Normal(torch.zeros_like(mean), torch.ones_like(mean))
    torch.testing.assert_close(
        kl_to_standard_normal(mean, log_variance),
        kl_divergence(posterior, standard).flatten(1).sum(1),
    )
    torch.testing.assert_close(
        kl_between_gaussians(mean, log_variance, prior_mean, prior_log_variance),
        kl_divergence(posterior, prior).flatten(1).sum(1),
    )
    assert float(kl_to_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3))) == 0


def test_gaussian_likelihood_against_scipy() -> None:
    from scipy.stats import norm

    mean, log_variance, wanted = (
        draw(2, 1, 4, 5),
        draw(2, 1, 4, 5, seed=1),
        draw(2, 1, 4, 5, seed=2),
    )
    predicted = torch.cat([mean, log_variance], dim=1)
    reference = -norm.logpdf(wanted.numpy(), mean.numpy(), np.exp(log_variance.numpy() / 2)).mean()
    found = float(GaussianLikelihood()(predicted, Batch(wanted=wanted)))
    assert found == pytest.approx(reference)
    with pytest.raises(InputError, match="as many log variances"):
        GaussianLikelihood()(draw(1, 3, 4, 4), Batch(wanted=wanted))
