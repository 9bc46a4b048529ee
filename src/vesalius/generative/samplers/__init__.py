"""Samplers: from a predictor to images."""

from vesalius.generative.samplers.beginning import Beginning, PartialPath, WholePath
from vesalius.generative.samplers.bridge_posterior import BridgePosterior
from vesalius.generative.samplers.ddim import Ddim
from vesalius.generative.samplers.deterministic import Deterministic
from vesalius.generative.samplers.direct import Direct
from vesalius.generative.samplers.heun import Heun
from vesalius.generative.samplers.next_token import NextTokenSampler
from vesalius.generative.samplers.path_sampler import PathSampler
from vesalius.generative.samplers.prior import Prior
from vesalius.generative.samplers.sampler import Sampler
from vesalius.generative.samplers.unmasking import Unmasking

__all__ = [
    "Beginning",
    "BridgePosterior",
    "Ddim",
    "Deterministic",
    "Direct",
    "Heun",
    "NextTokenSampler",
    "PartialPath",
    "PathSampler",
    "Prior",
    "Sampler",
    "Unmasking",
    "WholePath",
]
