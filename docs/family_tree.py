"""Every path's trajectories over one set of points in the plane, drawn by the package itself.

The best network is known here: the mean of the points, weighted by how likely each is behind the
state. So what is seen is the mathematics of paths and samplers alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vesalius.generative import paths, samplers
from vesalius.generative.paths import AbsorbingPath, DeformationPath, GaussianPath
from vesalius.generative.paths.absorbing import HIDDEN
from vesalius.physics.deformation import warp

POINTS, TRAJECTORIES, STEPS = 400, 36, 60
GREYS = 12  #: tokens an axis
BLUE, ORANGE, GREY = "#3b7dd8", "#e07b39", "#8a8a8a"


def moons(rng: torch.Generator) -> Tensor:
    """Two half circles, (n, 2), each of unit size, as images of two voxels (n, 1, 2, 1)."""
    angle = torch.rand(POINTS, generator=rng) * torch.pi
    side = (torch.arange(POINTS) % 2 * 2 - 1).float()
    x = side * (torch.cos(angle) - 0.5)
    y = side * (torch.sin(angle) - 0.25)
    points = torch.stack([x, y], dim=1) + 0.04 * torch.randn(POINTS, 2, generator=rng)
    return points.view(-1, 1, 2, 1)


class Recorded:
    """The exact predictor for ``points``, and the states that it was asked about."""

    def __init__(self, log_chance: Callable[[Tensor, Tensor], Tensor], points: Tensor) -> None:
        self.log_chance, self.points = log_chance, points
        self.states: list[Tensor] = []

    def __call__(self, x: Tensor | None, time: Tensor | None) -> Tensor:
        """E[point | state]; ``log_chance(x, time)`` is (batch, points) up to a constant."""
        assert x is not None
        assert time is not None
        self.states.append(x)
        weights = self.log_chance(x, time).softmax(dim=1)
        return (weights @ self.points.flatten(1)).view(x.shape)


def apart(x: Tensor, means: Tensor) -> Tensor:
    """Squared distances (batch, points) of states and means (points or batch x points)."""
    return (x.flatten(1)[:, None] - means).square().sum(dim=-1)


def gaussian(path: GaussianPath, points: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """States are signal times point plus normal noise, or the heavy-tailed one of Poisson flow."""

    def log_chance(x: Tensor, time: Tensor) -> Tensor:
        signal, noise = path.signal(time)[:, None], path.noise(time)[:, None]
        squared = apart(x, signal[..., None] * points.flatten(1)[None])
        if isinstance(path, paths.PoissonFlowPath):
            r2 = noise**2 * path.dimension
            return -(2 + path.dimension) / 2 * torch.log1p(squared / r2)
        return -squared / (2 * noise**2)

    return log_chance


def between(path: Any, points: Tensor, given: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    """States between a point and its given image, under the path's own noise or a hair of it."""

    def log_chance(x: Tensor, time: Tensor) -> Tensor:
        n, hair = len(points), 0.03
        means, width = [], []
        for one in time:
            at = one.expand(n)
            zero = torch.zeros_like(points)
            means.append(path.perturb(points, at, zero, given).flatten(1))
            unit = path.perturb(zero, at, torch.ones_like(points), zero).flatten(1)
            width.append((unit[:1] ** 2 + hair**2).expand(n, 2))
        scaled = torch.stack(width)
        return -((x.flatten(1)[:, None] - torch.stack(means)) ** 2 / (2 * scaled)).sum(dim=-1)

    return log_chance


def walk(sampler: Any, recorded: Recorded, rng: torch.Generator, given: Tensor | None) -> Tensor:
    """States of every step and the end, (step, trajectory, 2)."""
    end = sampler.sample(recorded, (TRAJECTORIES, 1, 2, 1), rng, given)
    return torch.stack([*recorded.states, end]).flatten(2)


