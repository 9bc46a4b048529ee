"""Displacement fields: images warped by them, fields composed, flows of velocities."""

from vesalius.physics.deformation.exponential import exponential
from vesalius.physics.deformation.warp import compose, warp

__all__ = ["compose", "exponential", "warp"]
