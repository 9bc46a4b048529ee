"""Recipes that train in a second: every kind of player, dropout, a moving average, a pool."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vesalius import tasks
from vesalius.anatomy import DigitalPatients
from vesalius.core import Budget, Call, Optimiser, Recipe
from vesalius.generative.losses import L1
from vesalius.generative.objectives import (
    Denoising,
    PairedAdversarial,
    Regression,
    UnpairedCycle,
)
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim, Direct
from vesalius.networks.patch_discriminator import PatchDiscriminator
from vesalius.networks.pix2pix_unet import Pix2PixUNet
from vesalius.networks.unet import UNet
from vesalius.training.fit import Engine, Loop

SOURCE = Call(DigitalPatients, n=10, size=(16, 16))
TASK = tasks.get("t1-to-t2", SOURCE).replace(matrix=(16, 16), shift_voxels=1)
CPU = Engine("cpu")


def _recipe(kind: str) -> Recipe:
    painter = Call(Pix2PixUNet, width=4, levels=2, dropout=0.5)
    critic = Call(PatchDiscriminator, width=4, n_layers=1)
    small = Call(UNet, width=4, multipliers=(1, 2))
    parts: dict[str, dict[str, Any]] = {
        "regression": {
            "networks": {"network": small},
            "objective": Call(Regression),
            "sampler": Call(Direct),
        },
        "denoising": {
            "networks": {"network": small},
            "path": Call(CosinePath, data_std=0.5),
            "objective": Call(Denoising),
            "sampler": Call(Ddim, steps=2),
        },
        "paired": {
            "networks": {"generator": painter, "critic": critic},
            "objective": Call(PairedAdversarial, losses=(Call(L1, weight=10.0),), matching=1.0),
            "sampler": Call(Direct),
        },
        "unpaired": {
            "networks": {
                "generator": painter,
                "generator_back": painter,
                "critic": critic,
                "critic_back": critic,
            },
            "objective": Call(UnpairedCycle, pool=3),
            "sampler": Call(Direct),
        },
    }
    return Recipe(
        name=kind,
        summary="",
        task=TASK,
        optimiser=Optimiser(rate=2e-3, ema_decay=0.9, warmup_steps=2, weight_decay=0.01),
        budget=Budget(steps=6, batch_size=2, save_every_s=1e9),
        **parts[kind],
    )


@pytest.fixture(scope="session")
def tiny_recipe() -> Callable[..., Recipe]:
    """``tiny_recipe("paired", steps=6)``: a recipe with its budget changed."""

    def make(kind: str, **budget: Any) -> Recipe:
        recipe = _recipe(kind)
        return dataclasses.replace(recipe, budget=dataclasses.replace(recipe.budget, **budget))

    return make


@pytest.fixture
def make_loop() -> Callable[..., Loop]:
    """``make_loop(recipe, folder)``: a loop on one CPU process."""

    def make(recipe: Recipe, folder: Path, **changes: Any) -> Loop:
        return Loop(recipe, recipe.task.build(), folder, **{"seed": 3, "engine": CPU, **changes})

    return make


@pytest.fixture
def digests() -> Callable[[Path], dict[str, str]]:
    """SHA-256 of every tensor file of a run folder's last checkpoint: weights, averages, pools."""

    def make(folder: Path) -> dict[str, str]:
        last = max((folder / "checkpoints").glob("step-*"))
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(last.glob("*.safetensors"))
        }

    return make
