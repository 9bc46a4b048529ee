from __future__ import annotations

import copy
import json
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vesalius.core import call as calls
from vesalius.core.call import Call, fingerprint, fits, nearest, to_plain
from vesalius.core.errors import InputError, UnknownName
from vesalius.data.sources.hippocampus import Hippocampus
from vesalius.data.split import SplitRule
from vesalius.generative.losses import L1, L2
from vesalius.generative.objectives import Regression
from vesalius.networks.unet import UNet


@dataclass(frozen=True)
class Typed:
    whole: int = 1
    real: float = 1.0
    flag: bool = False
    word: Literal["a", "b"] = "a"
    maybe: int | None = None
    pair: tuple[int, float] = (1, 2.0)
    many: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("whole", [0, -3], [1.5, "1", True, None]),
        ("real", [1, 2.5], ["1", True, None]),
        ("flag", [True], [0, "true"]),
        ("word", ["b"], ["c", 1]),
        ("maybe", [None, 4], ["4", 1.5]),
        ("pair", [(1, 2), (1, 2.5)], [(1,), (1, 2, 3), ("1", 2), 5]),
        ("many", [(), ("x", "y")], [(1,), "xy", ("x", None)]),
    ],
)
def test_arguments_are_checked_when_written(name: str, good: list[Any], bad: list[Any]) -> None:
    for value in good:
        assert getattr(Call(Typed, **{name: value}).build(), name) == value
    for value in bad:
        with pytest.raises(InputError, match=f"'{name}' of Typed"):
            Call(Typed, **{name: value})


def test_an_unknown_argument_names_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"got 'widht'; did you mean width\?"):
        Call(UNet, widht=64)


def test_nothing_is_built_before_build() -> None:
    made: list[int] = []

    def target(size: int = 1) -> int:
        made.append(size)
        return size

    call = Call(target, size=3)
    assert made == []
    assert call.build() == 3
    assert made == [3]


def test_late_arguments_reach_only_those_who_take_them_and_never_override() -> None:
    def inner(width: int, depth: int = 1) -> tuple[int, int]:
        return width, depth

    def outer(part: Any, other: Any = None) -> tuple[Any, Any]:
        return part, other

    built = Call(outer, part=Call(inner, depth=7)).build(width=3, depth=9, other="x", nobody=0)
    assert built == ((3, 7), "x")


def test_calls_in_tuples_and_mappings_are_built() -> None:
    losses = (Call(L1, weight=2.0), Call(L2))
    objective = Call(Regression, losses=losses).build()
    assert objective.losses == (L1(2.0), L2())

    def keep(parts: Any) -> Any:
        return parts

    assert Call(keep, parts={"a": Call(L1), "b": 3}).build() == {"a": L1(), "b": 3}


def test_a_path_argument_is_a_string_until_it_is_built() -> None:
    call = Call(Hippocampus, path="somewhere/hippocampus.npz")
    assert call.to_json()["with"] == {"path": "somewhere/hippocampus.npz"}
    assert call.build().path == Path("somewhere/hippocampus.npz")
    with pytest.raises(InputError, match="'path' of Hippocampus"):
        Call(Hippocampus, path=3)


def test_json_round_trip_keeps_equality_and_hash() -> None:
    call = Call(Regression, losses=(Call(L1, weight=0.1), Call(L2)))
    again = Call.from_json(json.loads(json.dumps(call.to_json())))
    assert again == call
    assert hash(again) == hash(call)
    assert again != call.replace(losses=(Call(L1, weight=0.2),))
    assert repr(again) == "Regression(losses=(L1(weight=0.1), L2()))"


def test_a_call_can_be_copied_and_sent_to_another_process() -> None:
    call = Call(Regression, losses=(Call(L1, weight=0.1),))
    assert pickle.loads(pickle.dumps(call)) == call
    assert copy.deepcopy(call) == call


def test_arguments_cannot_be_changed_in_place() -> None:
    given_arguments = {"weight": 2.0}
    call = Call(L1, **given_arguments)
    with pytest.raises(TypeError):
        call.arguments["weight"] = 3.0  # type: ignore[index]
    assert call.replace(weight=3.0).build().weight == 3.0
    assert call.build().weight == 2.0


@pytest.mark.parametrize(
    "path", ["os:system", "subprocess:Popen", "builtins:eval", "vesaliusx.core:Call", ":eval", ""]
)
def test_other_packages_are_never_imported(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    imported: list[str] = []
    monkeypatch.setattr(calls.importlib, "import_module", imported.append)
    with pytest.raises(InputError, match="component of vesalius or of an installed plug-in"):
        Call.from_json({"call": path, "with": {}})
    assert imported == []


@pytest.mark.parametrize(
    "data",
    [
        {"call": "vesalius.networks.unet:Unknown", "with": {}},
        {"call": "vesalius.nothing:UNet", "with": {}},
        {"call": "vesalius.networks.unet:__doc__", "with": {}},
        {"call": 5, "with": {}},
        {"call": "vesalius.networks.unet:UNet", "with": [1]},
        {"call": "vesalius.networks.unet:UNet", "with": {"width": "wide"}},
    ],
)
def test_a_saved_call_that_does_not_fit_is_one_sentence(data: dict[str, Any]) -> None:
    with pytest.raises(InputError) as caught:
        Call.from_json(data)
    assert str(caught.value).startswith("expected ")
    assert str(caught.value).endswith((".", "?"))


def test_a_plug_in_is_trusted_once_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        value = "json.decoder:JSONDecoder"

    def found(group: str) -> list[Point]:
        return [Point()] if group == calls.PLUGIN_GROUP else []

    with pytest.raises(InputError):
        Call.from_json({"call": "json:JSONDecoder", "with": {}})
    monkeypatch.setattr(calls, "entry_points", found)
    assert Call.from_json({"call": "json:JSONDecoder", "with": {}}).target is json.JSONDecoder


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(InputError, match=r"got a L1; wrap the object in Call"):
        to_plain({"loss": L1()})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(min_size=1), inside),
    max_leaves=12,
)


@given(JSON)
def test_the_fingerprint_is_of_the_data_alone(data: Any) -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(list(value))}
        return [turned(item) for item in value] if isinstance(value, list) else value

    assert (
        fingerprint(data) == fingerprint(turned(data)) == fingerprint(json.loads(json.dumps(data)))
    )
    assert fingerprint(data) != fingerprint([data])


def test_nearest_and_fits() -> None:
    assert nearest("unt", ["unet", "vae"]) == "unet"
    assert nearest("zzzz", ["unet", "vae"]) is None
    assert fits(object(), Any)
    assert not fits("rule", SplitRule)
