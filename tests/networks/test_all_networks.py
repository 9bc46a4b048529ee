"""Every network keeps the contract, in 2D and 3D, with and without its options."""

from __future__ import annotations

import inspect
import subprocess
import sys
from typing import Any

import pytest
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.networks import (
    Codebook,
    CovariateEncoder,
    DcganDiscriminator,
    DcganGenerator,
    Decoder,
    DeformationNetwork,
    DiT,
    Encoder,
    ErrorModulatedUNet,
    FactorisedUNet,
    GatedPixelCnn,
    HierarchicalHead,
    HierarchicalTrunk,
    HybridUNet,
    ImageEmbedder,
    IsotropicMamba,
    LatentScale,
    MambaUNet,
    MedFormer,
    MedMamba,
    MultiScalePatchDiscriminator,
    PatchDiscriminator,
    PatchTransformer,
    Pix2PixUNet,
    ProjectionDiscriminator,
    ResnetGenerator,
    ResViTGenerator,
    SegmentationUNet,
    SentenceEncoder,
    SlabDiscriminator,
    SmallClassifier,
    SpadeGenerator,
    StyleDiscriminator,
    StyleGenerator,
    StyleMapping,
    SwinRestorer,
    TextEncoder,
    TokenTransformer,
    UNet,
    UViT,
    VisionTransformer,
    all_networks,
)
from vesalius.testing.check_network import check_network

TINY: dict[type, dict[str, Any]] = {
    VisionTransformer: {"width": 8, "n_layers": 2, "heads": 2},
    MedFormer: {"width": 4, "multipliers": (1, 2, 3), "heads": 2, "map_tokens": 5},
    HybridUNet: {"width": 4, "multipliers": (1, 2), "heads": 2},
    DiT: {"width": 8, "n_layers": 1, "heads": 2},
    Decoder: {"width": 4, "multipliers": (1, 2)},
    Encoder: {"width": 4, "multipliers": (1, 2, 3)},
    DcganDiscriminator: {"width": 4, "multipliers": (1, 2), "extent": 16},
    DeformationNetwork: {"width": 4, "n_blocks": 1},
    ErrorModulatedUNet: {"width": 4, "n_convolutions": (1, 1, 2), "modulation_width": 4},
    ImageEmbedder: {"width": 4, "levels": 3},
    PatchTransformer: {"width": 16, "n_layers": 1, "decoder_width": 8, "decoder_layers": 1},
    ProjectionDiscriminator: {"width": 4, "levels": 3},
    IsotropicMamba: {"width": 8, "n_layers": 3, "states": 3, "head_width": 4},
    MambaUNet: {"width": 4, "multipliers": (1, 2), "states": 2},
    MedMamba: {"width": 8, "n_blocks": (1, 1), "patch": 2, "states": 3},
    UNet: {"width": 4, "multipliers": (1, 2, 4)},
    UViT: {"width": 8, "n_layers": 3, "heads": 2},
    Pix2PixUNet: {"width": 4, "levels": 3, "dropout_at_test": False},
    ResnetGenerator: {"width": 4, "n_blocks": 1},
    ResViTGenerator: {"width": 4, "n_blocks": 6, "hidden": 8, "n_layers": 1, "heads": 2},
    SpadeGenerator: {"width": 4, "levels": 2, "hidden": 4},
    SwinRestorer: {"width": 8, "heads": 2, "n_blocks": 1, "n_layers": 2, "window": 4},
    SegmentationUNet: {"width": 4, "levels": 3},
    SmallClassifier: {"width": 4, "levels": 3},
    StyleDiscriminator: {"width": 4, "multipliers": (1, 2, 2), "extent": 16, "group": 1},
    StyleMapping: {"n_layers": 2},
    PatchDiscriminator: {"width": 4, "n_layers": 2},
    MultiScalePatchDiscriminator: {"width": 4, "n_layers": 1},
}
# have a contract and a test file of their own
OTHERS = {
    Codebook,
    CovariateEncoder,
    DcganGenerator,
    FactorisedUNet,
    GatedPixelCnn,
    HierarchicalHead,
    HierarchicalTrunk,
    LatentScale,
    SentenceEncoder,
    SlabDiscriminator,
    StyleGenerator,
    TextEncoder,
    TokenTransformer,
}
IMAGE_NETWORKS = [kind for kind in all_networks() if kind not in OTHERS]


def image(channels: int, dims: int, seed: int = 0, batch: int = 2) -> Tensor:
    size = (batch, channels, *((14, 16) if dims == 2 else (12, 8, 11)))
    return torch.randn(size, generator=torch.Generator().manual_seed(seed))


def channels_out(kind: type, dims: int) -> int:
    """A displacement has as many channels as there are axes; others have what they are told."""
    return dims if kind is DeformationNetwork else 3


