"""Feature level: sets of images compared through what can be measured on each."""

from vesalius.metrics.feature.efficientnet import EfficientNetLite0Features
from vesalius.metrics.feature.energy import EnergyDistance
from vesalius.metrics.feature.extractors import extractor
from vesalius.metrics.feature.feature_sets import Standardised, named, standardised
from vesalius.metrics.feature.floor import real_floor
from vesalius.metrics.feature.frechet import (
    FrechetDistance,
    FrechetRadiomicsDistance,
    LogFrechetRadiomicsDistance,
)
from vesalius.metrics.feature.kernel import KernelDistance, MaximumMeanDiscrepancy
from vesalius.metrics.feature.manifold import Coverage, Density, Precision, Recall
from vesalius.metrics.feature.network_features import NetworkFeatures
from vesalius.metrics.feature.own_features import EncoderCard, OwnFeatures
from vesalius.metrics.feature.pixel_features import PixelFeatures
from vesalius.metrics.feature.radiomics import RadiomicFeatures
from vesalius.metrics.feature.robust_scale import RobustScale, robustly_named
from vesalius.metrics.feature.sample_size import enough_cases
from vesalius.metrics.feature.scripted import ScriptedFeatures
from vesalius.metrics.feature.scripted_volumes import ScriptedVolumeFeatures

__all__ = [
    "Coverage",
    "Density",
    "EfficientNetLite0Features",
    "EncoderCard",
    "EnergyDistance",
    "FrechetDistance",
    "FrechetRadiomicsDistance",
    "KernelDistance",
    "LogFrechetRadiomicsDistance",
    "MaximumMeanDiscrepancy",
    "NetworkFeatures",
    "OwnFeatures",
    "PixelFeatures",
    "Precision",
    "RadiomicFeatures",
    "Recall",
    "RobustScale",
    "ScriptedFeatures",
    "ScriptedVolumeFeatures",
    "Standardised",
    "enough_cases",
    "extractor",
    "named",
    "real_floor",
    "robustly_named",
    "standardised",
]
