"""Magnetic resonance imaging: Cartesian sampling with many coils, and what is used today."""

from vesalius.physics.mri.cartesian import CartesianMRI
from vesalius.physics.mri.cg_sense import cg_sense
from vesalius.physics.mri.coil_estimation import (
    calibration_region,
    espirit_maps,
    low_resolution_maps,
)
from vesalius.physics.mri.coils import simulated_coil_maps
from vesalius.physics.mri.fourier import fourier_transform, inverse_fourier_transform
from vesalius.physics.mri.masks import draw_lines, line_mask
from vesalius.physics.mri.measured import measured_mri
from vesalius.physics.mri.phase import draw_phase, phase_map, random_phase_image
from vesalius.physics.mri.replace_measured import replace_measured
from vesalius.physics.mri.total_variation import total_variation
from vesalius.physics.mri.undersampling import UndersampledMRI
from vesalius.physics.mri.zero_filled import zero_filled

__all__ = [
    "CartesianMRI",
    "UndersampledMRI",
    "calibration_region",
    "cg_sense",
    "draw_lines",
    "draw_phase",
    "espirit_maps",
    "fourier_transform",
    "inverse_fourier_transform",
    "line_mask",
    "low_resolution_maps",
    "measured_mri",
    "phase_map",
    "random_phase_image",
    "replace_measured",
    "simulated_coil_maps",
    "total_variation",
    "zero_filled",
]
