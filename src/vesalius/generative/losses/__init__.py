"""Losses by name."""

from vesalius.generative.losses.adaptive_robust import AdaptiveRobust
from vesalius.generative.losses.charbonnier import Charbonnier
from vesalius.generative.losses.focal_frequency import FocalFrequency
from vesalius.generative.losses.frequency import Frequency
from vesalius.generative.losses.gradient import Gradient
from vesalius.generative.losses.gradient_difference import GradientDifference
from vesalius.generative.losses.huber import Huber
from vesalius.generative.losses.joint_sparsifying_transform import JointSparsifyingTransform
from vesalius.generative.losses.kspace import Kspace
from vesalius.generative.losses.l1 import L1
from vesalius.generative.losses.l2 import L2
from vesalius.generative.losses.local_cross_correlation import LocalCrossCorrelation
from vesalius.generative.losses.loss import Loss, Losses
from vesalius.generative.losses.mean_p_norm import MeanPNorm
from vesalius.generative.losses.multi_scale_structural_similarity import (
    MultiScaleStructuralSimilarity,
)
from vesalius.generative.losses.normalised_cross_correlation import NormalisedCrossCorrelation
from vesalius.generative.losses.root_mean_square import RootMeanSquare
from vesalius.generative.losses.structural_similarity import StructuralSimilarity
from vesalius.generative.losses.total_variation import TotalVariation
from vesalius.generative.losses.wavelet import Wavelet

__all__ = [
    "L1",
    "L2",
    "AdaptiveRobust",
    "Charbonnier",
    "FocalFrequency",
    "Frequency",
    "Gradient",
    "GradientDifference",
    "Huber",
    "JointSparsifyingTransform",
    "Kspace",
    "LocalCrossCorrelation",
    "Loss",
    "Losses",
    "MeanPNorm",
    "MultiScaleStructuralSimilarity",
    "NormalisedCrossCorrelation",
    "RootMeanSquare",
    "StructuralSimilarity",
    "TotalVariation",
    "Wavelet",
]
