"""Synthetic CT as SynthRAD 2023 judged it."""

from __future__ import annotations

from dataclasses import dataclass

from vesalius.evaluation.protocols.protocol import Found, Measure, Pair, Protocol, measured
from vesalius.metrics.pixel import synthrad_like

LOW_HU, HIGH_HU = -1024.0, 3000.0
_METRICS = synthrad_like(LOW_HU, HIGH_HU, "HU")


@dataclass(frozen=True)
class SynthRAD2023(Protocol):
    """Synthetic CT: MAE, PSNR and SSIM within the body mask."""

    name = "synthrad2023"
    citation = "Huijben et al., Med Image Anal 97:103276, 2024, doi:10.1016/j.media.2024.103276"
    unit = "HU"
    mask = "needed"
    dims = (3,)
    over = "patients"
    value_range = (LOW_HU, HIGH_HU)
    settings = (
        "in the mask; PSNR and SSIM clipped to [-1024, 3000] HU, range 4024; SSIM with a 7x7x7 "
        "uniform window, -1024 HU outside the mask, the map's mean over the mask, 3-voxel border "
        "off"
    )
    remarks = ("dose and gamma need a treatment plan and are not measured",)

    @property
    def measures(self) -> tuple[Measure, ...]:
        """MAE, PSNR, SSIM."""
        return tuple(map(Measure.of, _METRICS))

    def values(self, pair: Pair) -> Found:
        """One value a patient."""
        return measured(_METRICS, pair)


def synthrad2023() -> SynthRAD2023:
    """Synthetic CT: MAE, PSNR and SSIM within the body mask, as SynthRAD 2023 has them."""
    return SynthRAD2023()
