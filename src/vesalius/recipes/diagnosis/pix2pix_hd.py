"""pix2pixHD: paired translation against critics at several scales."""

from __future__ import annotations

import dataclasses

from vesalius.core.call import Call
from vesalius.core.recipe import Provenance, Recipe
from vesalius.generative.objectives import PairedAdversarial
from vesalius.networks.multi_scale_patch_discriminator import MultiScalePatchDiscriminator
from vesalius.networks.resnet_generator import ResnetGenerator
from vesalius.recipes.diagnosis.pix2pix import pix2pix


def pix2pix_hd() -> Recipe:
    """Paired translation by critics at two scales, whose features are matched instead of voxels."""
    return dataclasses.replace(
        pix2pix(),
        name="pix2pix-hd",
        summary="A residual generator against critics of pairs at two scales; what their features "
        "see in drawn images must match what they see in real ones.",
        networks={
            "generator": Call(ResnetGenerator, width=24, n_blocks=6),
            "critic": Call(MultiScalePatchDiscriminator, n_scales=2, width=24, n_layers=3),
        },
        objective=Call(PairedAdversarial, losses=(), kind="least-squares", matching=10.0),
        draws=1,  # it has no noise
        provenance=Provenance(
            title="Wang et al., High-resolution image synthesis and semantic manipulation with "
            "conditional GANs, CVPR 2018",
            doi="10.48550/arXiv.1711.11585",
            reproduces="mechanism",
            deviations=(
                "the global generator alone, without the enhancer for twice the resolution",
                "two scales of critics instead of three; no map of instance borders",
                "not trained to a result",
            ),
        ),
    )
