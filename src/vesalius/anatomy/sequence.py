"""MR signal equations: what a pulse sequence makes of T1, T2 and proton density.

Times are in ms. Signals are in units of fully relaxed water; see Bernstein, King and Zhou, Handbook
of MRI Pulse Sequences, 2004.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from vesalius.anatomy.relaxation import Relaxation


@dataclass(frozen=True)
class SpinEcho:
    """PD (1 - exp(-TR/T1)) exp(-TE/T2), for TE much shorter than TR."""

    repetition_ms: float
    echo_ms: float

    def signal(self, tissue: Relaxation) -> float:
        """Signal of ``tissue``."""
        recovered = 1 - math.exp(-self.repetition_ms / tissue.t1_ms)
        return tissue.proton_density * recovered * math.exp(-self.echo_ms / tissue.t2_ms)


@dataclass(frozen=True)
class InversionRecovery:
    """PD |1 - 2 exp(-TI/T1) + exp(-TR/T1)| exp(-TE/T2); FLAIR when TI nulls fluid."""

    repetition_ms: float
    inversion_ms: float
    echo_ms: float

    def signal(self, tissue: Relaxation) -> float:
        """Magnitude of the signal of ``tissue``."""
        inverted = 1 - 2 * math.exp(-self.inversion_ms / tissue.t1_ms)
        recovered = abs(inverted + math.exp(-self.repetition_ms / tissue.t1_ms))
        return tissue.proton_density * recovered * math.exp(-self.echo_ms / tissue.t2_ms)


@dataclass(frozen=True)
class SpoiledGradientEcho:
    """PD sin a (1 - E1) / (1 - cos a E1) exp(-TE/T2), E1 = exp(-TR/T1), T2* taken as T2."""

    repetition_ms: float
    echo_ms: float
    flip_degrees: float

    def signal(self, tissue: Relaxation) -> float:
        """Signal of ``tissue``."""
        decay = math.exp(-self.repetition_ms / tissue.t1_ms)
        angle = math.radians(self.flip_degrees)
        steady = math.sin(angle) * (1 - decay) / (1 - math.cos(angle) * decay)
        return tissue.proton_density * steady * math.exp(-self.echo_ms / tissue.t2_ms)


Sequence = SpinEcho | InversionRecovery | SpoiledGradientEcho


def nulling_inversion_ms(t1_ms: float, repetition_ms: float) -> float:
    """Inversion time at which a tissue gives no signal: T1 ln(2 / (1 + exp(-TR/T1)))."""
    return t1_ms * math.log(2 / (1 + math.exp(-repetition_ms / t1_ms)))
