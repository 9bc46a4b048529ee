"""Vesalius draws medical images and checks them against the truth."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vesalius import recipes, tasks
    from vesalius.core import Call, Image, InputError, MissingExtra, Recipe, Record
    from vesalius.data import read_image, write_image
    from vesalius.runner.apply import apply
    from vesalius.runner.folders import evaluate_folders as evaluate
    from vesalius.runner.run import Run, run
    from vesalius.runner.sample import sample
    from vesalius.training.fit import Engine

__version__ = "0.1.0"

__all__ = [
    "Call",
    "Engine",
    "Image",
    "InputError",
    "MissingExtra",
    "Recipe",
    "Record",
    "Run",
    "__version__",
    "apply",
    "evaluate",
    "read_image",
    "recipes",
    "run",
    "sample",
    "tasks",
    "write_image",
]

#: Public name to the module that holds it and its name there ("" for the module itself).
_HOMES = {
    "Call": ("vesalius.core", "Call"),
    "Engine": ("vesalius.training.fit", "Engine"),
    "Image": ("vesalius.core", "Image"),
    "InputError": ("vesalius.core", "InputError"),
    "MissingExtra": ("vesalius.core", "MissingExtra"),
    "Recipe": ("vesalius.core", "Recipe"),
    "Record": ("vesalius.core", "Record"),
    "Run": ("vesalius.runner.run", "Run"),
    "apply": ("vesalius.runner.apply", "apply"),
    "evaluate": ("vesalius.runner.folders", "evaluate_folders"),
    "read_image": ("vesalius.data", "read_image"),
    "recipes": ("vesalius.recipes", ""),
    "run": ("vesalius.runner.run", "run"),
    "sample": ("vesalius.runner.sample", "sample"),
    "tasks": ("vesalius.tasks", ""),
    "write_image": ("vesalius.data", "write_image"),
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vesalius' has no attribute '{name}'")
    home, inside = _HOMES[name]
    module = importlib.import_module(home)
    found = getattr(module, inside) if inside else module
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