def plot(axes: Any, title: str, points: Tensor, states: Tensor, given: Tensor | None) -> None:
    """Points in grey, ways in blue, starts hollow and ends in orange."""
    flat = points.flatten(1)
    axes.scatter(flat[:, 0], flat[:, 1], s=2, color=GREY, alpha=0.35, linewidths=0)
    if given is not None:
        other = given.flatten(1)
        axes.scatter(other[:, 0], other[:, 1], s=2, color=ORANGE, alpha=0.12, linewidths=0)
    for way in states.transpose(0, 1):
        axes.plot(way[:, 0], way[:, 1], color=BLUE, alpha=0.45, linewidth=0.7)
    axes.scatter(*states[0].T, s=9, facecolors="none", edgecolors=BLUE, linewidths=0.6)
    axes.scatter(*states[-1].T, s=9, color=ORANGE, linewidths=0)
    extent = float(states.abs().amax().clamp(1.8, 4.5)) * 1.05
    dress(axes, title, extent)


def dress(axes: Any, title: str, extent: float) -> None:
    """Square, without ticks, readable on light and dark pages."""
    axes.set(xlim=(-extent, extent), ylim=(-extent, extent), aspect="equal", xticks=[], yticks=[])
    axes.set_title(title, color=GREY, fontsize=9)
    for side in axes.spines.values():
        side.set_color(GREY)
        side.set_linewidth(0.4)


def noise_figure(points: Tensor, panels: Any) -> None:
    """Gaussian paths and Poisson flow: from noise."""
    std = float(points.std())
    kinds: tuple[tuple[str, GaussianPath], ...] = (
        ("variance preserving, linear betas", paths.LinearBetaPath(std)),
        ("variance preserving, cosine", paths.CosinePath(std)),
        ("rectified flow", paths.FlowPath(std)),
        ("variance exploding", paths.VarianceExplodingPath(std, noise_max=3.0)),
        ("EDM", paths.KarrasPath(std, noise_max=3.0)),
        ("Poisson flow, D = 2", paths.PoissonFlowPath(std, dimension=2, noise_max=3.0)),
    )
    for axes, (title, path) in zip(panels, kinds, strict=True):
        recorded = Recorded(gaussian(path, points), points)
        rng = torch.Generator().manual_seed(3)
        states = walk(samplers.Deterministic(path, STEPS), recorded, rng, None)
        plot(axes, title, points, states, None)


def image_figure(points: Tensor, panels: Any) -> None:
    """Paths that lead to a given image: here the point whose height was lost."""
    given = points * torch.tensor([1.0, 0.0]).view(1, 1, 2, 1)
    some = given[:TRAJECTORIES]
    whole = paths.CosinePath(float(points.std()))
    degradation = paths.LowPass(2.0)
    blurred = degradation.degrade(points, torch.ones(len(points)))
    cold = paths.ColdPath(degradation)
    bridge, wide = paths.BridgePath(), paths.BridgePath(variance=0.5)
    kinds: tuple[tuple[str, Any, Any, Tensor], ...] = (
        ("straight bridge, no noise", bridge, samplers.Deterministic(bridge, STEPS), given),
        ("Brownian bridge", wide, samplers.BridgePosterior(wide, STEPS), given),
        (
            "aligned partial diffusion",
            aligned := paths.AlignedPath(whole, reach=0.5),
            samplers.Deterministic(aligned, STEPS),
            given,
        ),
        ("cold: both voxels blurred", cold, samplers.Deterministic(cold, STEPS), blurred),
    )
    for axes, (title, path, sampler, ends) in zip(panels, kinds, strict=True):
        recorded = Recorded(between(path, points, ends), points)
        start = ends[:TRAJECTORIES] if ends is not given else some
        states = walk(sampler, recorded, torch.Generator().manual_seed(3), start)
        plot(axes, title, points, states, ends)


