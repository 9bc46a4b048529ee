"""Every loss that the reviewed papers name, and what of Vesalius realises it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vesalius.core.errors import UnknownName
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
from vesalius.generative.losses.focal import Focal
from vesalius.generative.losses.frequency import Frequency
from vesalius.generative.losses.gaussian_likelihood import GaussianLikelihood
from vesalius.generative.losses.gradient import Gradient
from vesalius.generative.losses.gradient_difference import GradientDifference
from vesalius.generative.losses.joint_sparsifying_transform import JointSparsifyingTransform
from vesalius.generative.losses.kspace import Kspace
from vesalius.generative.losses.l1 import L1
from vesalius.generative.losses.l2 import L2
from vesalius.generative.losses.log_ratio import LogRatio
from vesalius.generative.losses.loss import Loss
from vesalius.generative.losses.mean_p_norm import MeanPNorm
from vesalius.generative.losses.multi_scale import MultiScale
from vesalius.generative.losses.multiple_contrast import MultipleContrast
from vesalius.generative.losses.normalised_cross_correlation import NormalisedCrossCorrelation
from vesalius.generative.losses.perceptual import Perceptual
from vesalius.generative.losses.poisson_likelihood import PoissonLikelihood
from vesalius.generative.losses.root_mean_square import RootMeanSquare
from vesalius.generative.losses.shape_consistency import ShapeConsistency
from vesalius.generative.losses.sinogram import Sinogram
from vesalius.generative.losses.smoothness import Smoothness
from vesalius.generative.losses.structural_similarity import StructuralSimilarity
from vesalius.generative.losses.structure_consistency import StructureConsistency
from vesalius.generative.losses.task_regression import TaskRegression
from vesalius.generative.losses.temporal_consistency import TemporalConsistency
from vesalius.generative.losses.total_variation import TotalVariation
from vesalius.generative.losses.wavelet import Wavelet

ObjectiveName = Literal[
    "Regression",
    "PairedAdversarial",
    "Adversarial",
    "UnpairedCycle",
    "Variational",
    "VectorQuantised",
    "VariationalAdversarial",
    "Denoising",
    "FlowMatching",
    "ConsistencyDistillation",
    "NextToken",
    "MaskedToken",
    "Contrastive",
    "MaskedAutoencoder",
    "DeformationRecovery",
    "Registration",
]


@dataclass(frozen=True)
class Named:
    """What realises a name: a loss, or the objective it is a part of; and what the name hides."""

    component: type[Loss] | ObjectiveName
    note: str = ""


NAMED: dict[str, Named] = {
    "-": Named(CrossEntropy, "the review names none; MedFormer: cross-entropy and Dice"),
    "adapter": Named("Denoising", "LN-Gen: the noise loss while an adapter is trained"),
    "adaptive robust": Named(AdaptiveRobust, "NADRU learns alpha and scale; settings here"),
    "adversarial": Named("PairedAdversarial", "Adversarial without pairs or images given"),
    "angle error": Named(AngleError, "DRDM: between displacement fields"),
    "appearance": Named("Adversarial", "Jiao et al.: the critic of drawn MR images"),
    "BCE": Named(BinaryCrossEntropy, "in some GANs the critic's logistic loss"),
    "biological constraints": Named(BiologicalConstraints, "regressions on age come with the data"),
    "cascade": Named(MultiScale, "MambaRoll: L1 of images decoded at several scales"),
    "CE": Named(CrossEntropy, "of tokens: NextToken or MaskedToken"),
    "Charbonnier": Named(Charbonnier),
    "Charbonnier (frequency)": Named(Frequency, "SwinMR: with epsilon above zero"),
    "Charbonnier (pixel)": Named(Charbonnier),
    "classification CE": Named(CrossEntropy, "AR-GAN: on top of Adversarial"),
    "codebook": Named("VectorQuantised", "moving averages of codes take its place"),
    "commitment": Named("VectorQuantised"),
    "confidence map": Named(ConfidenceMap),
    "content": Named(Perceptual, "one deep map (Hu et al.); L1 in CNCL and Wang et al. 2019"),
    "contrastive": Named("Contrastive", "InfoNCE of pairs, as CLIP; of patches in DPI-MoCo"),
    "contrastive edge": Named(ContrastiveEdge, "Deform-Mamba; its exact form is not public"),
    "cross-dimensional knowledge": Named(
        Perceptual, "CKG-GAN: features of a frozen student, against what is given"
    ),
    "cycle": Named("UnpairedCycle"),
    "cycle-adversarial": Named("UnpairedCycle"),
    "DAMSM contrastive": Named("Contrastive", "AttnGAN: words and regions"),
    "data consistency": Named(DataConsistency, "mostly enforced by guidance, not asked by a loss"),
    "deformation": Named(L1, "DaniNet: drawn against its own visit, weighted by age group"),
    "Dice": Named(Dice),
    "diffusion": Named("Denoising"),
    "distance error": Named(DistanceError, "DRDM: between displacement fields"),
    "ELBO": Named("Variational", "DragNet: similarity and KL of motion, frame by frame"),
    "feature matching": Named("PairedAdversarial", "the critic's own features"),
    "focal": Named(Focal),
    "frequency": Named(Frequency, "TTSR-FD: amplitudes"),
    "GAN": Named("PairedAdversarial", "Adversarial without pairs or images given"),
    "gradient": Named(Gradient, "of a displacement field in UVI-Net: Smoothness"),
    "gradient difference": Named(GradientDifference),
    "identity": Named("UnpairedCycle", "L1 of an image of the wanted kind with its translation"),
    "image": Named(L1, "squared in some: L2"),
    "InfoNCE": Named("Contrastive"),
    "joint sparsifying transform": Named(JointSparsifyingTransform),
    "k-space": Named(Kspace, "not in MambaRoll's code, which enforces data consistency"),
    "KL": Named("Variational", "of latent Gaussians; of probability maps: KullbackLeibler"),
    "L1": Named(L1),
    "L1 FFT": Named(Frequency),
    "L1 segmentation": Named(ShapeConsistency, "distance 'l1': vessel maps of a frozen network"),
    "L2": Named(L2),
    "latent": Named("Adversarial", "Jiao et al.: a critic of latent features"),
    "line-integral projection": Named(Sinogram, "of an attenuation map"),
    "local reconstruction": Named(
        DataConsistency, "FedGIMP: root mean square in sampled k-space while a prior is adapted"
    ),
    "log-likelihood": Named("Variational", "of a decoder; of a flow in Kelkar et al."),
    "log-ratio": Named(LogRatio),
    "logistic": Named("Adversarial", "not saturating"),
    "logistic adversarial": Named("Adversarial", "not saturating, with R1"),
    "MAE": Named(L1, "a masked autoencoder where the system is one: MaskedAutoencoder"),
    "mean p-norm": Named(MeanPNorm),
    "MSE": Named(L2),
    "multiple contrast": Named(MultipleContrast),
    "mutual-information diffusion": Named(
        "Denoising", "MIDiffusion: noise loss; mutual information is a condition, not a loss"
    ),
    "NCC": Named(NormalisedCrossCorrelation, "in windows: LocalCrossCorrelation"),
    "NLL": Named(GaussianLikelihood, "of a decoder: Variational"),
    "noise": Named(L1, "CNCL: content and noise are two channels that are wanted"),
    "path length": Named("Adversarial", "StyleGAN2's regulariser of the generator"),
    "perceptual": Named(Perceptual),
    "perceptual (VGG)": Named(Perceptual, "with ScriptedMaps of a VGG file"),
    "pixel": Named(L1),
    "Poisson log-likelihood": Named(PoissonLikelihood, "Singh et al. ascend it while sampling"),
    "R1": Named("Adversarial", "penalty of the critic's gradient at real images"),
    "reconstruction": Named(L1, "of images; in VQ-VAE a part of VectorQuantised"),
    "regression": Named("Regression", "SVIN: of the phase a frame belongs to, L1"),
    "regularisation": Named(Smoothness, "DRDM: kind 'l1', and twice Folding"),
    "RMSE": Named(RootMeanSquare),
    "shape consistency": Named(ShapeConsistency),
    "similarity": Named("Registration", "L1 in SVIN and TUMSyn; only judged by in Kawata et al."),
    "sinogram": Named(Sinogram, "SI-GAN: the sinogram itself is drawn: L1"),
    "smoothness": Named(Smoothness),
    "SSIM": Named(StructuralSimilarity),
    "structural": Named(StructuralSimilarity),
    "structural consistency": Named(
        "Adversarial", "Jiao et al.: a critic of edges, and L1 of them: Gradient"
    ),
    "structure consistency": Named(StructureConsistency),
    "StyleGAN2": Named("Adversarial", "logistic with R1"),
    "synthesis": Named(L1, "of sequences that were missing"),
    "task regression": Named(TaskRegression),
    "temporally aware": Named(
        TemporalConsistency, "TAV-GAN compares features of a network over frames"
    ),
    "tri-plane": Named(Perceptual, "of slices across three axes"),
    "TV": Named(TotalVariation),
    "VQ": Named("VectorQuantised"),
    "wavelet": Named(Wavelet),
    "WGAN": Named("PairedAdversarial", "mostly with a gradient penalty"),
}
"""By the review's names, in its spelling; '-' where it names none."""


def named(name: str) -> Named:
    """What realises the loss that a paper calls ``name``; UnknownName for any other."""
    if name not in NAMED:
        raise UnknownName("loss of the reviewed papers", name, NAMED)
    return NAMED[name]
