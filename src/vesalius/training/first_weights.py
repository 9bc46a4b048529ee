"""Networks that begin from an earlier run's weights."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from vesalius.core.errors import InputError
from vesalius.core.recipe import Recipe, Start
from vesalius.training.checkpoint import load_tensors

#: The folder in a run's own of the runs that it made first, each named after its recipe.
STAGES = "stages"


def drawing_weights(folder: Path, network: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights with which the run in ``folder`` draws, and what their file says of them.

    Raises InputError where the run is not trained, or draws with other networks.
    """
    kept = sorted(path.stem for path in (folder / "model").glob("*.safetensors"))
    if not kept:
        raise InputError(
            "a trained run to take weights from",
            came="a folder without model/",
            case=folder,
            remedy="train it to its end first",
        )
    if network not in kept:
        raise InputError(
            f"a network that the run draws with: {', '.join(kept)}", came=network, case=folder
        )
    return load_tensors(folder / "model" / f"{network}.safetensors")


def identity(weights: Mapping[str, Tensor]) -> str:
    """Sixteen hexadecimal digits that identify weights, whatever file they lie in."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def begin(networks: Mapping[str, nn.Module], recipe: Recipe, folder: Path) -> None:
    """Load what ``recipe.starts`` names into ``networks``; ``folder`` is the run's own.

    Raises InputError where weights are not those that the recipe names or do not fit the network.
    """
    for name, start in recipe.starts.items():
        if start.run or start.first:
            place = Path(start.run) if start.run else folder / STAGES / start.first
            networks[name].load_state_dict(_fitting(networks[name], name, start, place))
    for name, start in recipe.starts.items():
        if not (start.run or start.first):
            weights = networks[start.like].state_dict()
            require_fit(networks[name], name, weights, f"networks.{start.like}")
            networks[name].load_state_dict(weights)


def _fitting(network: nn.Module, name: str, start: Start, place: Path) -> dict[str, Tensor]:
    weights, _ = drawing_weights(place, start.network)
    if start.weights and identity(weights) != start.weights:
        raise InputError(
            f"the weights {start.weights} that '{name}' is to start from",
            came=identity(weights),
            case=place,
            remedy="put that run back as it was, or start a new run",
        )
    require_fit(network, name, weights, place)
    return weights


def require_fit(
    network: nn.Module, name: str, weights: Mapping[str, Tensor], place: Path | str
) -> None:
    """Raise InputError unless ``weights`` are one for one the shapes of ``network``."""
    own = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    came = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    if own == came:
        return
    differing = sorted(key for key in own.keys() | came.keys() if own.get(key) != came.get(key))
    first = differing[0]
    raise InputError(
        f"weights like those of '{name}', {first} {own.get(first, 'absent')}",
        came=f"{came.get(first, 'none')}, and {len(differing) - 1} more that differ",
        case=place,
        remedy=f"set networks.{name} as it is there",
    )
