"""Kullback and Leibler's divergence: of Gaussians, for autoencoders, and of probability maps."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, xlogy

from vesalius.core.batch import Batch
from vesalius.generative.losses.loss import Loss
from vesalius.generative.losses.probabilities import probabilities


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL of N(mean, exp(log_variance)) from N(0, 1), summed over a case: ``(batch,)`` nats.

    Kingma and Welling 2014, arXiv:1312.6114, appendix B. Both ``(batch, ...)``.
    """
    each = (mean.square() + log_variance.exp() - 1 - log_variance) / 2
    return each.flatten(1).sum(dim=1)


def kl_between_gaussians(
    mean: Tensor, log_variance: Tensor, prior_mean: Tensor, prior_log_variance: Tensor
) -> Tensor:
    """KL of one diagonal Gaussian from another, summed over a case: ``(batch,)`` nats."""
    apart = (mean - prior_mean).square()
    ratio = (apart + log_variance.exp()) / prior_log_variance.exp()
    each = (ratio - 1 - log_variance + prior_log_variance) / 2
    return each.flatten(1).sum(dim=1)


@dataclass(frozen=True)
class KullbackLeibler(Loss):
    """Mean over cases and voxels of KL(wanted || softmax(predicted)), in nats; zero if equal.

    ``predicted`` holds logits ``(batch, class, *space)`` or ``(batch, class)``, ``wanted``
    probabilities that sum to one over classes. It is CrossEntropy less the entropy of ``wanted``.
    Between latent Gaussians see :func:`kl_to_standard_normal` and :func:`kl_between_gaussians`.
    """

    weight: float = 1.0

    def __call__(self, predicted: Tensor, batch: Batch) -> Tensor:
        """A scalar, at least 0."""
        truth = probabilities(predicted, batch)
        each = xlogy(truth, truth) - truth * predicted.log_softmax(dim=1)
        return each.sum(dim=1).mean()