def expected_shape(network: torch.nn.Module, x: Tensor) -> tuple[int, ...] | None:
    """None for image to image; else worked out by hand from the layers."""
    if isinstance(network, Encoder):
        return (x.shape[0], network.channels_out, *(-(-n // 4) for n in x.shape[2:]))
    if isinstance(network, Decoder):
        return (x.shape[0], network.channels_out, *(2 * n for n in x.shape[2:]))
    if isinstance(
        network,
        SmallClassifier | ImageEmbedder | MedMamba | VisionTransformer | ProjectionDiscriminator,
    ):
        return (x.shape[0], network.channels_out)
    if isinstance(network, DcganDiscriminator | StyleDiscriminator):
        return (x.shape[0], network.channels_out, *[1] * (x.ndim - 2))  # up to 16 voxels an axis
    if isinstance(network, PatchDiscriminator):
        # at least 12 voxels an axis, halved twice (rounding down), then two 4-wide layers less one
        return (x.shape[0], network.channels_out, *(max(n, 12) // 4 - 2 for n in x.shape[2:]))
    if isinstance(network, MultiScalePatchDiscriminator):
        # two scales; at least 6 voxels an axis, halved once, then two 4-wide layers less one
        return (x.shape[0], 2 * network.channels_out, *(max(n, 6) // 2 - 2 for n in x.shape[2:]))
    return None


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("kind", IMAGE_NETWORKS, ids=lambda kind: kind.__name__)
def test_contract(kind: type, dims: int) -> None:
    x = image(2, dims)
    network = kind(channels_in=2, channels_out=channels_out(kind, dims), dims=dims, **TINY[kind])
    check_network(network, x, shape=expected_shape(network, x))


@pytest.mark.parametrize("dims", [2, 3])
@pytest.mark.parametrize("kind", IMAGE_NETWORKS, ids=lambda kind: kind.__name__)
def test_contract_with_condition_and_level(kind: type, dims: int) -> None:
    takes_level = "takes_level" in inspect.signature(kind).parameters
    options = TINY[kind] | ({"takes_level": True} if takes_level else {})
    x, condition = image(1, dims), image(2, dims, seed=1)
    if kind is PatchTransformer:
        condition = torch.zeros(2, 1, *x.shape[2:]).bool()
        condition[..., :4] = True  # one patch wide
    network = kind(
        channels_in=1,
        channels_out=channels_out(kind, dims),
        dims=dims,
        condition_channels=condition.shape[1],
        **options,
    )
    level = torch.tensor([0.2, -3.0]) if takes_level else None
    check_network(
        network,
        x,
        level,
        condition,
        shape=expected_shape(network, x),
        condition_optional=kind in (ErrorModulatedUNet, PatchTransformer),
    )


@pytest.mark.parametrize("kind", IMAGE_NETWORKS, ids=lambda kind: kind.__name__)
def test_input_that_does_not_fit_is_named(kind: type) -> None:
    network = kind(channels_in=2, channels_out=2, dims=2, **TINY[kind])
    with pytest.raises(InputError, match=rf"{kind.__name__}.*\(batch, 2, 2 axes of space\)"):
        network(image(1, 2))
    with pytest.raises(InputError, match="axes of space"):
        network(image(2, 3))
    with pytest.raises(InputError, match="expected no level"):
        network(image(2, 2), torch.zeros(2))
    with pytest.raises(InputError, match="expected no condition"):
        network(image(2, 2), None, image(1, 2))


def test_level_and_condition_that_do_not_fit_are_named() -> None:
    network = UNet(channels_in=1, channels_out=1, takes_level=True, condition_channels=1, width=4)
    x, level, condition = image(1, 2), torch.zeros(2), image(1, 2)
    with pytest.raises(InputError, match="expected one level a case, got none"):
        network(x, None, condition)
    with pytest.raises(InputError, match=r"shape \(2,\), got \(1,\)"):
        network(x, torch.zeros(1), condition)
    with pytest.raises(InputError, match="expected a condition of 1 channels, got none"):
        network(x, level)
    with pytest.raises(InputError, match=r"condition of shape \(2, 1, 14, 16\)"):
        network(x, level, image(2, 2))


@pytest.mark.parametrize("kind", IMAGE_NETWORKS, ids=lambda kind: kind.__name__)
def test_the_caller_seeds_the_weights(kind: type) -> None:
    def made(seed: int) -> list[Tensor]:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return list(kind(channels_in=1, channels_out=2, **TINY[kind]).parameters())

    assert all(torch.equal(a, b) for a, b in zip(made(1), made(1), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(made(1), made(2), strict=True))


@pytest.mark.parametrize(
    "kind",
    [
        DeformationNetwork,
        DiT,
        ErrorModulatedUNet,
        HybridUNet,
        IsotropicMamba,
        MambaUNet,
        MedFormer,
        PatchTransformer,
        Pix2PixUNet,
        ResViTGenerator,
        ResnetGenerator,
        SegmentationUNet,
        SpadeGenerator,
        SwinRestorer,
        UNet,
    ],
    ids=lambda kind: kind.__name__,
)
def test_one_voxel_is_an_image_too(kind: type) -> None:
    network = kind(channels_in=1, channels_out=3, dims=3, **TINY[kind])
    y = network(torch.ones(1, 1, 1, 2, 3))
    assert y.shape == (1, 3, 1, 2, 3)
    assert y.isfinite().all()


def test_importing_the_networks_does_not_import_monai() -> None:
    code = (
        "import sys, vesalius.networks as n; n.all_networks(); "
        "n.UNet(channels_in=1, channels_out=1, width=4); sys.exit('monai' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_name_offered_exists() -> None:
    import vesalius.networks as room

    for name in room.__all__:
        assert getattr(room, name).__name__ == name
    assert not hasattr(room, "Unet")
    assert {kind.__name__ for kind in all_networks()} < set(room.__all__)
    assert set(all_networks()) == set(TINY) | OTHERS