def token_figure(points: Tensor, axes: Any) -> None:
    """Two tokens a point, shown one after the other in a random order."""
    tokens = ((points.flatten(1) / 2 + 1) * GREYS / 2).long().clamp(0, GREYS - 1)
    seen: list[Tensor] = []

    def predict(x: Tensor | None, time: Tensor | None) -> Tensor:
        assert x is not None
        seen.append(x.view(-1, 2).clone())
        fits = ((x.view(-1, 1, 2) == HIDDEN) | (x.view(-1, 1, 2) == tokens[None])).all(dim=2)
        counts = torch.zeros(len(x), GREYS, 2)
        for axis in range(2):
            one_hot = torch.nn.functional.one_hot(tokens[:, axis], GREYS).float()
            counts[:, :, axis] = fits.float() @ one_hot
        return counts.log().view(len(x), GREYS, 2, 1)

    sampler = samplers.Unmasking(AbsorbingPath(), steps=2)
    end = sampler.sample(predict, (TRAJECTORIES, 2, 1), torch.Generator().manual_seed(3))
    states = torch.stack([*seen, end.view(-1, 2)]).float()
    places = torch.where(states == HIDDEN, -2.1, (states + 0.5) / GREYS * 4 - 2)
    places = places + 0.05 * torch.randn(places.shape, generator=torch.Generator().manual_seed(0))
    plot(axes, "", points, places, None)
    dress(axes, "mask: what is hidden lies outside", 2.4)


def deformation_figure(points: Tensor, axes: Any) -> None:
    """The plane itself flows: a grid, and the points carried with it, level by level."""
    size, path = 128, DeformationPath(levels=24, amplitude=0.05, control_points=(3, 5))
    rng = torch.Generator().manual_seed(5)
    velocity = path.velocity((1, size, size), rng)
    flat = points.flatten(1)[:: POINTS // 60 + 1]
    ways = []
    for level in range(path.levels + 1):
        field = path.flow(velocity, path.reached(torch.tensor([float(level)])))
        grid = (flat / 2.2 + 1) / 2 * (size - 1)
        at = grid.round().long().clamp(0, size - 1)
        ways.append(flat + field[0][:, at[:, 0], at[:, 1]].T * 4.4 / (size - 1))
    states = torch.stack(ways)
    lines = torch.zeros(1, 1, size, size)
    lines[..., ::8, :] = 1
    lines[..., :, ::8] = 1
    shown = warp(lines, path.flow(velocity, torch.ones(1)))[0, 0]
    axes.imshow(shown.T, cmap="Greys", alpha=0.35, extent=(-2.2, 2.2, -2.2, 2.2), origin="lower")
    plot(axes, "", points, states.flip(0), None)
    dress(axes, "deformation: the plane flows", 2.2)


def sampler_figure(points: Tensor, panels: Any) -> None:
    """One path and one start: what the samplers make of it."""
    path = paths.CosinePath(float(points.std()))
    kinds: tuple[tuple[str, Any], ...] = (
        ("DDIM, 7 calls", samplers.Ddim(path, 7)),
        ("Heun, 7 calls", samplers.Heun(path, 4)),
        ("DPM-Solver++(2M), 7 calls", samplers.DpmSolver(path, 7)),
        ("ancestral, 60 calls", samplers.Ancestral(path, 60)),
    )
    for axes, (title, sampler) in zip(panels, kinds, strict=True):
        recorded = Recorded(gaussian(path, points), points)
        states = walk(sampler, recorded, torch.Generator().manual_seed(3), None)
        plot(axes, title, points, states, None)


def draw(folder: Path) -> None:
    """Write ``noise.svg``, ``images.svg``, ``others.svg`` and ``samplers.svg`` into ``folder``."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "vesalius"  # the same file from the same figure
    from matplotlib import pyplot

    points = moons(torch.Generator().manual_seed(0))

    def save(name: str, rows: int, columns: int, fill: Callable[[Any], None]) -> None:
        figure, panels = pyplot.subplots(rows, columns, figsize=(2.6 * columns, 2.8 * rows))
        fill(panels.flatten())
        figure.tight_layout()
        figure.savefig(folder / f"{name}.svg", transparent=True, metadata={"Date": None})
        pyplot.close(figure)

    def others(panels: Any) -> None:
        token_figure(points, panels[0])
        deformation_figure(points, panels[1])

    folder.mkdir(parents=True, exist_ok=True)
    save("noise", 2, 3, lambda panels: noise_figure(points, panels))
    save("images", 1, 4, lambda panels: image_figure(points, panels))
    save("others", 1, 2, others)
    save("samplers", 1, 4, lambda panels: sampler_figure(points, panels))
