from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vesalius.anatomy import (
    BRAIN,
    LESIONS,
    Grid,
    Tissue,
    draw_patient,
    grow,
    later,
    tissue_fractions,
    tumour_density,
)
from vesalius.anatomy.tumour import simulate, stable_step_days
from vesalius.core.errors import InputError


def test_diffusion_alone_keeps_every_cell_and_enters_no_bone() -> None:
    rng = torch.Generator().manual_seed(0)
    diffusivity = 0.2 * (torch.rand(9, 8, 7, generator=rng) > 0.3) + 0.0
    density = torch.rand(9, 8, 7, generator=rng) * (diffusivity > 0)
    after = simulate(density.double(), diffusivity.double(), 0.0, days=300, spacing_mm=2.0)
    assert float(after.sum()) == pytest.approx(float(density.double().sum()), rel=1e-12)
    assert float(after[diffusivity == 0].abs().max()) == 0.0
    assert float((after - density).abs().max()) > 0.1


def test_growth_alone_is_logistic() -> None:
    density = torch.full((3, 3, 3), 0.1, dtype=torch.float64)
    habitable = torch.full((3, 3, 3), 20.0, dtype=torch.float64)  # stiff, so steps are short
    after = simulate(density, habitable, 0.02, days=100, spacing_mm=2.0)
    expected = 1 / (1 + 9 * math.exp(-2.0))
    torch.testing.assert_close(after, torch.full_like(after, expected), rtol=2e-3, atol=0)


def test_the_front_runs_at_fishers_speed() -> None:
    """Asymptotically 2 sqrt(D rho), approached from below as 3/(2t) sqrt(D/rho)."""
    diffusion, proliferation = 0.2, 0.05
    density = torch.zeros(500, 1, 1, dtype=torch.float64)
    density[:5] = 1.0
    habitable = torch.full_like(density, diffusion)

    def front(days: float) -> float:
        cells = simulate(density, habitable, proliferation, days=days, spacing_mm=0.5)[:, 0, 0]
        last = int((cells > 0.5).nonzero().max())
        part = float((cells[last] - 0.5) / (cells[last] - cells[last + 1]))
        return 0.5 * (last + part)

    speed = (front(700) - front(400)) / 300
    expected = 2 * math.sqrt(diffusion * proliferation)
    expected -= 1.5 * math.sqrt(diffusion / proliferation) * math.log(700 / 400) / 300
    assert speed == pytest.approx(expected, rel=0.04)


@given(
    diffusion=st.floats(0.01, 2.0),
    proliferation=st.floats(0.0, 0.2),
    seed=st.integers(0, 1000),
    days=st.floats(1.0, 200.0),
)
@settings(max_examples=25, deadline=None)
def test_densities_stay_between_none_and_all(
    diffusion: float, proliferation: float, seed: int, days: float
) -> None:
    rng = torch.Generator().manual_seed(seed)
    density = (torch.rand(6, 6, 6, generator=rng) > 0.5).double()
    habitable = diffusion * torch.rand(6, 6, 6, generator=rng).double()
    after = simulate(density, habitable, proliferation, days=days, spacing_mm=1.5)
    assert float(after.min()) >= -1e-9
    assert float(after.max()) <= 1 + 1e-9


def test_a_longer_step_would_break_the_scheme() -> None:
    """A checkerboard is the fastest mode; just past the stated step it leaves [0, 1]."""
    step = stable_step_days(0.3, 0.0, 2.0)
    assert step == pytest.approx(4.0 / 1.8)
    # one explicit step from a lone full cell: the cell keeps 1 - 6 D dt / h²
    assert 1 - 6 * 0.3 * step / 4.0 == pytest.approx(0.0)
    assert 1 - 6 * 0.3 * 1.1 * step / 4.0 < 0


def test_cells_run_along_white_matter() -> None:
    density = torch.zeros(41, 3, 3, dtype=torch.float64)
    density[20, 1, 1] = 1.0
    habitable = torch.full_like(density, 0.2)
    habitable[:20] = 0.04
    after = simulate(density, habitable, 0.02, days=150, spacing_mm=2.0)
    assert float(after[21:].sum()) > 1.5 * float(after[:20].sum())


def test_a_tumour_grows_and_stays_in_the_brain() -> None:
    ill = draw_patient(0, 3, lesions="tumour")
    well = draw_patient(0, 3, lesions="none")
    points = Grid.of((60, 66, 52), (180.0, 198.0, 156.0), 15.0).points().reshape(-1, 3)
    brain = tissue_fractions(well, points, edge_mm=3.0)[list(BRAIN)].sum(0)
    last = None
    for days in (0.0, 90.0, 240.0, 400.0):
        grown = grow(ill, days)
        shares = tissue_fractions(grown, points, edge_mm=3.0)
        lesion = shares[list(LESIONS)].sum(0)
        assert bool((lesion <= brain + 1e-5).all())
        torch.testing.assert_close(shares[list(BRAIN)].sum(0), brain, atol=1e-4, rtol=0)
        seen = float(lesion.sum()) * 0.027
        cells = float(tumour_density(grown)[1].sum())
        if last is not None:
            assert seen > last[0]
            assert cells > last[1]
        last = (seen, cells)
    assert last is not None
    assert 20 < last[0] < 400
    assert float(shares[Tissue.NECROSIS].sum()) > 0


def test_growth_needs_a_tumour_and_time() -> None:
    with pytest.raises(InputError, match="a patient with a tumour"):
        grow(draw_patient(0, 0, lesions="none"), 10)
    ill = draw_patient(0, 0, lesions="tumour")
    with pytest.raises(InputError, match="days of zero or more"):
        grow(ill, -1)
    assert ill.tumour is not None
    older = later(ill, 1.0)
    assert older.tumour is not None
    assert older.tumour.age_days == pytest.approx(ill.tumour.age_days + 365.25)
