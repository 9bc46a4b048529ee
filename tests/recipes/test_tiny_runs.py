"""Every recipe's tiny form runs from nothing to its report."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from vesalius import recipes
from vesalius.generative.conditioning import Text
from vesalius.generative.losses import EfficientNetLite0Maps
from vesalius.generative.objectives import Contrastive
from vesalius.recipes.tiny import STEPS, tiny
from vesalius.runner.run import Run
from vesalius.training.fit import Engine, read_log

PERCEPTUAL = recipes.using()[EfficientNetLite0Maps]
READING = recipes.using()[Text] + recipes.using()[Contrastive]
QUICK = ("conditional-diffusion", "unet-regression", "wang-2019", "pix2pix")
NAMES = [
    name if name in QUICK else pytest.param(name, marks=pytest.mark.slow)
    for name in recipes.names()
]


@pytest.mark.parametrize("name", NAMES)
def test_a_tiny_recipe_runs_to_its_report(name: str, tmp_path: Path) -> None:
    if name in PERCEPTUAL:
        pytest.importorskip("efficientnet_lite_pytorch", reason="needs the extra 'features'")
    if name in READING:
        pytest.importorskip("tokenizers", reason="needs the extra 'text'")
    recipe = tiny(recipes.get(name))
    run = Run.create(recipe, tmp_path / "run", engine=Engine("cpu")).go()
    if name == "xray-text-contrast":  # draws nothing: others start from it
        assert run.status == "fitted"
        assert (run.folder / "model" / "given_encoder.safetensors").is_file()
        return
    assert run.status == "reported"
    page = (run.folder / "report.html").read_text()
    assert recipe.name in page
    assert "<script src" not in page, "one self-contained page"
    assert "http://" not in page.replace("http://www.w3.org", "")
    log = list(read_log(run.folder))
    assert len(log) == STEPS
    assert all(math.isfinite(value) for line in log for value in line.values())
    records = run.records()
    fingerprint = recipe.fingerprint()
    assert {record.fingerprint for record in records} == {fingerprint}
    assert {record.split for record in records} == {run.task.split.hash}
    own = [record for record in records if record.level != "cost" and record.recipe == recipe.name]
    assert own
    assert all(record.unit and record.protocol and record.n for record in own)
    metrics = {metric.name for metric in run.task.judgement.metrics}
    assert metrics <= {record.metric for record in own}
    if run.task.judgement.downstream is not None:
        assert any(record.metric.startswith("downstream") for record in own)
    status = json.loads((run.folder / "run.json").read_text())
    assert status["status"] == "reported"
    again = Run.open(run.folder)
    assert again.records() == records
    assert again.recipe.to_json() == recipe.to_json()
