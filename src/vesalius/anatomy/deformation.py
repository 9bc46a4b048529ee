"""A smooth invertible map between a patient and the standard head.

The map is the exponential of a stationary velocity field on a coarse lattice (Arsigny et
al., MICCAI 2006), after a scaling of the axes and the patient's pose. Integrating the field
backwards gives the inverse, so both directions are known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from vesalius.anatomy.lattice import Lattice

CONTROL = Lattice(low_mm=(-130.0, -150.0, -140.0), spacing_mm=13.0, shape=(21, 24, 21))
SQUARINGS = 5


def smooth_velocity(amplitude_mm: float, smoothness_mm: float, rng: torch.Generator) -> Tensor:
    """Draw a velocity field ``(nx, ny, nz, 3)`` on ``CONTROL``, ``amplitude_mm`` rms an axis.

    White noise through a Gaussian of standard deviation ``smoothness_mm``.
    """
    noise = torch.randn(*CONTROL.shape, 3, generator=rng)
    for axis, count in enumerate(CONTROL.shape):
        node = torch.arange(count, dtype=torch.float32) * CONTROL.spacing_mm
        kernel = torch.exp(-0.5 * ((node[:, None] - node[None]) / smoothness_mm) ** 2)
        kernel = kernel / kernel.norm(dim=1, keepdim=True)
        noise = torch.movedim(torch.tensordot(kernel, noise, dims=([1], [axis])), 0, axis)
    scaled: Tensor = amplitude_mm * noise
    return scaled


def exponential(velocity: Tensor) -> Tensor:
    """Displacement in mm of the flow of ``velocity`` for unit time, by scaling and squaring."""
    displacement: Tensor = velocity / 2**SQUARINGS
    nodes = CONTROL.points().reshape(-1, 3)
    for _ in range(SQUARINGS):
        flat = displacement.reshape(-1, 3)
        displacement = (flat + CONTROL.read(displacement, nodes + flat)).reshape(velocity.shape)
    return displacement


def rotation(degrees: tuple[float, float, float]) -> Tensor:
    """Rotation matrix about x, then y, then z."""
    total = torch.eye(3)
    for axis, angle in enumerate(degrees):
        cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        first, second = (axis + 1) % 3, (axis + 2) % 3
        turn = torch.eye(3)
        turn[first, first] = turn[second, second] = cosine
        turn[first, second], turn[second, first] = -sine, sine
        total = turn @ total
    return total


@dataclass(frozen=True, eq=False)
class Deformation:
    """Patient to standard head and back.

    Parameters
    ----------
    velocity:
        ``(nx, ny, nz, 3)`` mm on ``CONTROL``.
    scale:
        Size of the patient along x, y and z in units of the standard head.
    turn_degrees, shift_mm:
        Pose in the scanner.
    """

    velocity: Tensor
    scale: tuple[float, float, float]
    turn_degrees: tuple[float, float, float]
    shift_mm: tuple[float, float, float]

    @cached_property
    def _forth(self) -> Tensor:
        return exponential(self.velocity)

    @cached_property
    def _back(self) -> Tensor:
        return exponential(-self.velocity)

    def to_standard(self, points: Tensor) -> Tensor:
        """Points ``(n, 3)`` of the patient, in scanner mm, in the standard head."""
        posed = (points - points.new_tensor(self.shift_mm)) @ rotation(self.turn_degrees)
        straight = posed / points.new_tensor(self.scale)
        return straight + CONTROL.read(self._back, straight)

    def to_patient(self, points: Tensor) -> Tensor:
        """Points ``(n, 3)`` of the standard head in the patient, in scanner mm."""
        bent = points + CONTROL.read(self._forth, points)
        posed = bent * points.new_tensor(self.scale)
        return posed @ rotation(self.turn_degrees).T + points.new_tensor(self.shift_mm)

    def jacobian(self, points: Tensor, step_mm: float = 0.5) -> Tensor:
        """Return the determinant ``(n,)`` of the derivative of :meth:`to_standard`."""
        columns = []
        for axis in range(3):
            step = torch.zeros(3)
            step[axis] = step_mm
            ahead, behind = self.to_standard(points + step), self.to_standard(points - step)
            columns.append((ahead - behind) / (2 * step_mm))
        determinant: Tensor = torch.linalg.det(torch.stack(columns, -1))
        return determinant
