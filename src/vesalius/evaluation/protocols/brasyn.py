"""A missing MRI contrast as BraTS BraSyn judges it: in a region, and by tumour outlines."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from vesalius.core.errors import InputError
from vesalius.evaluation.protocols.protocol import Found, Measure, Pair, Protocol, measured
from vesalius.metrics.clinical.dice import Dice
from vesalius.metrics.pixel import MSE, PSNR, SSIM, GaussianWindow

PERCENTILES = (0.5, 99.5)
_METRICS = (
    SSIM(1.0, window=GaussianWindow(), limits=(0.0, 1.0), blank_outside=True, border="mirror"),
    PSNR(1.0),
    MSE("1"),
)
#: Labels of BraTS since 2023 (1 necrosis, 2 oedema, 3 enhancing) that make up each region.
REGIONS = {"whole tumour": (1, 2, 3), "tumour core": (1, 3), "enhancing tumour": (3,)}


@dataclass(frozen=True)
class BraSyn(Protocol):
    """A synthesised MRI contrast: SSIM, PSNR and MSE in the region that the mask marks."""

    name = "brasyn"
    citation = "Li et al., BraTS 2023: BraSyn, 2023, arXiv:2305.09011"
    mask = "needed"
    dims = (3,)
    over = "patients"
    settings = (
        "both images clipped to the 0.5 and 99.5 percentiles of the reference outside the mask "
        "(the lower one at least 0) and scaled to [0, 1]; SSIM with a Gaussian window (sigma 1.5), "
        "zero outside the mask, its full map averaged over the mask; PSNR with range 1; MSE"
    )
    remarks = (
        "SSIM's window and range and the blank outside are from memory of the BraTS code, whose "
        "tutorial scales each image by its own percentiles",
        "outlines of a segmentation network on the synthesised contrast: brasyn-tumour",
    )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """SSIM, PSNR, MSE."""
        return tuple(map(Measure.of, _METRICS))

    def values(self, pair: Pair) -> Found:
        """One value a patient."""
        assert pair.mask is not None
        outside = pair.reference[~pair.mask]
        if not len(outside):
            raise InputError(
                "a mask that leaves part of the image outside, which sets the range",
                came="one that marks every voxel",
            )
        low, high = (float(value) for value in np.percentile(outside.numpy(), PERCENTILES))
        low = max(low, 0.0)
        if not low < high:
            raise InputError(
                "a reference that varies outside the mask", came=f"{low:g} there",
                remedy="mark the region that was synthesised, not the whole brain",
            )  # fmt: skip
        scaled = replace(
            pair,
            predicted=(pair.predicted.clamp(low, high) - low) / (high - low),
            reference=(pair.reference.clamp(low, high) - low) / (high - low),
        )
        return measured(_METRICS, scaled)


@dataclass(frozen=True)
class BraSynTumour(Protocol):
    """Tumours outlined on a synthesised MRI contrast: Dice of three regions."""

    name = "brasyn-tumour"
    citation = "Li et al., BraTS 2023: BraSyn, 2023, arXiv:2305.09011"
    dims = (3,)
    over = "patients"
    labels = True
    settings = (
        "label maps with 1 necrosis, 2 oedema, 3 enhancing tumour; Dice of whole tumour (1, 2, 3), "
        "core (1, 3) and enhancing tumour (3), 1 where neither map has the region"
    )
    remarks = (
        "the network that outlines tumours on three real contrasts and the synthesised one is the "
        "user's: numbers compare only for the same network",
    )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """Dice of each region."""
        return tuple(replace(Measure.of(_dice(name)), name=f"{name} dice") for name in REGIONS)

    def values(self, pair: Pair) -> Found:
        """One value a patient and region."""
        found = {}
        for name, labels in REGIONS.items():
            predicted, reference = (
                torch.isin(images, torch.tensor(labels, dtype=images.dtype)).double()
                for images in (pair.predicted, pair.reference)
            )
            value = _dice(name).statistic(predicted, reference, pair.mask)
            found[f"{name} dice"] = (float(value[0]),)
        return found


def _dice(region: str) -> Dice:
    return Dice(1, region, both_absent=1.0)


def brasyn_tumour() -> BraSynTumour:
    """Tumours outlined on a synthesised MRI contrast: Dice of three regions, as BraSyn has it."""
    return BraSynTumour()


def brasyn() -> BraSyn:
    """A missing MRI contrast: SSIM, PSNR and MSE in a region, as BraSyn has them."""
    return BraSyn()
