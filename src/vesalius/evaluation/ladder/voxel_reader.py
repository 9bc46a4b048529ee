"""A reader that learnt from real patients to say what every voxel is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.core.rng import derive, numpy_stream
from vesalius.evaluation.ladder.cohort import Cohort
from vesalius.evaluation.ladder.lesion_template import LesionTemplate, place_for
from vesalius.networks.unet import UNet

AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class VoxelReader:
    """A trained network that labels voxels; ``lesion`` is the number of that class."""

    network: nn.Module
    limits: tuple[float, float]
    lesion: int

    @torch.no_grad()
    def read(self, images: Tensor) -> Tensor:
        """``(n, 1, *space)`` in physical units to labels, int64 of the same shape."""
        parts = [
            self.network(_scaled(part, self.limits)).argmax(dim=1, keepdim=True)
            for part in torch.split(images, AT_ONCE)
        ]
        return torch.cat(parts)


def _scaled(images: Tensor, limits: tuple[float, float]) -> Tensor:
    low, high = limits
    return (images.float() - low) / (high - low)


def trained_reader(
    training: Cohort,
    limits: tuple[float, float],
    *,
    lesion: int,
    anywhere: Sequence[LesionTemplate] = (),
    steps: int = 400,
    batch_size: int = 8,
    width: int = 16,
    seed: int = 0,
) -> VoxelReader:
    """A small U-Net that learnt the ``tissues`` of real patients with cross-entropy.

    Images are mirrored, brightened by up to 10 % and made noisier by up to 2 % of ``limits`` (low,
    high) at random. With lesions ``anywhere`` it learns from images into which two of them were put
    wherever in the mask, so that it knows lesions by their look and not by their place.

    Parameters
    ----------
    lesion:
        The number of the lesion's class in ``tissues``.
    """
    if training.tissues is None:
        raise InputError("a cohort with 'tissues'", case="training of a reader")
    dims: Any = training.images.ndim - 2
    classes = int(training.tissues.max()) + 1
    if not 0 <= lesion < classes:
        raise InputError(f"a lesion class from 0 to {classes - 1}", came=lesion)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(derive(seed, "voxel reader", "weights") % 2**32)
        network = UNet(
            channels_in=1, channels_out=classes, dims=dims, width=width, multipliers=(1, 2, 4)
        )
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps + 1)
    # lesions are rare, and a reader who never calls one is of no use
    weight = torch.ones(classes)
    weight[lesion] = 3.0
    network.train()
    for step in range(steps):
        rng = numpy_stream(seed, "voxel reader", step)
        images, labels = _batch(training, batch_size, lesion, anywhere, rng)
        images = _scaled(images, limits)
        images = images * rng.uniform(0.9, 1.1)
        noise = torch.from_numpy(rng.standard_normal(tuple(images.shape))).float()
        images = images + float(rng.uniform(0, 0.02)) * noise
        optimiser.zero_grad()
        functional.cross_entropy(network(images), labels[:, 0], weight).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return VoxelReader(network.eval().requires_grad_(False), limits, lesion)


def _batch(
    training: Cohort,
    count: int,
    lesion: int,
    anywhere: Sequence[LesionTemplate],
    rng: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    part = training.take(rng.choice(len(training), min(count, len(training)), replace=False))
    assert part.tissues is not None
    images, labels = part.images.double().clone(), part.tissues.clone()
    for row in range(len(part)) if anywhere else ():
        inside = np.ones(images.shape[2:], dtype=bool)
        if part.mask is not None:
            inside = part.mask[row, 0].numpy()
        for _ in range(2):
            template = anywhere[int(rng.integers(len(anywhere)))]
            corner = place_for(template, inside, rng)
            shown = images[row, 0].numpy()
            template.put(shown, corner)
            sides = zip(corner, template.region.shape, strict=True)
            box = tuple(slice(at, at + size) for at, size in sides)
            labels[row, 0][box][torch.from_numpy(template.region)] = lesion
    if rng.random() < 0.5:
        images, labels = images.flip(-1), labels.flip(-1)
    return images, labels
