from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vesalius.anatomy.magnetic_resonance import rician, sensitivity, tissue_signals
from vesalius.anatomy.relaxation import Relaxation, relaxation_table
from vesalius.anatomy.scanner import REFERENCE, scanner_of, scanners
from vesalius.anatomy.sequence import (
    InversionRecovery,
    SpinEcho,
    SpoiledGradientEcho,
    nulling_inversion_ms,
)
from vesalius.anatomy.tissue import Tissue
from vesalius.core.errors import InputError

times = st.floats(200, 4000)


def recovered(magnetisation: float, wait_ms: float, t1_ms: float) -> float:
    """Bloch's equation along the field."""
    return 1 + (magnetisation - 1) * math.exp(-wait_ms / t1_ms)


def test_a_spin_echo_by_hand() -> None:
    # TR = T1 ln 2 recovers a half, TE = T2 ln 4 leaves a quarter
    tissue = Relaxation(1000, 100, 0.8)
    sequence = SpinEcho(1000 * math.log(2), 100 * math.log(4))
    assert sequence.signal(tissue) == pytest.approx(0.8 * 0.5 * 0.25)


@given(t1=times, repetition=st.floats(1000, 9000), share=st.floats(0.1, 0.9))
def test_inversion_recovery_is_blochs(t1: float, repetition: float, share: float) -> None:
    inversion = share * repetition
    along = 1.0
    for _ in range(4):
        along = recovered(-along, inversion, t1)
        seen = abs(along)
        along = recovered(0.0, repetition - inversion, t1)
    expected = 0.9 * seen * math.exp(-80 / 90)
    sequence = InversionRecovery(repetition, inversion, 80)
    assert sequence.signal(Relaxation(t1, 90, 0.9)) == pytest.approx(expected, abs=1e-9)


@given(t1=times, repetition=st.floats(5, 200), flip=st.floats(5, 85))
def test_a_spoiled_gradient_echo_is_blochs(t1: float, repetition: float, flip: float) -> None:
    along, angle = 1.0, math.radians(flip)
    for _ in range(6000):
        across = along * math.sin(angle)
        along = recovered(along * math.cos(angle), repetition, t1)
    sequence = SpoiledGradientEcho(repetition, 5, flip)
    expected = 0.7 * across * math.exp(-5 / 60)
    assert sequence.signal(Relaxation(t1, 60, 0.7)) == pytest.approx(expected, rel=1e-4, abs=1e-7)


@given(t1=times, repetition=st.floats(3000, 12000))
def test_the_nulling_time_nulls(t1: float, repetition: float) -> None:
    sequence = InversionRecovery(repetition, nulling_inversion_ms(t1, repetition), 100)
    assert sequence.signal(Relaxation(t1, 1000, 1.0)) < 1e-9


@pytest.mark.parametrize("site", sorted(scanners()))
def test_contrasts_are_in_the_order_that_radiologists_know(site: str) -> None:
    scanner = scanner_of(site)
    signal = {name: tissue_signals(scanner, name).tolist() for name in scanner.sequences}
    grey, white, fluid = Tissue.GREY_MATTER, Tissue.WHITE_MATTER, Tissue.CEREBROSPINAL_FLUID
    lesion, fat = Tissue.WHITE_MATTER_LESION, Tissue.FAT
    t1, t2, flair, pd = (signal[name] for name in ("t1", "t2", "flair", "pd"))
    assert fat < len(t1)
    assert t1[fat] > t1[white] > 1.15 * t1[grey] > t1[grey] > t1[fluid]
    assert t2[fluid] > t2[lesion] > t2[grey] > 1.15 * t2[white]
    assert flair[lesion] > 1.2 * flair[grey] > flair[grey] > flair[white] > flair[fluid]
    assert flair[fluid] < 1e-6
    assert pd[grey] > pd[white]
    assert t1[Tissue.WHITE_MATTER] > t1[Tissue.PALLIDUM] > t1[Tissue.CAUDATE]
    for name, reference in REFERENCE.items():
        assert signal[name][reference] == pytest.approx(1.0)
        assert max(signal[name]) < 2.5
        assert signal[name][Tissue.AIR] == 0.0


def test_fields_are_known_by_name() -> None:
    assert set(relaxation_table(1.5)) == set(relaxation_table(3.0)) == set(Tissue)
    for tissue in Tissue:
        assert relaxation_table(3.0)[tissue].t1_ms >= relaxation_table(1.5)[tissue].t1_ms
    with pytest.raises(InputError, match=r"1\.5 or 3 tesla, got 7"):
        relaxation_table(7.0)


def test_rician_noise_has_its_moments() -> None:
    rng = torch.Generator().manual_seed(3)
    empty = rician(torch.zeros(200_000), 0.5, rng)
    assert float(empty.mean()) == pytest.approx(0.5 * math.sqrt(math.pi / 2), rel=0.01)
    bright = rician(torch.full((200_000,), 2.0), 0.5, rng)
    assert float(bright.square().mean()) == pytest.approx(4.0 + 2 * 0.25, rel=0.01)
    assert float(empty.min()) >= 0


def test_shading_is_smooth_and_one_at_the_centre() -> None:
    line = torch.stack((torch.arange(-90.0, 91.0), torch.zeros(181), torch.zeros(181)), 1)
    shade = sensitivity(line, 0.1, torch.Generator().manual_seed(1))
    assert float(shade[90]) == pytest.approx(1.0)
    assert float(shade.diff().abs().max()) < 0.01
    assert float(shade.min()) > 0.4
    assert float(shade.std()) > 0.005
