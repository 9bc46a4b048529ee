"""A constructor call as plain data: checked when written, built when needed, JSON in between."""

from __future__ import annotations

import difflib
import hashlib
import importlib
import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal, Union

from vesalius.core.errors import InputError, UnknownName

PLUGIN_GROUP = "vesalius.plugins"


def _trusted_packages() -> set[str]:
    """Top-level packages that a saved call may name: ours and installed plug-ins'."""
    return {"vesalius"} | {point.value.split(".")[0] for point in entry_points(group=PLUGIN_GROUP)}


def _resolve(path: str) -> Callable[..., Any]:
    module_name, _, qualname = path.partition(":")
    if module_name.split(".")[0] not in _trusted_packages():
        raise InputError(
            "a component of vesalius or of an installed plug-in",
            came=f"'{path}'",
            remedy=f"install the package that registers it under '{PLUGIN_GROUP}'",
        )
    try:
        found: Any = importlib.import_module(module_name)
        for part in qualname.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise InputError(
            "a component that this version of vesalius has",
            came=f"'{path}' ({error})",
            remedy="install the version that wrote it",
        ) from None
    if not callable(found):
        raise InputError("a class or a function", came=f"'{path}'")
    return typing.cast(Callable[..., Any], found)


def fits(value: object, annotation: Any) -> bool:
    """Whether ``value`` is of the type that ``annotation`` names; what cannot be told passes."""
    if annotation is Any or annotation is inspect.Parameter.empty:
        return True
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (Union, types.UnionType):
        return any(fits(value, option) for option in arguments)
    if origin is Literal:
        return value in arguments
    if annotation is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if annotation in (bool, str):
        return isinstance(value, annotation)
    if annotation is None or annotation is type(None):
        return value is None
    if origin is tuple:
        if not isinstance(value, (tuple, list)):
            return False
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return all(fits(item, arguments[0]) for item in value)
        return len(value) == len(arguments) and all(map(fits, value, arguments))
    if annotation is Path:
        return isinstance(value, str)
    if isinstance(value, (bool, int, float, str)) and inspect.isclass(annotation):
        return isinstance(value, annotation)
    return True


@dataclass(frozen=True, init=False, eq=False)
class Call:
    """``Call(UNet, width=64)``: the call ``UNet(width=64)``, not made yet.

    Arguments are checked against the signature at once. Values are JSON scalars, lists, mappings
    and further calls; a parameter annotated as Path takes a string. Arguments that only the run
    knows (channels, the path) are given to :meth:`build`.
    """

    target: Callable[..., Any]
    arguments: Mapping[str, Any]

    def __init__(self, target: Callable[..., Any], /, **arguments: Any) -> None:
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "arguments", types.MappingProxyType(dict(arguments)))
        self._check()

    @property
    def name(self) -> str:
        """The target's own name, ``UNet``."""
        return self.target.__qualname__

    @property
    def path(self) -> str:
        """``package.module:name`` of the target."""
        return f"{self.target.__module__}:{self.target.__qualname__}"

    def parameters(self) -> dict[str, inspect.Parameter]:
        """The target's parameters by name, with resolved annotations."""
        signature = inspect.signature(self.target)
        holder = self.target.__init__ if inspect.isclass(self.target) else self.target
        try:
            hints = typing.get_type_hints(holder)
        except NameError:
            hints = {}
        return {
            name: parameter.replace(annotation=hints.get(name, parameter.annotation))
            if isinstance(parameter.annotation, str)
            else parameter
            for name, parameter in signature.parameters.items()
        }

    def _check(self) -> None:
        parameters = self.parameters()
        for name, value in self.arguments.items():
            if name not in parameters:
                raise UnknownName(f"argument of {self.name}", name, parameters)
            if not isinstance(value, Call) and not fits(value, parameters[name].annotation):
                expected = inspect.formatannotation(parameters[name].annotation)
                raise InputError(f"{expected} for '{name}' of {self.name}", came=repr(value))

    def replace(self, **arguments: Any) -> Call:
        """The same call with some arguments changed."""
        return Call(self.target, **{**self.arguments, **arguments})

    def build(self, **late: Any) -> Any:
        """Make the call; of ``late``, what the target accepts and is not set is passed."""
        parameters = self.parameters()
        accepted = {name: value for name, value in late.items() if name in parameters}
        own = {
            name: Path(value) if parameters[name].annotation is Path else _built(value, late)
            for name, value in self.arguments.items()
        }
        return self.target(**{**accepted, **own})

    def to_json(self) -> dict[str, Any]:
        """Plain data: ``{"call": path, "with": arguments}``."""
        return {"call": self.path, "with": {k: to_plain(v) for k, v in self.arguments.items()}}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Call:
        """The call that :meth:`to_json` wrote; only trusted packages are imported."""
        path, given = data["call"], data["with"]
        if not isinstance(path, str) or not isinstance(given, Mapping):
            raise InputError("a call as a path and its arguments", came=f"{path!r} and {given!r}")
        return Call(_resolve(path), **{name: from_plain(value) for name, value in given.items()})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Call) and self.to_json() == other.to_json()

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (self.target, dict(self.arguments))

    def __hash__(self) -> int:
        return hash(fingerprint(self.to_json()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.name}({inside})"


def _again(target: Callable[..., Any], arguments: dict[str, Any]) -> Call:
    """Make a call that was pickled for another process of ours."""
    return Call(target, **arguments)


def _built(value: Any, late: Mapping[str, Any]) -> Any:
    if isinstance(value, Call):
        return value.build(**late)
    if isinstance(value, (list, tuple)):
        return tuple(_built(item, late) for item in value)
    if isinstance(value, Mapping):
        return {name: _built(item, late) for name, item in value.items()}
    return value


def to_plain(value: Any) -> Any:
    """``value`` as JSON data; calls become mappings, tuples become lists."""
    if isinstance(value, Call):
        return value.to_json()
    if isinstance(value, (list, tuple)):
        return [to_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): to_plain(item) for name, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise InputError(
        "a number, a string, a list, a mapping or a Call",
        came=f"a {type(value).__name__}",
        remedy="wrap the object in Call(...)",
    )


def from_plain(value: Any) -> Any:
    """What :func:`to_plain` made plain; lists become tuples."""
    if isinstance(value, Mapping):
        if set(value) == {"call", "with"}:
            return Call.from_json(value)
        return {name: from_plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return tuple(from_plain(item) for item in value)
    return value


def fingerprint(data: Any) -> str:
    """Twelve hexadecimal digits that identify plain data."""
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def nearest(name: str, known: typing.Iterable[str]) -> str | None:
    """The known name most like ``name``, if any is."""
    found = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return found[0] if found else None
