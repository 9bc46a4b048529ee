"""Every loss that a reviewed paper names leads to something."""

from __future__ import annotations

import csv
from importlib.resources import files
from typing import get_args

import pytest

from vesalius.core.errors import UnknownName
from vesalius.generative.losses import NAMED, Loss, all_losses, named
from vesalius.generative.losses.named import ObjectiveName


def reviewed() -> set[str]:
    text = files("vesalius.recipes").joinpath("systems.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {name.strip() for row in rows for name in row["losses"].split(";")}


def test_none_is_missing_and_none_is_made_up() -> None:
    assert reviewed() == set(NAMED)
    assert len(NAMED) == 88


def test_each_is_a_loss_or_an_objective() -> None:
    objectives, losses = set(get_args(ObjectiveName)), set(all_losses())
    for name, found in NAMED.items():
        if isinstance(found.component, str):
            assert found.component in objectives, name
        else:
            assert issubclass(found.component, Loss), name
            assert found.component in losses, name


def test_by_name() -> None:
    assert named("MSE").component is named("L2").component
    assert named("MAE").component is named("L1").component
    assert named("cycle").component == "UnpairedCycle"
    with pytest.raises(UnknownName, match="did you mean SSIM"):
        named("SSIMM")
