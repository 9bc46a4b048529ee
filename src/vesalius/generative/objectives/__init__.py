"""Objectives: how networks learn to draw."""

from vesalius.generative.objectives.adaptive_augmentation import AdaptiveAugmentation
from vesalius.generative.objectives.adversarial_distillation import AdversarialDistillation
from vesalius.generative.objectives.adversarial_reconstruction import AdversarialReconstruction
from vesalius.generative.objectives.adversarial_synthesis import AdversarialSynthesis
from vesalius.generative.objectives.classification import Classification
from vesalius.generative.objectives.consistency_distillation import ConsistencyDistillation
from vesalius.generative.objectives.consistency_training import ConsistencyTraining
from vesalius.generative.objectives.contrastive import Contrastive
from vesalius.generative.objectives.deformation_recovery import DeformationRecovery
from vesalius.generative.objectives.denoising import Denoising
from vesalius.generative.objectives.error_modulated import ErrorModulated
from vesalius.generative.objectives.hierarchical_adversarial import HierarchicalAdversarial
from vesalius.generative.objectives.latent_denoising import LatentDenoising
from vesalius.generative.objectives.likelihood import Likelihood
from vesalius.generative.objectives.masked_autoencoder import MaskedAutoencoder
from vesalius.generative.objectives.masked_token import MaskedToken
from vesalius.generative.objectives.next_token import NextToken
from vesalius.generative.objectives.noise_attention import NoiseAttention
from vesalius.generative.objectives.noisy_classification import NoisyClassification
from vesalius.generative.objectives.objective import Interface, Objective
from vesalius.generative.objectives.paired_adversarial import PairedAdversarial
from vesalius.generative.objectives.path_length import PathLength
from vesalius.generative.objectives.progressive_distillation import ProgressiveDistillation
from vesalius.generative.objectives.registration import Registration
from vesalius.generative.objectives.regression import Regression
from vesalius.generative.objectives.segmentation import Segmentation
from vesalius.generative.objectives.style_synthesis import StyleSynthesis
from vesalius.generative.objectives.together import Together
from vesalius.generative.objectives.token_model import TokenModel
from vesalius.generative.objectives.unpaired_contrastive import UnpairedContrastive
from vesalius.generative.objectives.unpaired_cycle import UnpairedCycle
from vesalius.generative.objectives.variational import Variational
from vesalius.generative.objectives.variational_adversarial import VariationalAdversarial
from vesalius.generative.objectives.vector_quantised import VectorQuantised

__all__ = [
    "AdaptiveAugmentation",
    "AdversarialDistillation",
    "AdversarialReconstruction",
    "AdversarialSynthesis",
    "Classification",
    "ConsistencyDistillation",
    "ConsistencyTraining",
    "Contrastive",
    "DeformationRecovery",
    "Denoising",
    "ErrorModulated",
    "HierarchicalAdversarial",
    "Interface",
    "LatentDenoising",
    "Likelihood",
    "MaskedAutoencoder",
    "MaskedToken",
    "NextToken",
    "NoiseAttention",
    "NoisyClassification",
    "Objective",
    "PairedAdversarial",
    "PathLength",
    "ProgressiveDistillation",
    "Registration",
    "Regression",
    "Segmentation",
    "StyleSynthesis",
    "Together",
    "TokenModel",
    "UnpairedContrastive",
    "UnpairedCycle",
    "Variational",
    "VariationalAdversarial",
    "VectorQuantised",
]
