"""Networks that a loss looks through and never trains: TorchScript files of the user's."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path

import torch

from vesalius.core.errors import InputError


@lru_cache(maxsize=8)
def frozen_network(path: str) -> torch.jit.ScriptModule:
    """The network of a TorchScript file, in evaluation mode and without gradients of weights.

    Read when first used, from a file alone. Raises InputError where there is none, or another kind.
    """
    if not Path(path).is_file():
        raise InputError(
            "a TorchScript file with trained weights",
            came="no such file",
            case=path,
            remedy="save the network with torch.jit.script(network).save(path)",
        )
    try:
        # TorchScript is being retired in favour of torch.export; the networks that hospitals and
        # papers share are still TorchScript files
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit.load`", DeprecationWarning)
            load = torch.jit.load
            network = load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise InputError(
            "a TorchScript file",
            came=str(error).splitlines()[0],
            case=path,
            remedy="save the network with torch.jit.script(network).save(path)",
        ) from None
    assert isinstance(network, torch.jit.ScriptModule)
    for parameter in network.parameters():
        parameter.requires_grad_(False)
    return network.eval()
