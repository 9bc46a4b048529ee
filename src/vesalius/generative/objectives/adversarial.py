"""What a critic's logits cost the critic and the generator."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss, relu, softplus

AdversarialKind = Literal["logistic", "least-squares", "hinge", "wasserstein"]


def critic_loss(kind: AdversarialKind, real: Tensor, drawn: Tensor) -> Tensor:
    """The critic's loss, half of the sum over real and drawn images.

    Logistic: Goodfellow et al. 2014; least squares: Mao et al. 2017; hinge: Lim & Ye 2017;
    Wasserstein: Arjovsky et al. 2017, minus half of the distance that the critic sees. The last is
    unbounded unless the critic's slope is held, by a gradient penalty or spectral norms.
    """
    if kind == "logistic":
        return (softplus(-real).mean() + softplus(drawn).mean()) / 2
    if kind == "least-squares":
        return (mse_loss(real, torch.ones_like(real)) + drawn.square().mean()) / 2
    if kind == "wasserstein":
        return (drawn.mean() - real.mean()) / 2
    return (relu(1 - real).mean() + relu(1 + drawn).mean()) / 2


def generator_loss(kind: AdversarialKind, drawn: Tensor) -> Tensor:
    """The generator's loss (non-saturating for the logistic kind)."""
    if kind == "logistic":
        return softplus(-drawn).mean()
    if kind == "least-squares":
        return mse_loss(drawn, torch.ones_like(drawn))
    return -drawn.mean()


def critic_features(
    critic: nn.Module, image: Tensor, condition: Tensor | None = None
) -> list[Tensor]:
    """The feature maps of a critic that has a method ``features``, its logits last."""
    known = {} if condition is None else {"condition": condition}
    found: list[Tensor] = critic.features(image, **known)  # type: ignore[operator]
    return found
