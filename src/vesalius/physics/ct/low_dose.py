"""CT at a fraction of the dose: quantum and electronic noise, inserted into an image."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.physics.ct.filtered_back_projection import filtered_back_projection
from vesalius.physics.ct.line_integrals import LineIntegrals
from vesalius.physics.degradation import Degradation, DrawnRecord
from vesalius.physics.operator import Identity

#: Linear attenuation of water at 70 keV, per mm (NIST XCOM).
WATER_PER_MM = 0.01929


@final
@dataclass(frozen=True)
class LowDoseCT(Degradation):
    """Noise of a scan at ``dose`` times the dose of the image, which is in HU.

    The image's attenuation gives the mean quanta of every ray of a parallel beam, ``N = N_0
    exp(-p)``. Quanta are drawn (Poisson, plus normal electronic noise of standard deviation
    ``electronic``, in quanta); their deviation, to first order ``(N - quanta) / N`` of the line
    integral p, is reconstructed by filtered back-projection and added. So nothing but noise
    differs, its mean is zero, and it is correlated and stronger behind bone as in a scanner. The
    image's own noise counts as that of the full dose: variances are those that lack at ``dose``,
    and a dose of 1 adds nothing. What lies outside the image does not attenuate. Bow tie, scatter
    and beam hardening are left out.

    Parameters
    ----------
    dose:
        Fraction of the full dose, above 0 to 1.
    quanta_per_mm:
        Quanta that a view at full dose sends to a millimetre of the detector, whose bins are one
        pixel wide.
    electronic:
        Standard deviation of the read-out, in quanta.
    angles:
        Views over half a turn.
    pixel_mm:
        Pixel size where the record brings none.

    Reference: Yu et al., J Comput Assist Tomogr 36:477, 2012 (noise insertion); Zeng et al., IEEE
    Trans Nucl Sci 62:2226, 2015.
    """

    dose: float = 0.05
    quanta_per_mm: float = 5e4
    electronic: float = 5.0
    angles: int = 96
    pixel_mm: float = 1.0

    def draw(self, rng: np.random.Generator, space: tuple[int, ...]) -> DrawnRecord:
        """``noise_seed`` and ``pixel_mm``, which may be replaced by the image's own."""
        if not 0 < self.dose <= 1:
            raise InputError("a dose above 0 up to 1", came=self.dose)
        if len(space) != 2:
            raise InputError("slices", came=f"{len(space)} axes of space")
        return {"noise_seed": int(rng.integers(2**31)), "pixel_mm": self.pixel_mm}

    def rays(self, space: tuple[int, int]) -> LineIntegrals:
        """The scan of ``(row, column)``, lengths in pixels: one geometry for any pixel size.

        An odd number of rays a view, one through the middle, a little more than the diagonal needs.
        """
        n_detectors = math.ceil(math.hypot(*space)) // 2 * 2 + 3
        angles = tuple(180 * view / self.angles for view in range(self.angles))
        return LineIntegrals((1, *space), angles, n_detectors=n_detectors)

    def mean_quanta(self, hu: Tensor, pixel_mm: float) -> Tensor:
        """Mean quanta ``(channel, angle, detector)`` behind ``(channel, row, column)`` in HU."""
        attenuation = (1 + hu / 1000).clamp(min=0) * (WATER_PER_MM * pixel_mm)
        rows, columns = hu.shape[1:]
        integrals = self.rays((rows, columns)).forward(attenuation[:, None])[:, 0]
        return self.dose * self.quanta_per_mm * pixel_mm * (-integrals.double()).exp()

    def apply(self, x: Tensor, record: DrawnRecord) -> tuple[Tensor, Identity]:
        """Noisy ``(channel, row, column)`` in HU, each channel with noise of its own."""
        rows, columns = x.shape[1:]
        rng = np.random.default_rng(record["noise_seed"])
        mean = self.mean_quanta(x.detach().cpu().float(), record["pixel_mm"]).numpy()
        deviation = np.sqrt(1 - self.dose) * (mean - rng.poisson(mean))
        read_out = np.sqrt(1 - self.dose**2) * self.electronic
        deviation -= read_out * rng.standard_normal(mean.shape)
        integrals = torch.from_numpy(deviation / mean).float()[:, None]
        noise = filtered_back_projection(self.rays((rows, columns)), integrals)[:, 0]
        noise = noise * (1000 / (WATER_PER_MM * record["pixel_mm"]))
        return x + noise.to(x), Identity(tuple(x.shape))
