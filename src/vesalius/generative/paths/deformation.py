"""A path of images that are deformed more and more by random smooth flows."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from vesalius.core.errors import InputError
from vesalius.generative.paths.path import expand
from vesalius.physics.deformation import exponential, warp


def spline_weights(n: int, points: int) -> Tensor:
    """Cubic B-splines on ``points`` knots from the first of ``n`` voxels to the last.

    ``(n, points + 2)``: one knot lies beyond either end. Rows sum to one.
    """
    place = torch.linspace(0, points - 1, n, dtype=torch.float64)[:, None]
    distance = (place - torch.arange(-1, points + 1, dtype=torch.float64)).abs()
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = (2 - distance).clamp_min(0) ** 3 / 6
    return torch.where(distance < 1, near, far)


@dataclass(frozen=True, eq=False)
class Deformed:
    """Images on a deformation path.

    ``image`` (batch, channel, *space) is the clean one warped by ``displacement`` (batch, axis,
    *space), voxels; ``step`` is the last part of that displacement, which a network learns to undo:
    composing with its inverse leads back towards the clean image.
    """

    image: Tensor
    displacement: Tensor
    step: Tensor


@dataclass(frozen=True)
class DeformationPath:
    """Anatomy instead of noise (Zheng et al. 2024, DRDM, arXiv:2407.07295): no intensity changes.

    At level t of 1 to ``levels`` an image is warped by the flow of one random velocity, composed
    with itself 2 t^1.3 / 3 times; a network learns to undo t^0.6 of these, without the part
    ``disturbance`` of the velocity that is drawn anew. Compositions are by scaling and squaring.

    Parameters
    ----------
    amplitude:
        Displacement along an axis at the last level, root mean square, in units of the image's size
        along the axis (that of straight flow lines: curved ones end a little nearer).
    control_points:
        The velocity is a sum of cubic B-splines with normal coefficients at so many points along
        every axis, one sum a number, each with an amplitude in proportion to the distance between
        points, so that all strain alike. An axis has at most one point for two voxels.
    """

    levels: int = 80
    amplitude: float = 0.06
    control_points: tuple[int, ...] = (4, 8, 16, 32)
    disturbance: float = 0.08
    squarings: int = 6

    def __post_init__(self) -> None:
        if self.levels < 1:
            raise InputError("one level or more", came=self.levels)
        if not 0 < self.amplitude < 0.5:
            raise InputError("an amplitude between 0 and half the image", came=self.amplitude)
        if not self.control_points or min(self.control_points) < 2:
            raise InputError("two control points an axis or more", came=self.control_points)
        if self.disturbance < 0:
            raise InputError("a disturbance of 0 or more", came=self.disturbance)

    def draw_levels(self, n: int, rng: torch.Generator) -> Tensor:
        """Levels to train at, (n,), all alike."""
        return torch.randint(1, self.levels + 1, (n,), generator=rng, device=rng.device)

    def told(self, level: Tensor) -> Tensor:
        """What a network is told of ``level``: above 0, at most 1."""
        return level / self.levels

    def reached(self, level: Tensor) -> Tensor:
        """Time of the flow at ``level``; 1 at the last."""
        return (level / self.levels) ** 1.3

    def undone(self, level: Tensor) -> Tensor:
        """Part of :meth:`reached` that one step undoes."""
        whole = 2 / 3 * self.levels**1.3
        return torch.minimum(level**0.6 / whole, self.reached(level))

    def step_size(self, level: Tensor, space: tuple[int, ...]) -> Tensor:
        """Root mean square of the step at ``level`` (batch,), voxels along each axis.

        ``(batch, axis, 1, ...)``: the unit in which networks see and return displacements.
        """
        extent = torch.tensor(space, device=level.device, dtype=torch.float32)
        size = self.amplitude * self.undone(level)[:, None] * extent
        return size.view(*size.shape, *[1] * len(space))

    def velocity(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """Draw velocities ``(batch, axis, *space)`` in voxels for images ``(batch, *space)``."""
        n_cases, space = shape[0], shape[1:]
        dims, device = len(space), rng.device
        velocity = torch.zeros(n_cases, dims, *space, device=device)
        spacings = [1 / (points - 1) for points in self.control_points]
        norm = sum(spacing**2 for spacing in spacings) ** 0.5
        for points, spacing in zip(self.control_points, spacings, strict=True):
            weights = [spline_weights(n, max(2, min(points, n // 2))) for n in space]
            field = torch.randn(
                n_cases, dims, *(w.shape[1] for w in weights), generator=rng, device=device
            )
            for axis, weight in enumerate(weights):
                weight = weight / weight.square().sum(dim=1).mean().sqrt()
                moved = torch.tensordot(field, weight.to(field), dims=([axis + 2], [1]))
                field = moved.movedim(-1, axis + 2)
            velocity = velocity + field * (spacing / norm)
        extent = torch.tensor(space, device=device, dtype=velocity.dtype)
        return self.amplitude * velocity * extent.view(1, -1, *[1] * dims)

    def flow(self, velocity: Tensor, time: Tensor) -> Tensor:
        """Displacement of ``velocity`` after ``time``, (batch,); negative times lead back."""
        return exponential(velocity * expand(time, velocity), squarings=self.squarings)

    def displacement(
        self, level: Tensor, shape: tuple[int, ...], rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Draw the field at ``level``, (batch,), and the step that is learnt there.

        Both are ``(batch, axis, *space)`` in voxels for images ``(batch, *space)``.
        """
        velocity = self.velocity(shape, rng)
        step = self.flow(velocity, self.undone(level))
        disturbed = velocity + self.disturbance * self.velocity(shape, rng)
        return self.flow(disturbed, self.reached(level)), step

    def perturb(self, clean: Tensor, level: Tensor, rng: torch.Generator) -> Deformed:
        """Deform ``clean`` (batch, channel, *space) to ``level``, (batch,)."""
        shape = (clean.shape[0], *clean.shape[2:])
        displacement, step = self.displacement(level, shape, rng)
        return Deformed(warp(clean, displacement), displacement, step)
