"""Low-dose CT as papers after RED-CNN judge it: a soft-tissue window, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch.nn import functional

from vesalius.evaluation.protocols.protocol import (
    Found,
    Measure,
    Pair,
    Protocol,
    clipped,
    joined,
    measured,
)
from vesalius.metrics.pixel import PSNR, RMSE, SSIM, GaussianWindow

LOW_HU, HIGH_HU = -160.0, 240.0
WINDOW = GaussianWindow()
_RANGE = HIGH_HU - LOW_HU


@dataclass(frozen=True)
class LdctRedcnn(Protocol):
    """Low-dose CT in the window [-160, 240] HU: SSIM, RMSE and PSNR, mean over slices."""

    name = "ldct-redcnn"
    citation = "Chen et al., IEEE TMI 36:2524, 2017, doi:10.1109/TMI.2017.2715284"
    unit = "HU"
    mask = "none"
    over = "slices"
    value_range = (LOW_HU, HIGH_HU)
    settings = (
        "clipped to [-160, 240] HU, range 400 HU; RMSE in HU; SSIM with a Gaussian 11x11 window, "
        "sigma 1.5, zeros beyond the border"
    )
    remarks = (
        "SSIM is of HU as they are, zero at water, as in the public code of the convention",
        "comparable where the quarter dose of patient L506 is judged (input about 0.876, 14.2 HU, "
        "from memory)",
    )

    @property
    def measures(self) -> tuple[Measure, ...]:
        """SSIM, RMSE, PSNR."""
        return tuple(map(Measure.of, (_SSIM, *_ERRORS)))

    def values(self, pair: Pair) -> Found:
        """One value a slice."""
        radius = WINDOW.size // 2
        parts = []
        for slices in clipped(pair, LOW_HU, HIGH_HU).slices():
            # a convolution with zero padding sees water beyond the border
            wider = replace(
                slices,
                predicted=functional.pad(slices.predicted, [radius] * 4),
                reference=functional.pad(slices.reference, [radius] * 4),
            )
            parts.append(measured((_SSIM,), wider) | measured(_ERRORS, slices))
        return joined(parts)


_SSIM = SSIM(_RANGE, data_unit="HU", window=WINDOW)
_ERRORS = (RMSE("HU"), PSNR(_RANGE, data_unit="HU"))


def ldct_redcnn() -> LdctRedcnn:
    """Low-dose CT in the window [-160, 240] HU: SSIM, RMSE and PSNR, mean over slices."""
    return LdctRedcnn()
