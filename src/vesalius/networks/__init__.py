"""Networks: tensors and conditions in, tensors out.

Every image network is built with ``channels_in``, ``channels_out`` and ``dims``, with
``condition_channels`` where it takes an image as a condition and ``takes_level`` where it can be
told a number a case, and called as ``network(x, level=None, condition=None)``. Weights start from
torch's default random stream, which the caller seeds. A transformer over tokens takes a grid of
them for ``x``; a codebook takes features alone and learns without gradient.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from vesalius.networks.classifier import SmallClassifier
    from vesalius.networks.codebook import Codebook
    from vesalius.networks.covariate_encoder import CovariateEncoder
    from vesalius.networks.dcgan_discriminator import DcganDiscriminator
    from vesalius.networks.dcgan_generator import DcganGenerator
    from vesalius.networks.decoder import Decoder
    from vesalius.networks.deformation_network import DeformationNetwork
    from vesalius.networks.dit import DiT
    from vesalius.networks.encoder import Encoder
    from vesalius.networks.error_modulated_unet import ErrorModulatedUNet
    from vesalius.networks.factorised_unet import FactorisedUNet
    from vesalius.networks.gated_pixel_cnn import GatedPixelCnn
    from vesalius.networks.hierarchical_generator import HierarchicalHead, HierarchicalTrunk
    from vesalius.networks.hybrid_unet import HybridUNet
    from vesalius.networks.image_embedder import ImageEmbedder
    from vesalius.networks.image_network import ImageNetwork
    from vesalius.networks.isotropic_mamba import IsotropicMamba
    from vesalius.networks.latent_scale import LatentScale
    from vesalius.networks.mamba_unet import MambaUNet
    from vesalius.networks.med_mamba import MedMamba
    from vesalius.networks.medformer import MedFormer
    from vesalius.networks.multi_scale_patch_discriminator import MultiScalePatchDiscriminator
    from vesalius.networks.parameter_count import count_parameters, default_size
    from vesalius.networks.patch_discriminator import PatchDiscriminator
    from vesalius.networks.patch_transformer import PatchTransformer
    from vesalius.networks.pix2pix_unet import Pix2PixUNet
    from vesalius.networks.projection_discriminator import ProjectionDiscriminator
    from vesalius.networks.resnet_generator import ResnetGenerator
    from vesalius.networks.resvit_generator import ResViTGenerator
    from vesalius.networks.segmentation_unet import SegmentationUNet
    from vesalius.networks.sentence_encoder import SentenceEncoder
    from vesalius.networks.slab_discriminator import SlabDiscriminator
    from vesalius.networks.spade_generator import SpadeGenerator
    from vesalius.networks.style_discriminator import StyleDiscriminator
    from vesalius.networks.style_generator import StyleGenerator
    from vesalius.networks.style_mapping import StyleMapping
    from vesalius.networks.swin_restorer import SwinRestorer
    from vesalius.networks.text_encoder import TextEncoder
    from vesalius.networks.token_transformer import TokenTransformer
    from vesalius.networks.unet import UNet
    from vesalius.networks.uvit import UViT
    from vesalius.networks.vision_transformer import VisionTransformer

__all__ = [
    "Codebook",
    "CovariateEncoder",
    "DcganDiscriminator",
    "DcganGenerator",
    "Decoder",
    "DeformationNetwork",
    "DiT",
    "Encoder",
    "ErrorModulatedUNet",
    "FactorisedUNet",
    "GatedPixelCnn",
    "HierarchicalHead",
    "HierarchicalTrunk",
    "HybridUNet",
    "ImageEmbedder",
    "ImageNetwork",
    "IsotropicMamba",
    "LatentScale",
    "MambaUNet",
    "MedFormer",
    "MedMamba",
    "MultiScalePatchDiscriminator",
    "PatchDiscriminator",
    "PatchTransformer",
    "Pix2PixUNet",
    "ProjectionDiscriminator",
    "ResViTGenerator",
    "ResnetGenerator",
    "SegmentationUNet",
    "SentenceEncoder",
    "SlabDiscriminator",
    "SmallClassifier",
    "SpadeGenerator",
    "StyleDiscriminator",
    "StyleGenerator",
    "StyleMapping",
    "SwinRestorer",
    "TextEncoder",
    "TokenTransformer",
    "UNet",
    "UViT",
    "VisionTransformer",
    "all_networks",
    "count_parameters",
    "default_size",
]

_NETWORKS = {
    "Codebook": "codebook",
    "CovariateEncoder": "covariate_encoder",
    "DcganDiscriminator": "dcgan_discriminator",
    "DcganGenerator": "dcgan_generator",
    "Decoder": "decoder",
    "DeformationNetwork": "deformation_network",
    "DiT": "dit",
    "Encoder": "encoder",
    "ErrorModulatedUNet": "error_modulated_unet",
    "FactorisedUNet": "factorised_unet",
    "GatedPixelCnn": "gated_pixel_cnn",
    "HierarchicalHead": "hierarchical_generator",
    "HierarchicalTrunk": "hierarchical_generator",
    "HybridUNet": "hybrid_unet",
    "ImageEmbedder": "image_embedder",
    "IsotropicMamba": "isotropic_mamba",
    "LatentScale": "latent_scale",
    "MambaUNet": "mamba_unet",
    "MedFormer": "medformer",
    "MedMamba": "med_mamba",
    "MultiScalePatchDiscriminator": "multi_scale_patch_discriminator",
    "PatchDiscriminator": "patch_discriminator",
    "PatchTransformer": "patch_transformer",
    "Pix2PixUNet": "pix2pix_unet",
    "ProjectionDiscriminator": "projection_discriminator",
    "ResViTGenerator": "resvit_generator",
    "ResnetGenerator": "resnet_generator",
    "SegmentationUNet": "segmentation_unet",
    "SentenceEncoder": "sentence_encoder",
    "SlabDiscriminator": "slab_discriminator",
    "SmallClassifier": "classifier",
    "SpadeGenerator": "spade_generator",
    "StyleDiscriminator": "style_discriminator",
    "StyleGenerator": "style_generator",
    "StyleMapping": "style_mapping",
    "SwinRestorer": "swin_restorer",
    "TextEncoder": "text_encoder",
    "TokenTransformer": "token_transformer",
    "UNet": "unet",
    "UViT": "uvit",
    "VisionTransformer": "vision_transformer",
}
_OTHERS = {
    "ImageNetwork": "image_network",
    "count_parameters": "parameter_count",
    "default_size": "parameter_count",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for."""
    file = (_NETWORKS | _OTHERS).get(name)
    if file is None:
        raise AttributeError(f"module 'vesalius.networks' has no attribute '{name}'")
    return getattr(importlib.import_module(f"vesalius.networks.{file}"), name)


def all_networks() -> tuple[type[nn.Module], ...]:
    """List the classes of all networks, by name."""
    return tuple(__getattr__(name) for name in sorted(_NETWORKS))
