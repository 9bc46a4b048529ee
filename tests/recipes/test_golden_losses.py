"""The first losses of two recipes against numbers on file.

After a change that is meant to move them, write them again with
``python tests/recipes/test_golden_losses.py``.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from vesalius import recipes
from vesalius.recipes.tiny import tiny
from vesalius.training.fit import Engine, Loop, read_log

FILE = Path(__file__).parents[1] / "golden" / "first_losses.json"
NAMES = ("conditional-diffusion", "pix2pix")


def first_losses(name: str, folder: Path) -> list[dict[str, float]]:
    """Losses of the first three steps of the tiny form, seed 0."""
    recipe = tiny(recipes.get(name))
    Loop(recipe, recipe.task.build(), folder, seed=0, engine=Engine("cpu")).run()
    return [
        {term: value for term, value in line.items() if term not in ("step", "seconds")}
        for line in read_log(folder)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_the_first_losses_are_those_on_file(name: str, tmp_path: Path) -> None:
    expected = json.loads(FILE.read_text())[name]
    found = first_losses(name, tmp_path)
    assert len(found) == len(expected) == 3
    for line, known in zip(found, expected, strict=True):
        assert line == pytest.approx(known, rel=1e-4, abs=1e-4)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        losses = {name: first_losses(name, Path(place) / name) for name in NAMES}
    FILE.write_text(json.dumps(losses, indent=1) + "\n")
