"""Features of whole volumes by a three-dimensional network that the user brings as a file."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from vesalius.core.errors import InputError
from vesalius.metrics.feature.image_window import check_window, windowed
from vesalius.metrics.feature.torchscript import WEIGHTS, scripted_network
from vesalius.metrics.metric import Extractor

Intensities = Literal["window", "z_score"]


class ScriptedVolumeFeatures(Extractor):
    """Pooled features of a TorchScript network of volumes: MedicalNet's ResNets, or one's own.

    The network takes ``(n, 1, depth, height, width)`` and returns ``(n, feature)``, or
    ``(n, feature, *space)``, which is averaged over space. The extractor's name is the file's.
    Nothing is downloaded and nothing is random: InputError without the file.

    Parameters
    ----------
    path:
        What ``torch.jit.script(network).save(path)`` or ``torch.jit.trace`` wrote.
    window:
        (low, high) in the unit of the images, mapped to [0, 1] and clipped; outside a mask: 0.
    size:
        Voxels along each axis at the network's input, resampled trilinearly; None leaves volumes
        on their own grid.
    intensities:
        "window" gives the network [0, 1]; "z_score" subtracts the mean of each volume above 0 and
        divides by its standard deviation there, as MedicalNet was trained, which hides errors of
        brightness and contrast.
    at_once:
        Volumes in one pass.

    References
    ----------
    Chen et al. 2019, Med3D, arXiv:1904.00625 (MedicalNet).
    """

    citation = "Chen et al. 2019, arXiv:1904.00625 (or a network of volumes given as a file)"

    def __init__(
        self,
        path: str | Path,
        window: tuple[float, float],
        *,
        size: tuple[int, int, int] | None = None,
        intensities: Intensities = "window",
        at_once: int = 1,
    ) -> None:
        if at_once < 1 or (size is not None and (len(size) != 3 or min(size) < 1)):
            raise InputError("three positive sizes and at_once", came=f"{size} and {at_once}")
        self.window = check_window(window)
        self.size = size
        self.intensities = intensities
        self.at_once = at_once
        self.path = Path(path)
        self.name = self.path.stem  # type: ignore[misc]

    @cached_property
    def network(self) -> torch.jit.ScriptModule:
        """The network of the file, in evaluation mode."""
        return scripted_network(
            self.path,
            f"download the network from its authors (MedicalNet: {WEIGHTS['medicalnet']}) and save "
            "it with torch.jit.script, or use RadiomicFeatures",
        )

    def features(self, images: Tensor, mask: Tensor | None = None) -> Tensor:
        """``(batch, 1, depth, height, width)`` to ``(batch, feature)`` float64 on the CPU.

        Raises InputError, naming the index of the image, for an empty mask or values not finite.
        """
        if images.ndim != 5:
            raise InputError(
                "volumes of shape (batch, 1, depth, height, width)",
                came=f"shape {tuple(images.shape)}",
                case=self.path,
                remedy="this network takes volumes: give 2D images to another extractor",
            )
        scaled = windowed(images, mask, self.window)
        if self.size is not None:
            scaled = functional.interpolate(
                scaled, size=self.size, mode="trilinear", align_corners=False
            )
        if self.intensities == "z_score":
            scaled = torch.stack([_scored(volume) for volume in scaled])
        network = self.network.to(scaled.device)
        parts = []
        with torch.inference_mode():
            for few in torch.split(scaled, self.at_once):
                found = torch.as_tensor(network(few))
                found = found.flatten(2).mean(2) if found.ndim > 2 else found
                if found.ndim != 2 or len(found) != len(few):
                    raise InputError(
                        f"features of shape ({len(few)}, feature) from the network",
                        came=f"shape {tuple(found.shape)}",
                        case=self.path,
                        remedy="export the network up to its pooled features",
                    )
                parts.append(found.cpu().double())
        # cloned: an inference tensor could not be used in later computations with gradients
        return torch.cat(parts).clone()


def _scored(volume: Tensor) -> Tensor:
    body = volume[volume > 0]
    if len(body) < 2 or float(body.std()) == 0:
        return torch.zeros_like(volume)
    return torch.where(volume > 0, (volume - body.mean()) / body.std(), 0.0)
