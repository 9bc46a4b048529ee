"""Samplers: from a predictor to images."""

from vesalius.generative.samplers.ancestral import Ancestral
from vesalius.generative.samplers.beginning import (
    Beginning,
    GivenTimes,
    LevelsOf,
    PartialPath,
    WholePath,
)
from vesalius.generative.samplers.bridge_posterior import BridgePosterior
from vesalius.generative.samplers.churn import Churn
from vesalius.generative.samplers.consistency import Consistency
from vesalius.generative.samplers.ddim import Ddim
from vesalius.generative.samplers.deformation import DeformAndRecover
from vesalius.generative.samplers.deterministic import Deterministic
from vesalius.generative.samplers.direct import Direct
from vesalius.generative.samplers.dpm_solver import DpmSolver
from vesalius.generative.samplers.euler import Euler
from vesalius.generative.samplers.heun import Heun
from vesalius.generative.samplers.langevin import Langevin
from vesalius.generative.samplers.next_token import NextTokenSampler
from vesalius.generative.samplers.path_sampler import PathSampler
from vesalius.generative.samplers.predictor_corrector import PredictorCorrector
from vesalius.generative.samplers.prior import Prior
from vesalius.generative.samplers.repaint import Repaint
from vesalius.generative.samplers.sampler import Sampler
from vesalius.generative.samplers.truncated_prior import TruncatedPrior
from vesalius.generative.samplers.unmasking import Unmasking

__all__ = [
    "Ancestral",
    "Beginning",
    "BridgePosterior",
    "Churn",
    "Consistency",
    "Ddim",
    "DeformAndRecover",
    "Deterministic",
    "Direct",
    "DpmSolver",
    "Euler",
    "GivenTimes",
    "Heun",
    "Langevin",
    "LevelsOf",
    "NextTokenSampler",
    "PartialPath",
    "PathSampler",
    "PredictorCorrector",
    "Prior",
    "Repaint",
    "Sampler",
    "TruncatedPrior",
    "Unmasking",
    "WholePath",
]
