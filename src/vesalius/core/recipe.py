"""A recipe: everything that makes a system, as plain data."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from vesalius.core.call import Call, fingerprint, fits, from_plain, to_plain
from vesalius.core.errors import InputError, UnknownName


@dataclass(frozen=True)
class Provenance:
    """Where a recipe comes from and where it leaves its source.

    ``reproduces`` says what of the paper stands here: its mechanism, also its equations, also its
    protocol; ``"none"`` is for recipes of our own.
    """

    system: str | None = None
    title: str = ""
    doi: str = ""
    reproduces: Literal["none", "mechanism", "equations", "protocol"] = "none"
    deviations: tuple[str, ...] = ()


@dataclass(frozen=True)
class Optimiser:
    """Adam with decoupled weight decay (AdamW; Adam where the decay is zero).

    ``rate`` warms up over ``warmup_steps``, then stays or falls along a cosine to zero.
    ``ema_decay`` keeps an exponential moving average of the weights, which is what draws; zero
    keeps none. The decay grows as (1 + n) / (10 + n) over the first n updates.
    """

    rate: float = 2e-4
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.0
    clip_norm: float | None = 1.0
    warmup_steps: int = 0
    schedule: Literal["constant", "cosine"] = "cosine"
    ema_decay: float = 0.0

    def __post_init__(self) -> None:
        if not self.rate > 0:
            raise InputError("an optimiser.rate above zero", came=self.rate)
        if not 0 <= self.ema_decay < 1:
            raise InputError("an optimiser.ema_decay from 0 to below 1", came=self.ema_decay)


@dataclass(frozen=True)
class Budget:
    """How long to train: ``steps``, or as many as fit in ``minutes`` where those are given."""

    steps: int = 1000
    batch_size: int = 8
    accumulate: int = 1
    minutes: float | None = None
    save_every_s: float = 60.0

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "accumulate"):
            if getattr(self, name) < 1:
                raise InputError(f"a budget.{name} of 1 or more", came=getattr(self, name))
        if self.minutes is not None and not self.minutes > 0:
            raise InputError("budget.minutes above zero", came=self.minutes)


@dataclass(frozen=True)
class Start:
    """Where a network's first weights come from: the network ``network`` of an earlier run.

    ``run`` is its folder. Where it is empty, ``recipe`` names the recipe that makes it: the run
    fits it first, once for all networks that start from it, on its own task and within ``effort``
    times its own budget of steps or minutes, in batches of its own size or of ``batch_size`` where
    that is set (contrasts need more cases in a batch than denoising). Or ``like`` names another
    network of this recipe whose first weights it shares. ``weights`` identifies the weights of
    ``run``; the runner fills it in.
    """

    run: str = ""
    recipe: str = ""
    network: str = "network"
    like: str = ""
    effort: float = 1.0
    weights: str = ""
    batch_size: int = 0

    def __post_init__(self) -> None:
        if not (self.run or self.recipe or self.like):
            raise InputError("a run folder, a recipe or a network to start from", came="none")
        if not 0 < self.effort < float("inf"):
            raise InputError("an effort above zero", came=self.effort)
        if self.batch_size < 0:
            raise InputError("a batch_size of 1 or more, or 0", came=self.batch_size)

    @property
    def first(self) -> str:
        """The recipe that is to be run first, or ""."""
        return "" if self.run or self.like else self.recipe

    def identity(self) -> dict[str, Any]:
        """What the first weights are, wherever they lie."""
        if self.weights:
            return {"weights": self.weights}
        if self.run:
            return {"run": self.run, "network": self.network}
        if self.like:
            return {"like": self.like}
        own = {"batch_size": self.batch_size} if self.batch_size else {}
        return {"recipe": self.recipe, "network": self.network, "effort": self.effort, **own}


@dataclass(frozen=True)
class Recipe:
    """Task, networks and mathematics of one system.

    Every part is a :class:`Call`, so a recipe goes to JSON and back, is hashed by
    :meth:`fingerprint`, and builds nothing until it runs. ``networks`` are by the names that the
    objective gives its players' networks; those in ``starts`` begin from earlier weights, the
    others from random ones. ``draws`` is the number of images drawn a case when the
    recipe is judged. A part's class may have ``check_recipe(arguments, recipe)``: it is called when
    a recipe is written and raises InputError where the parts do not fit each other.
    """

    name: str
    summary: str
    task: Call
    networks: Mapping[str, Call]
    objective: Call
    sampler: Call
    path: Call | None = None
    conditioning: Call | None = None
    guidance: tuple[Call, ...] = ()
    codec: Call | None = None
    optimiser: Optimiser = field(default_factory=Optimiser)
    budget: Budget = field(default_factory=Budget)
    draws: int = 1
    starts: Mapping[str, Start] = field(default_factory=dict)
    provenance: Provenance = field(default_factory=Provenance)

    def __post_init__(self) -> None:
        if self.draws < 1:
            raise InputError("1 draw or more", came=self.draws)
        for name, start in self.starts.items():
            if name not in self.networks:
                raise UnknownName("network that can start from weights", name, self.networks)
            other = start.like if not start.run else ""
            if other and (other not in self.starts or self.starts[other].like):
                raise InputError(
                    "a network that itself starts from a run or a recipe",
                    came=f"'{other}'",
                    case=f"starts.{name}.like",
                )
        parts = (self.path, self.objective, self.conditioning, self.codec, self.sampler)
        for call in (*parts, *self.guidance):
            check = getattr(call and call.target, "check_recipe", None)
            if call is not None and check is not None:
                check(call.arguments, self)

    def to_json(self) -> dict[str, Any]:
        """Plain data, see :meth:`from_json`."""
        data: dict[str, Any] = {}
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            plain = (
                dataclasses.asdict(value)
                if dataclasses.is_dataclass(value) and not isinstance(value, Call | type)
                else value
            )
            if item.name == "starts":
                plain = {name: dataclasses.asdict(start) for name, start in value.items()}
            data[item.name] = to_plain(plain)
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Recipe:
        """The recipe that :meth:`to_json` wrote."""
        if not isinstance(data, Mapping):
            raise InputError("a recipe as a JSON object", came=f"a {type(data).__name__}")
        parts = {name: from_plain(value) for name, value in data.items()}
        for name, kind in (
            ("optimiser", Optimiser),
            ("budget", Budget),
            ("provenance", Provenance),
        ):
            if not isinstance(parts.get(name), Mapping):
                raise InputError(f"a recipe with '{name}'", came=f"{parts.get(name)!r}")
            parts[name] = Call(kind, **parts[name]).build()
        starts = parts.get("starts", {})
        if not isinstance(starts, Mapping) or not all(
            isinstance(start, Mapping) for start in starts.values()
        ):
            raise InputError("'starts' of a recipe by network", came=f"{starts!r}")
        parts["starts"] = {name: Call(Start, **start).build() for name, start in starts.items()}
        try:
            Call(Recipe, **parts)  # checks names and types
            return Recipe(**parts)
        except TypeError as error:
            raise InputError("the fields of a recipe", came=str(error)) from None

    def fingerprint(self) -> str:
        """Identifies what is computed: all but the name, the words and the provenance."""
        data = self.to_json()
        for words in ("name", "summary", "provenance"):
            del data[words]
        del data["budget"]["save_every_s"]
        del data["starts"]
        if self.starts:
            data["starts"] = {name: start.identity() for name, start in self.starts.items()}
        return fingerprint(data)

    def set(self, key: str, text: str) -> Recipe:
        """Return this recipe with one value changed.

        ``key`` is a dotted path (``budget.steps``, ``networks.generator.width``,
        ``guidance.0.strength``) and ``text`` is JSON, or a bare string. Raises InputError for a
        wrong key or type.
        """
        try:
            value = from_plain(json.loads(text))
        except json.JSONDecodeError:
            value = text
        changed = _set(self, key.split("."), value, key)
        assert isinstance(changed, Recipe)
        return changed


def _set(holder: Any, parts: list[str], value: Any, key: str) -> Any:
    """``holder`` with the value at ``parts`` replaced; holders are rebuilt, never changed."""
    name, rest = parts[0], parts[1:]
    if isinstance(holder, Call):
        if name not in holder.parameters():
            raise UnknownName(
                f"key in '{key}' (arguments of {holder.name})", name, holder.parameters()
            )
        parameter = holder.parameters()[name]
        inner = holder.arguments.get(name, parameter.default)
        if inner is inspect.Parameter.empty:
            inner = None
        return holder.replace(**{name: _set(inner, rest, value, key) if rest else value})
    if dataclasses.is_dataclass(holder) and not isinstance(holder, type):
        known = {item.name: item for item in dataclasses.fields(holder)}
        if name not in known:
            raise UnknownName(f"key in '{key}'", name, known)
        inner = getattr(holder, name)
        if rest:
            return dataclasses.replace(holder, **{name: _set(inner, rest, value, key)})
        hints = Call(type(holder)).parameters()
        if (
            isinstance(inner, (Call, Mapping))
            or dataclasses.is_dataclass(inner)
            or not fits(value, hints[name].annotation)
        ):
            expected = (
                "a deeper key"
                if isinstance(inner, (Call, Mapping))
                else str(inspect.formatannotation(hints[name].annotation))
            )
            raise InputError(f"{expected} for '{key}'", came=repr(value))
        return dataclasses.replace(holder, **{name: value})
    if isinstance(holder, Mapping):
        if name not in holder:
            raise UnknownName(f"key in '{key}'", name, holder)
        if not rest:
            raise InputError(f"a deeper key than '{key}'", came=repr(value))
        return {**holder, name: _set(holder[name], rest, value, key)}
    if isinstance(holder, tuple):
        if not name.isdigit() or int(name) >= len(holder):
            raise UnknownName(f"position in '{key}'", name, [str(i) for i in range(len(holder))])
        old = holder[int(name)]
        new = _set(old, rest, value, key) if rest else value
        number = not isinstance(old, bool) and isinstance(old, (int, float))
        alike = (int, float) if number and not isinstance(new, bool) else type(old)
        if not isinstance(new, alike):
            raise InputError(f"a {type(old).__name__} for '{key}'", came=repr(value))
        return (*holder[: int(name)], new, *holder[int(name) + 1 :])
    raise InputError(f"a key that exists, '{key}' goes too deep at '{name}'", came=repr(holder))
