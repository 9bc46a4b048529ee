"""Losses by name."""

from vesalius.generative.losses.kspace import Kspace
from vesalius.generative.losses.l1 import L1
from vesalius.generative.losses.l2 import L2
from vesalius.generative.losses.loss import Loss, Losses

__all__ = ["L1", "L2", "Kspace", "Loss", "Losses"]
