"""Feature level: sets of images compared through what can be measured on each."""

from vesalius.metrics.feature.anomaly_to_healthy import AnomalyToHealthyIndex
from vesalius.metrics.feature.clip_similarity import CLIPSimilarity
from vesalius.metrics.feature.cmmd import CLIPDiscrepancy
from vesalius.metrics.feature.efficientnet import EfficientNetLite0Features
from vesalius.metrics.feature.efficientnet_distance import EfficientNetDistance
from vesalius.metrics.feature.energy import EnergyDistance
from vesalius.metrics.feature.extractors import extractor
from vesalius.metrics.feature.feature_sets import Standardised, named, standardised
from vesalius.metrics.feature.floor import real_floor
from vesalius.metrics.feature.frechet import (
    FrechetDistance,
    FrechetRadiomicsDistance,
    LogFrechetRadiomicsDistance,
)
from vesalius.metrics.feature.image_text import ImageTextEncoder, scripted_pair
from vesalius.metrics.feature.inception_score import InceptionScore
from vesalius.metrics.feature.kernel import KernelDistance, MaximumMeanDiscrepancy
from vesalius.metrics.feature.lpips import LPIPS
from vesalius.metrics.feature.manifold import Coverage, Density, Precision, Recall
from vesalius.metrics.feature.medclip_score import MedCLIPScore
from vesalius.metrics.feature.memorisation import (
    CopiedShare,
    CopyThreshold,
    DuplicateShare,
    Pair,
    copies,
    duplicates,
)
from vesalius.metrics.feature.neighbours import Neighbours, nearest
from vesalius.metrics.feature.network_features import NetworkFeatures
from vesalius.metrics.feature.own_features import EncoderCard, OwnFeatures
from vesalius.metrics.feature.pairwise_distance import MeanPairwiseDistance
from vesalius.metrics.feature.pixel_features import PixelFeatures
from vesalius.metrics.feature.radiomics import RadiomicFeatures
from vesalius.metrics.feature.restoration_quality import RestorationQualityIndex
from vesalius.metrics.feature.robust_scale import RobustScale, robustly_named
from vesalius.metrics.feature.running_gaussian import RunningGaussian
from vesalius.metrics.feature.sample_size import enough_cases
from vesalius.metrics.feature.scripted import ScriptedFeatures
from vesalius.metrics.feature.scripted_volumes import ScriptedVolumeFeatures
from vesalius.metrics.feature.text_agreement import ImageTextAgreement, labels_as_text
from vesalius.metrics.feature.vendi import VendiScore

__all__ = [
    "LPIPS",
    "AnomalyToHealthyIndex",
    "CLIPDiscrepancy",
    "CLIPSimilarity",
    "CopiedShare",
    "CopyThreshold",
    "Coverage",
    "Density",
    "DuplicateShare",
    "EfficientNetDistance",
    "EfficientNetLite0Features",
    "EncoderCard",
    "EnergyDistance",
    "FrechetDistance",
    "FrechetRadiomicsDistance",
    "ImageTextAgreement",
    "ImageTextEncoder",
    "InceptionScore",
    "KernelDistance",
    "LogFrechetRadiomicsDistance",
    "MaximumMeanDiscrepancy",
    "MeanPairwiseDistance",
    "MedCLIPScore",
    "Neighbours",
    "NetworkFeatures",
    "OwnFeatures",
    "Pair",
    "PixelFeatures",
    "Precision",
    "RadiomicFeatures",
    "Recall",
    "RestorationQualityIndex",
    "RobustScale",
    "RunningGaussian",
    "ScriptedFeatures",
    "ScriptedVolumeFeatures",
    "Standardised",
    "VendiScore",
    "copies",
    "duplicates",
    "enough_cases",
    "extractor",
    "labels_as_text",
    "named",
    "nearest",
    "real_floor",
    "robustly_named",
    "scripted_pair",
    "standardised",
]
