"""Questions of acquisition: reconstruction."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.data.split import SplitRule
from vesalius.physics.mri.undersampling import UndersampledMRI
from vesalius.tasks.reconstruction import Reconstruction


def mri_4x(source: Call) -> Call:
    """Multi-coil MRI from a quarter of its k-space lines, at random (fastMRI's knee masks)."""
    return Call(
        Reconstruction,
        name="mri-4x",
        phase="acquisition",
        question="Which image explains a quarter of k-space?",
        source=source,
        rule=Call(SplitRule, shifted_sites=("C",)),
        degradation=Call(UndersampledMRI, acceleration=4, centre_fraction=0.08, mask="random"),
    )


def mri_4x_equispaced(source: Call) -> Call:
    """As mri-4x, with equispaced lines (fastMRI's brain masks)."""
    return Call(
        Reconstruction,
        name="mri-4x-equispaced",
        phase="acquisition",
        question="Which image explains every fourth line of k-space?",
        source=source,
        rule=Call(SplitRule, shifted_sites=("C",)),
        degradation=Call(UndersampledMRI, acceleration=4, centre_fraction=0.08, mask="equispaced"),
    )
