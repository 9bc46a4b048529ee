"""Every recipe at a size that runs to its report in seconds: it proves the way, not the images."""

from __future__ import annotations

import dataclasses

from vesalius.anatomy import DigitalPatients
from vesalius.core.call import Call
from vesalius.core.recipe import Recipe
from vesalius.tasks.task import Downstream
from vesalius.tasks.unconditional import ImageSynthesis

PATIENTS = 16
#: Where sets are compared, which takes a dozen test patients.
PATIENTS_OF_SETS = 72
#: Voxels along an axis, by axes of space.
EXTENT = {2: 32, 3: 16}
STEPS = 3
#: The largest value that a part's argument keeps.
LIMITS = {
    "width": 8,
    "hidden": 8,
    "levels": 2,
    "n_blocks": 1,
    "doublings": 1,
    "n_layers": 2,
    "steps": 2,
    "iterations": 2,
    "coils": 2,
    "pool": 3,
}
RESOLUTIONS = 2
#: What a network cannot do with less of, by its name.
LEAST = {"SegmentationUNet": {"levels": 3}}


def tiny(recipe: Recipe) -> Recipe:
    """``recipe`` with few small digital patients, narrow networks and three steps.

    Everything else stays: objective, path, conditioning, guidance and the way of drawing.
    """
    task = _small_task(recipe.task)
    side = task.arguments["matrix"][0]
    return dataclasses.replace(
        recipe,
        name=f"{recipe.name}-tiny",
        task=task,
        networks={name: _small(call, side) for name, call in recipe.networks.items()},
        objective=_small(recipe.objective),
        sampler=_small(recipe.sampler),
        guidance=tuple(_small(call) for call in recipe.guidance),
        optimiser=dataclasses.replace(recipe.optimiser, warmup_steps=1),
        budget=dataclasses.replace(
            recipe.budget, steps=STEPS, batch_size=2, accumulate=1, minutes=None
        ),
        draws=min(recipe.draws, 2),
    )


def _small(call: Call, side: int = 0) -> Call:
    """``call`` with its sizes bounded by ``LIMITS``; what it leaves to the default counts too.

    Generators of one vector are made for images of ``side`` voxels along every axis.
    """
    changes: dict[str, object] = {}
    for name, parameter in call.parameters().items():
        value = call.arguments.get(name, parameter.default)
        if name in LIMITS and isinstance(value, int):
            least = LEAST.get(call.name, {}).get(name, 0)
            changes[name] = min(value, max(LIMITS[name], least))
        elif name in ("multipliers", "n_convolutions"):
            changes[name] = tuple(value)[:RESOLUTIONS]
        elif name == "extent" and side:
            changes[name] = side
    return call.replace(**changes)


def _small_task(task: Call) -> Call:
    parameters = task.parameters()
    matrix = task.arguments.get("matrix", parameters["matrix"].default)
    space = (EXTENT[len(matrix)],) * len(matrix)
    n_patients = PATIENTS_OF_SETS if task.target is ImageSynthesis else PATIENTS
    changes: dict[str, object] = {
        "source": Call(DigitalPatients, n=n_patients, size=space),
        "matrix": space,
        "shift_voxels": 1,
    }
    if "degradation" in task.arguments:
        changes["degradation"] = _small(task.arguments["degradation"])
    if "study" in parameters:
        changes["study"] = _small_study(task)
    return task.replace(**changes)


def _small_study(task: Call) -> Call:
    """One seed, one fraction and three steps."""
    study = task.arguments.get("study")
    if study is None:
        names = ("image", "label", "classes")
        study = Call(Downstream, **{name: task.arguments[name] for name in names})
    small: Call = study.replace(fractions=(1.0,), seeds=1, steps=STEPS)
    return small
