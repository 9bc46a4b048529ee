"""Losses by name."""

from vesalius.generative.losses.adaptive_robust import AdaptiveRobust
from vesalius.generative.losses.angle_error import AngleError
from vesalius.generative.losses.binary_cross_entropy import BinaryCrossEntropy
from vesalius.generative.losses.biological_constraints import BiologicalConstraints
from vesalius.generative.losses.charbonnier import Charbonnier
from vesalius.generative.losses.confidence_map import ConfidenceMap
from vesalius.generative.losses.contrastive_edge import ContrastiveEdge
from vesalius.generative.losses.cross_entropy import CrossEntropy
from vesalius.generative.losses.data_consistency import DataConsistency
from vesalius.generative.losses.dice import Dice
from vesalius.generative.losses.distance_error import DistanceError
from vesalius.generative.losses.feature_maps import EfficientNetLite0Maps, FeatureMaps, ScriptedMaps
from vesalius.generative.losses.field import jacobian_determinant
from vesalius.generative.losses.focal import Focal
from vesalius.generative.losses.focal_frequency import FocalFrequency
from vesalius.generative.losses.folding import Folding
from vesalius.generative.losses.frequency import Frequency
from vesalius.generative.losses.gaussian_likelihood import GaussianLikelihood
from vesalius.generative.losses.gradient import Gradient
from vesalius.generative.losses.gradient_difference import GradientDifference
from vesalius.generative.losses.huber import Huber
from vesalius.generative.losses.joint_sparsifying_transform import JointSparsifyingTransform
from vesalius.generative.losses.kspace import Kspace
from vesalius.generative.losses.kullback_leibler import (
    KullbackLeibler,
    kl_between_gaussians,
    kl_to_standard_normal,
)
from vesalius.generative.losses.l1 import L1
from vesalius.generative.losses.l2 import L2
from vesalius.generative.losses.local_cross_correlation import LocalCrossCorrelation
from vesalius.generative.losses.log_ratio import LogRatio
from vesalius.generative.losses.loss import Loss, Losses
from vesalius.generative.losses.mean_p_norm import MeanPNorm
from vesalius.generative.losses.multi_scale import MultiScale
from vesalius.generative.losses.multi_scale_structural_similarity import (
    MultiScaleStructuralSimilarity,
)
from vesalius.generative.losses.multiple_contrast import MultipleContrast
from vesalius.generative.losses.mutual_information import MutualInformation
from vesalius.generative.losses.named import NAMED, Named, named
from vesalius.generative.losses.normalised_cross_correlation import NormalisedCrossCorrelation
from vesalius.generative.losses.perceptual import Perceptual
from vesalius.generative.losses.poisson_likelihood import PoissonLikelihood
from vesalius.generative.losses.root_mean_square import RootMeanSquare
from vesalius.generative.losses.shape_consistency import ShapeConsistency
from vesalius.generative.losses.sinogram import Sinogram
from vesalius.generative.losses.smoothness import Smoothness
from vesalius.generative.losses.structural_similarity import StructuralSimilarity
from vesalius.generative.losses.structure_consistency import StructureConsistency
from vesalius.generative.losses.style import Style
from vesalius.generative.losses.task_regression import TaskRegression
from vesalius.generative.losses.temporal_consistency import TemporalConsistency
from vesalius.generative.losses.total_variation import TotalVariation
from vesalius.generative.losses.wavelet import Wavelet

__all__ = [
    "L1",
    "L2",
    "NAMED",
    "AdaptiveRobust",
    "AngleError",
    "BinaryCrossEntropy",
    "BiologicalConstraints",
    "Charbonnier",
    "ConfidenceMap",
    "ContrastiveEdge",
    "CrossEntropy",
    "DataConsistency",
    "Dice",
    "DistanceError",
    "EfficientNetLite0Maps",
    "FeatureMaps",
    "Focal",
    "FocalFrequency",
    "Folding",
    "Frequency",
    "GaussianLikelihood",
    "Gradient",
    "GradientDifference",
    "Huber",
    "JointSparsifyingTransform",
    "Kspace",
    "KullbackLeibler",
    "LocalCrossCorrelation",
    "LogRatio",
    "Loss",
    "Losses",
    "MeanPNorm",
    "MultiScale",
    "MultiScaleStructuralSimilarity",
    "MultipleContrast",
    "MutualInformation",
    "Named",
    "NormalisedCrossCorrelation",
    "Perceptual",
    "PoissonLikelihood",
    "RootMeanSquare",
    "ScriptedMaps",
    "ShapeConsistency",
    "Sinogram",
    "Smoothness",
    "StructuralSimilarity",
    "StructureConsistency",
    "Style",
    "TaskRegression",
    "TemporalConsistency",
    "TotalVariation",
    "Wavelet",
    "all_losses",
    "jacobian_determinant",
    "kl_between_gaussians",
    "kl_to_standard_normal",
    "named",
]


def all_losses() -> tuple[type[Loss], ...]:
    """Every class of loss, by name."""
    return (
        AdaptiveRobust,
        AngleError,
        BinaryCrossEntropy,
        BiologicalConstraints,
        Charbonnier,
        ConfidenceMap,
        ContrastiveEdge,
        CrossEntropy,
        DataConsistency,
        Dice,
        DistanceError,
        Focal,
        FocalFrequency,
        Folding,
        Frequency,
        GaussianLikelihood,
        Gradient,
        GradientDifference,
        Huber,
        JointSparsifyingTransform,
        Kspace,
        KullbackLeibler,
        L1,
        L2,
        LocalCrossCorrelation,
        LogRatio,
        MeanPNorm,
        MultiScale,
        MultiScaleStructuralSimilarity,
        MultipleContrast,
        MutualInformation,
        NormalisedCrossCorrelation,
        Perceptual,
        PoissonLikelihood,
        RootMeanSquare,
        ShapeConsistency,
        Sinogram,
        Smoothness,
        StructuralSimilarity,
        StructureConsistency,
        Style,
        TaskRegression,
        TemporalConsistency,
        TotalVariation,
        Wavelet,
    )
