from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from vesalius.core import Call, InputError
from vesalius.generative.samplers import Heun
from vesalius.runner.redraw import redrawn
from vesalius.runner.run import DRAWN_AT_ONCE, Run
from vesalius.tasks.task import collate


def test_the_same_weights_draw_with_another_sampler(translation_run: Run, tmp_path: Path) -> None:
    recipe = dataclasses.replace(
        translation_run.recipe, name="heun", sampler=Call(Heun, steps=2), draws=1
    )
    made = redrawn(translation_run, recipe, tmp_path / "new")
    assert made.status == "fitted"
    assert made.info["steps"] == translation_run.info["steps"]
    old, new = translation_run.fitted_system(), made.fitted_system()
    assert type(new.sampler) is Heun
    for name, tensor in old.networks["network"].state_dict().items():
        assert torch.equal(new.networks["network"].state_dict()[name], tensor)
    made.go(stop=lambda: made.status == "drawn")
    cases = made.task.split["test"][:DRAWN_AT_ONCE]
    batch = collate([made.task.test_case(case) for case in cases])
    expected = new.draw(batch, made.task.size, draws=1, seed=made.seed)[:, 0]
    assert torch.allclose(made.draws("test", cases[0]), expected, atol=1e-5)
    again = Run.open(tmp_path / "new")
    assert again.recipe.fingerprint() == recipe.fingerprint()
    assert again.fitted_system().sampler == new.sampler


def test_what_is_learnt_must_be_the_same(translation_run: Run, tmp_path: Path) -> None:
    wider = translation_run.recipe.set("networks.network.width", "16")
    with pytest.raises(InputError, match=r"another networks.*train it: vesalius run"):
        redrawn(translation_run, wider, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_guidance_that_is_trained_through_is_learnt(
    reconstruction_run: Run, tmp_path: Path
) -> None:
    freed = dataclasses.replace(reconstruction_run.recipe, guidance=())
    with pytest.raises(InputError, match="another guidance"):
        redrawn(reconstruction_run, freed, tmp_path / "new")
