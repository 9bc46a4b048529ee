"""A loop in several processes of one machine."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from vesalius.core.errors import InputError
from vesalius.training import checkpoint as checkpoints

if TYPE_CHECKING:
    from vesalius.training.fit import Fitted, Loop


def _quiet(progress: object) -> None:
    """Nobody watches from another process."""


def _never() -> bool:
    return False


def _in_process(fabric: Any, loop: Loop) -> None:
    loop.train(fabric)


def launch_and_reload(loop: Loop, fabric: Any) -> Fitted:
    """Train in ``fabric``'s processes, then read the final checkpoint in this one."""
    from vesalius.generative.system import System
    from vesalius.training.fit import Fitted

    loop.watch, loop.stop = _quiet, _never
    # as a part of the function: Lightning walks through its arguments and stops at frozen data
    fabric.launch(partial(_in_process, loop=loop))
    last = checkpoints.found(loop.folder / "checkpoints")
    if not last:
        raise InputError("a checkpoint at the end of training", came="none", case=loop.folder)
    saved = checkpoints.load(last[-1], loop.recipe.fingerprint())
    system = System.build(loop.recipe, loop.task.shape, loop.seed)
    drawing = {}
    for name in system.objective.drawing():
        network = system.networks[name]
        averaged = saved.tensors.get(f"average-{name}")
        weights = (
            {key[len("module.") :]: value for key, value in averaged.items() if key != "n_averaged"}
            if averaged
            else dict(saved.tensors[f"weights-{name}"])
        )
        network.load_state_dict(weights)
        drawing[name] = network
    return Fitted(
        drawing, int(saved.state["step"]), float(saved.state["seconds"]), 0.0, stopped=False
    )
