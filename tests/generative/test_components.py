from __future__ import annotations

import inspect
from typing import get_args

import pytest

from vesalius import recipes
from vesalius.core import Call
from vesalius.generative.components import ComponentKind, components

KINDS = get_args(ComponentKind)

#: What no recipe uses yet, and why.
WITHOUT_RECIPE = {
    # objectives
    "Registration": "no task brings a moving and a fixed image",
    # losses
    "BiologicalConstraints": "DaniNet's: no task brings regressions of voxels on age",
    "Focal": "of a classifier of haematomas that grow (Yalcin et al.): no recipe classifies",
    "KullbackLeibler": "of probability maps: no reviewed system trains by it; latents have theirs",
    "LocalCrossCorrelation": "of registration, its default: no task brings a moving image",
    "LogRatio": "Triad's: no task brings embeddings of how images were made",
    "MultiScale": "MambaRoll's and SVIN's: their networks decode at several scales",
    "PoissonLikelihood": "Singh et al. climb it while drawing; no task measures emissions",
    "RootMeanSquare": "Quintero et al.: no task brings a patient's own motion",
    "ShapeConsistency": "looks through a trained segmenter: a file that no recipe can name",
    "TaskRegression": "looks through a trained task network: a file that no recipe can name",
    "TruncatedPrior": "StyleGAN's truncation: a choice when drawing; recipes draw all there is",
    "TemporalConsistency": "TAV-GAN's: no task brings frames",
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_is_described_and_can_be_named_in_a_recipe(kind: ComponentKind) -> None:
    found = components(kind)
    assert len(found) >= 2
    for component in found:
        assert not inspect.isabstract(component)
        assert (component.__doc__ or "").strip(), component
        assert Call.from_json(Call(component).to_json()).target is component


@pytest.mark.parametrize("kind", KINDS)
def test_every_component_is_used_by_a_recipe(kind: ComponentKind) -> None:
    using = recipes.using()
    unused = {component.__name__ for component in components(kind) if component not in using}
    assert unused == {c.__name__ for c in components(kind)} & set(WITHOUT_RECIPE)
