"""Low-dose CT as LDCT-Bench judges it: in the window of the exam, and in HU."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from vesalius.evaluation.protocols.protocol import (
    Found,
    Measure,
    Pair,
    Protocol,
    clipped,
    joined,
    measured,
)
from vesalius.metrics.metric import CaseMetric
from vesalius.metrics.pixel import PSNR, RMSE, SSIM, VIF

Exam = Literal["chest", "abdomen", "neuro"]
#: Centre and width of each exam's window in HU.
WINDOWS: dict[Exam, tuple[float, float]] = {
    "chest": (-600.0, 1500.0),
    "abdomen": (50.0, 400.0),
    "neuro": (40.0, 80.0),
}
#: HU + 1024 within [0, 2924].
LOW_HU, HIGH_HU = -1024.0, 1900.0


def window_limits(centre: float, width: float) -> tuple[float, float]:
    """The values that DICOM's linear window function maps to its ends (PS3.3 C.11.2.1.2).

    >>> window_limits(40, 80)
    (0.0, 79.0)
    """
    return centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2


@dataclass(frozen=True)
class LdctBench(Protocol):
    """Low-dose CT: SSIM and PSNR in the exam's window, RMSE and VIF in HU, over slices."""

    exam: Exam

    citation = "Eulig, Ommer & Kachelrieß, LDCT-Bench, 2024, arXiv:2401.04661"
    unit = "HU"
    mask = "none"
    over = "slices"
    value_range = (LOW_HU, HIGH_HU)
    remarks = (
        "VIF of the real image by the generated one, as the benchmark's code calls it: above 1 "
        "where detail was lost",
    )

    @property
    def name(self) -> str:
        """With the exam."""
        return f"ldct-bench-{self.exam}"

    @property
    def settings(self) -> str:
        """Windows and ranges."""
        centre, width = WINDOWS[self.exam]
        return (
            f"SSIM (7x7 uniform) and PSNR in the window C{centre:g} W{width:g} scaled to [0, 1]; "
            "RMSE and VIF (pixel domain, noise variance 2) on HU + 1024 clipped to [0, 2924]"
        )

    @property
    def windowed(self) -> tuple[CaseMetric, ...]:
        """Measures in the exam's window; relative to its width they are those of [0, 1]."""
        low, high = limits = window_limits(*WINDOWS[self.exam])
        return (
            SSIM(high - low, data_unit="HU", limits=limits),
            PSNR(high - low, data_unit="HU", limits=limits),
        )

    @property
    def physical(self) -> tuple[CaseMetric, ...]:
        """Measures in HU."""
        return (RMSE("HU"),)

    @property
    def fidelity(self) -> VIF:
        """Information of values as they are."""
        return VIF(255.0, data_unit="HU")

    @property
    def measures(self) -> tuple[Measure, ...]:
        """SSIM, PSNR, RMSE, VIF."""
        return tuple(map(Measure.of, (*self.windowed, *self.physical, self.fidelity)))

    def values(self, pair: Pair) -> Found:
        """One value a slice."""
        parts = []
        for slices in pair.slices():
            whole = clipped(slices, LOW_HU, HIGH_HU)
            # the benchmark's code passes the real image where the generated one is expected
            turned = replace(whole, predicted=whole.reference, reference=whole.predicted)
            parts.append(
                measured(self.windowed, slices)
                | measured(self.physical, whole)
                | measured((self.fidelity,), turned)
            )
        return joined(parts)


def chest() -> LdctBench:
    """Low-dose chest CT: SSIM and PSNR in the lung window, RMSE and VIF in HU, over slices."""
    return LdctBench("chest")


def abdomen() -> LdctBench:
    """Low-dose abdomen CT: SSIM, PSNR in a soft-tissue window, RMSE, VIF in HU, over slices."""
    return LdctBench("abdomen")


def neuro() -> LdctBench:
    """Low-dose head CT: SSIM and PSNR in the brain window, RMSE and VIF in HU, over slices."""
    return LdctBench("neuro")
