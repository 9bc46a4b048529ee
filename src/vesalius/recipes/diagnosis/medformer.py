"""MedFormer: segmentation with attention between voxels and a small semantic map."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.core.recipe import Budget, Optimiser, Provenance, Recipe
from vesalius.generative.objectives import Segmentation
from vesalius.generative.samplers import Direct
from vesalius.networks.medformer import MedFormer
from vesalius.recipes.embedded import tissues_of_slice


def medformer() -> Recipe:
    """Labels of an image, by a U-shape whose voxels see the whole image through a map."""
    return Recipe(
        name="medformer",
        summary="A U-shape of convolutions at full resolution and, below, attention both ways "
        "between voxels and a semantic map; trained with cross-entropy and soft Dice.",
        task=tissues_of_slice(),
        networks={"network": Call(MedFormer, width=16, multipliers=(1, 2, 4, 8), heads=4)},
        objective=Call(Segmentation),
        sampler=Call(Direct),
        optimiser=Optimiser(rate=1e-3, weight_decay=0.05, warmup_steps=50, ema_decay=0.99),
        budget=Budget(steps=600, batch_size=4),
        provenance=Provenance(
            system="medformer",
            title="Gao et al., A data-scalable transformer for medical image segmentation: "
            "architecture, model efficiency, and benchmark, 2022",
            doi="10.48550/arXiv.2203.00131",
            reproduces="mechanism",
            deviations=(
                "no deep supervision: the loss sees full resolution alone",
                "width 16 in four resolutions with one attention block each way, instead of 32 "
                "in five with two to six; 64 map tokens at every resolution",
                "group normalisation instead of batch and instance normalisation; residual blocks "
                "at full resolution are without squeeze and excitation",
                "every resolution makes a map of its own, and the transformer that fuses them is "
                "as wide as the lowest resolution",
                "hundreds of steps on whole images instead of 150 epochs on crops",
            ),
        ),
    )
