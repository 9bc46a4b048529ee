"""Questions of acquisition: reconstruction and restoration."""

from __future__ import annotations

from vesalius.core.call import Call
from vesalius.data.split import SplitRule
from vesalius.physics.ct.low_dose import LowDoseCT
from vesalius.physics.downsampling import Downsampled
from vesalius.physics.gaussian_noise import GaussianNoise
from vesalius.physics.hole import Hole
from vesalius.physics.mri.undersampling import UndersampledMRI
from vesalius.tasks.reconstruction import Reconstruction
from vesalius.tasks.restoration import Restoration


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


def ct_low_dose(source: Call) -> Call:
    """Head-and-neck CT slices from a twentieth of the dose, judged in a soft-tissue window."""
    return Call(
        Restoration,
        name="ct-low-dose",
        phase="acquisition",
        question="What would CT at full dose show?",
        source=source,
        degradation=Call(LowDoseCT, dose=0.05),
        channel_names=("ct",),
        matrix=(64, 64),
        averaging=1,
        interval=(-1024.0, 1024.0),
        judged_over=(-160.0, 240.0),
        slices=8,
    )


def mr_super_resolution_4x(source: Call) -> Call:
    """MR slices from a sixteenth of k-space, its centre; centre C was never trained on."""
    return Call(
        Restoration,
        name="mr-super-resolution-4x",
        phase="acquisition",
        question="Which image belongs to this one of a quarter of the resolution?",
        source=source,
        rule=Call(SplitRule, shifted_sites=("C",)),
        degradation=Call(Downsampled, factor=4, way="kspace"),
        channel_names=("mr", "t1", "t1w"),
        matrix=(128, 128),
        shift_voxels=6,
    )


def xray_denoising(source: Call) -> Call:
    """Chest X-rays under noise of a standard deviation of 25 grey levels of 255."""
    return Call(
        Restoration,
        name="xray-denoising",
        phase="acquisition",
        question="Which chest X-ray lies under this noise?",
        source=source,
        degradation=Call(GaussianNoise, std=25.0),
        channel_names=("image", "t1"),
        matrix=(28, 28),
        flip=False,
        shift_voxels=1,
    )


def xray_inpainting(source: Call) -> Call:
    """Chest X-rays with a box missing, a quarter to a half of the image along each side."""
    return Call(
        Restoration,
        name="xray-inpainting",
        phase="acquisition",
        question="What is in the missing part of this chest X-ray?",
        source=source,
        degradation=Call(Hole, least=0.25, most=0.5),
        channel_names=("image", "t1"),
        matrix=(28, 28),
        flip=False,
        shift_voxels=1,
    )
