"""All that a critic pays: for its logits, and for being steep."""

from __future__ import annotations

import torch
from torch import Tensor

from vesalius.generative.objectives.adversarial import AdversarialKind, critic_loss
from vesalius.generative.objectives.gradient_penalties import (
    Critic,
    between,
    one_centred,
    zero_centred,
)


def critic_terms(
    kind: AdversarialKind,
    critic: Critic,
    real: Tensor,
    drawn: Tensor,
    rng: torch.Generator,
    *,
    r1: float = 0.0,
    gradient_penalty: float = 0.0,
) -> tuple[dict[str, tuple[float, Tensor]], Tensor]:
    """The terms of a critic's loss, and its logits of the real images.

    ``critic`` judges images alone: what else it sees is bound to it. ``r1`` and
    ``gradient_penalty`` are the papers' gamma and lambda; both count half, as all else that a
    critic pays does here (see :func:`critic_loss`).
    """
    real = real.detach().requires_grad_(r1 > 0)
    logits = critic(real)
    terms = {"critic": (1.0, critic_loss(kind, logits, critic(drawn)))}
    if r1 > 0:
        terms["r1"] = (r1 / 2, zero_centred(logits, real))
    if gradient_penalty > 0:
        steps = between(real, drawn, rng).requires_grad_()
        terms["gradient_penalty"] = (gradient_penalty / 2, one_centred(critic(steps), steps))
    return terms, logits.detach()
