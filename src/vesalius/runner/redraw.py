"""The same weights, drawn with another sampler."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe
from vesalius.runner.run import Run
from vesalius.training.checkpoint import save_tensors
from vesalius.training.first_weights import drawing_weights

#: Parts of a recipe that only drawing looks at.
DRAWING = ("sampler", "draws")
WORDS = ("name", "summary", "provenance")


def redrawn(run: Run, recipe: Recipe, folder: str | Path) -> Run:
    """A new run folder with the weights of ``run``, ready to draw as ``recipe`` says.

    Weights do not depend on how they are drawn with, so samplers are compared without training
    again. ``recipe`` may differ from the run's in its sampler, its number of draws and, where its
    objective does not train through guidance, in its guidance. Raises InputError for any other
    difference, naming it.
    """
    learnt, wanted = run.recipe.to_json(), recipe.to_json()
    free = [*DRAWING, *WORDS]
    if "guidance" not in recipe.objective.parameters():
        free.append("guidance")
    others = sorted(key for key in wanted if key not in free and wanted[key] != learnt[key])
    if others:
        raise InputError(
            f"a recipe that differs in {', '.join((*DRAWING, 'guidance'))} alone",
            came=f"another {', '.join(others)}",
            case=run.folder,
            remedy="train it: vesalius run",
        )
    names = sorted(path.stem for path in (run.folder / "model").glob("*.safetensors"))
    weights = {name: drawing_weights(run.folder, name) for name in names}
    if run.status in ("new", "fitting") or not weights:
        raise InputError(
            "a trained run",
            came=f"one that is '{run.status}'",
            case=run.folder,
            remedy=f"finish it with: vesalius resume {run.folder}",
        )
    made = Run.create(recipe, folder, seed=run.seed, engine=run.engine)
    (made.folder / "model").mkdir()
    for name, (tensors, note) in weights.items():
        path = made.folder / "model" / f"{name}.safetensors"
        changed = {**note, "recipe": made.recipe.fingerprint(), "learnt": note["recipe"]}
        save_tensors(path, tensors, changed)
    shutil.copyfile(run.folder / "learnt.json", made.folder / "learnt.json")
    if (run.folder / "log.jsonl").is_file():
        shutil.copyfile(run.folder / "log.jsonl", made.folder / "log.jsonl")
    spent: dict[str, Any] = {
        key: run.info[key] for key in ("steps", "seconds", "data_wait_s") if key in run.info
    }
    made.write_status("fitted", **spent)
    return made
