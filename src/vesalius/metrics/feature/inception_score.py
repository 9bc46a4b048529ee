"""The Inception score: how sure a classifier is of each image, and how varied its answers are."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.metrics.feature.feature_sets import checked_sets
from vesalius.metrics.feature.one_set import OneSetMetric
from vesalius.metrics.metric import Counted


class InceptionScore(OneSetMetric):
    """IS: the exponential of the mean divergence of p(class | image) from p(class).

    Takes probabilities ``(n, class)`` of a named classifier, whose name belongs to the number. From
    1 to the number of classes. It never sees a real image: read it beside the real set's own value
    (:meth:`of`), and never compare it between classifiers. All cases at once, without the ten
    parts of the first paper, which lower it.

    References
    ----------
    Salimans et al. 2016, arXiv:1606.03498; on its limits Barratt and Sharma 2018, arXiv:1801.01973.
    """

    name = "inception_score"
    direction = "up"
    bounds = (1.0, math.inf)
    citation = "Salimans et al. 2016, arXiv:1606.03498"

    def of(self, features: Tensor) -> float:
        """The score of probabilities ``(n, class)``."""
        features = _probabilities(features)
        return _score(features, torch.ones(len(features), dtype=torch.float64))

    def counted(self, generated: Tensor, real: Tensor) -> Counted:
        """From probabilities that are checked once."""
        probabilities = _probabilities(generated)
        return lambda of_generated, of_real: _score(probabilities, of_generated.double())


def _probabilities(features: Tensor) -> Tensor:
    features, _ = checked_sets(features, features, least=1)
    unlike = (features < 0).any(1) | ((features.sum(1) - 1).abs() > 1e-3)
    if bool(unlike.any()):
        raise InputError(
            "probabilities of classes, at least 0 and of sum 1",
            came=f"a sum of {float(features[unlike][0].sum()):.4g}",
            case=f"case {int(unlike.nonzero()[0])}",
            remedy="take the softmax of the classifier's scores",
        )
    return features / features.sum(1, keepdim=True)


def _score(probabilities: Tensor, counts: Tensor) -> float:
    share = counts / counts.sum()
    marginal = share @ probabilities
    information = torch.special.entr(marginal).sum() - share @ torch.special.entr(
        probabilities
    ).sum(1)
    return max(1.0, math.exp(float(information)))
