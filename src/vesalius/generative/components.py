"""All components of the mathematics, by kind: what a recipe can be made of."""

from __future__ import annotations

import importlib
import inspect
from typing import Literal

ComponentKind = Literal[
    "paths", "samplers", "guidance", "objectives", "losses", "codecs", "conditionings"
]

#: Kind to the module that exports its components, and the classes that they are of.
_ROOMS: dict[ComponentKind, tuple[str, tuple[str, ...]]] = {
    "paths": ("paths", ("Path", "AbsorbingPath", "DeformationPath")),
    "samplers": ("samplers", ("Sampler",)),
    "guidance": ("guidance", ("Guidance",)),
    "objectives": ("objectives", ("Objective",)),
    "losses": ("losses", ("Loss",)),
    "codecs": ("codecs", ("Codec",)),
    "conditionings": ("conditioning", ("Conditioning",)),
}


def components(kind: ComponentKind) -> tuple[type, ...]:
    """Every class of ``kind`` that a recipe can name, by name."""
    place, names = _ROOMS[kind]
    room = importlib.import_module(f"vesalius.generative.{place}")
    bases = tuple(getattr(room, name) for name in names)
    found = {
        thing
        for thing in vars(room).values()
        if inspect.isclass(thing) and issubclass(thing, bases) and not inspect.isabstract(thing)
    }
    return tuple(sorted(found, key=lambda thing: thing.__name__))
