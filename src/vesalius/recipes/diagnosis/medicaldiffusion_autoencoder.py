"""The autoencoder of Medical Diffusion: volumes to a coarser grid of a codebook's vectors."""

from __future__ import annotations

from vesalius import tasks
from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.losses import L1, EfficientNetLite0Maps, Perceptual
from vesalius.generative.objectives import AdversarialReconstruction
from vesalius.generative.samplers import Prior
from vesalius.networks.codebook import Codebook
from vesalius.networks.decoder import Decoder
from vesalius.networks.encoder import Encoder
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.recipes.embedded import head_volumes


def medicaldiffusion_autoencoder() -> Recipe:
    """Volumes as vectors of a codebook, by pixels, what a network sees, and two critics."""
    return Recipe(
        name="medicaldiffusion-autoencoder",
        summary="An autoencoder with a codebook learns by pixels, by what a network sees of random "
        "slices, and by critics of volumes and slices. Alone it draws each token by itself; "
        "medicaldiffusion starts from it.",
        task=tasks.get("hippocampus-volumes", head_volumes()),
        networks={
            "encoder": Call(Encoder, width=16, multipliers=(1, 2), patch=2),
            "decoder": Call(Decoder, width=16, multipliers=(1, 2), patch=2),
            "codebook": Call(Codebook, width=8, codes=512),
            "critic": Call(PatchDiscriminator, width=8, n_layers=2),
            "slice_critic": Call(PatchDiscriminator, width=8, n_layers=2, dims=2),
        },
        objective=Call(
            AdversarialReconstruction,
            losses=(Call(L1, weight=4.0),),
            slice_losses=(
                Call(
                    Perceptual,
                    weight=4.0,
                    features=Call(EfficientNetLite0Maps, blocks=(0, 2)),
                    normalise=True,
                ),
            ),
            latents="vq",
            features=8,
            codes=512,
            kind="hinge",
            adversarial=0.1,
            matching=1.0,
            begin=0.3,
            slices=1,
            axis=2,
        ),
        sampler=Call(Prior),
        optimiser=Optimiser(rate=2e-3, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=600, batch_size=4),
        provenance=Provenance(
            system="medicaldiffusion",
            title="Khader et al., Denoising diffusion probabilistic models for 3D medical image "
            "generation, Scientific Reports 2023",
            doi="10.1038/s41598-023-34341-2",
            reproduces="mechanism",
            deviations=(
                "features of EfficientNet-Lite0 instead of LPIPS",
                "512 codes of 8 features instead of 16384; residual networks of width 16 on blocks "
                "of 2x2x2 voxels",
                "adversarial terms weigh 0.1 instead of 1 and matching 1 instead of 4",
                "critics play after 0.3 of the budget instead of after 10,000 steps",
                "volumes of 32x32x32",
            ),
        ),
    )
