"""Tiny trained runs, made once a session: fitted, not judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from vesalius import recipes
from vesalius.runner.run import Run, prepared
from vesalius.training.fit import Engine

SETTINGS = {
    "task.source.n": "16",
    "task.source.size": "[32, 32]",
    "task.matrix": "[32, 32]",
    "budget.batch_size": "2",
}


def fitted(recipe: str, folder: Path, **settings: str) -> Run:
    """A run of ``recipe`` that was trained for two steps."""
    ready = prepared(
        recipes.get(recipe),
        steps=2,
        settings={**SETTINGS, **{key.replace("__", "."): text for key, text in settings.items()}},
    )
    run = Run.create(ready, folder, engine=Engine("cpu"))
    return run.go(stop=lambda: run.status == "fitted")


@pytest.fixture(scope="session")
def translation_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """T1 to T2 by diffusion: draws differ."""
    return fitted(
        "conditional-diffusion",
        tmp_path_factory.mktemp("runs") / "translation",
        networks__network__width="8",
        sampler__steps="2",
    )


@pytest.fixture(scope="session")
def deterministic_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """T1 to T2 by regression: one image a case."""
    return fitted(
        "unet-regression",
        tmp_path_factory.mktemp("runs") / "regression",
        networks__network__width="8",
    )


@pytest.fixture(scope="session")
def reconstruction_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """K-space to image."""
    return fitted(
        "wang-2019",
        tmp_path_factory.mktemp("runs") / "reconstruction",
        networks__generator__width="8",
        networks__critic__width="8",
        networks__critic__n_layers="2",
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder for new cases."""
    made = tmp_path / "input"
    made.mkdir()
    return made
