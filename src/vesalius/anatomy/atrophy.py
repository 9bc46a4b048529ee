"""What age takes from the brain: wider ventricles and sulci, a thinner cortex, a smaller brain."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Atrophy:
    """State of a brain, all in mm.

    Parameters
    ----------
    ventricle_growth_mm:
        How far the walls of the ventricles have moved outwards from those of the standard head.
    cortical_thickness_mm:
        From the pial surface to white matter.
    sulcus_half_width_mm:
        Half the width of the fluid in a sulcus.
    shrinkage_mm:
        How far the surface of the brain has moved away from the skull.
    """

    ventricle_growth_mm: float
    cortical_thickness_mm: float
    sulcus_half_width_mm: float
    shrinkage_mm: float


def atrophy_at(age_years: float, *, reserve: float = 0.0, sex: str = "female") -> Atrophy:
    """Atrophy at ``age_years``, for a ``reserve`` of so many standard deviations above the mean.

    Slopes follow cross-sectional cohorts: the cortex loses about 0.4 mm between 20 and 90 years,
    and the ventricles triple, most of it after 60 (Fjell et al., Cereb Cortex 2009; Walhovd et
    al., Neurobiol Aging 2011). Every component is monotone in age.
    """
    years = max(age_years - 20.0, 0.0)
    late = max(age_years - 55.0, 0.0)
    male = 0.15 if sex == "male" else 0.0
    return Atrophy(
        ventricle_growth_mm=-1.3 + male + 0.016 * years + 0.0008 * late**2 - 0.45 * reserve,
        cortical_thickness_mm=2.95 - 0.0065 * years + 0.06 * reserve,
        sulcus_half_width_mm=max(0.30 + 0.006 * years + 0.0003 * late**2 - 0.06 * reserve, 0.15),
        shrinkage_mm=max(0.1 + 0.007 * years + 0.0005 * late**2 - 0.1 * reserve, 0.0),
    )
