"""From the word that a user types to the extractor that it means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from vesalius.core.errors import InputError
from vesalius.metrics.feature.efficientnet import EfficientNetLite0Features
from vesalius.metrics.feature.own_features import OwnFeatures
from vesalius.metrics.feature.pixel_features import PixelFeatures
from vesalius.metrics.feature.radiomics import RadiomicFeatures
from vesalius.metrics.feature.scripted import ScriptedFeatures
from vesalius.metrics.feature.scripted_volumes import ScriptedVolumeFeatures
from vesalius.metrics.feature.torchscript import SAVE, WEIGHTS, scripted_network, takes_volumes
from vesalius.metrics.feature.video.clip_extractors import clip_extractor, is_of_clips
from vesalius.metrics.metric import Extractor

WORDS = ("radiomics", "efficientnet_lite0", "pixels")
TORCHSCRIPT = (".pt", ".pth", ".ts", ".torchscript")
OF_IMAGES = frozenset({"size", "slices", "mean", "deviation"})
OF_VOLUMES = frozenset({"size", "intensities"})


def extractor(spec: str, window: tuple[float, float], dimensions: int) -> Extractor:
    """The extractor that ``spec`` names, ready to use: weights are read at once.

    Parameters
    ----------
    spec:
        ``"radiomics"``, ``"efficientnet_lite0"``, ``"pixels"``, the path of a TorchScript network
        (``NAME.pt``) or of an encoder that Vesalius trained (``NAME.safetensors``). What a
        TorchScript network takes, where it is not 224 x 224 pixels normalised as for ImageNet, is
        said by ``NAME.json`` beside it: ``size``, ``slices``, ``mean`` and ``deviation`` of
        :class:`ScriptedFeatures`, or ``size`` and ``intensities`` of
        :class:`ScriptedVolumeFeatures`, which is taken where the network's convolutions have three
        axes. Of sequences ``(time, height, width)``, which count as volumes: see
        :func:`~vesalius.metrics.feature.video.clip_extractors.clip_extractor`.
    window:
        (low, high) in the unit of the images.
    dimensions:
        Axes of space of the images, 2 or 3.

    Raises
    ------
    InputError
        For an unknown word, a missing or broken file, a network of volumes for 2D images, and a
        window other than that of an encoder's training. MissingExtra without the packages that
        hold weights. There is never a network without trained weights.
    """
    axes: Literal[2, 3]
    if dimensions == 2:
        axes = 2
    elif dimensions == 3:
        axes = 3
    else:
        raise InputError("images with 2 or 3 axes of space", came=dimensions)
    if is_of_clips(spec):
        if axes == 2:
            raise InputError("sequences", came="2D images", case=f"extractor '{spec}'")
        return clip_extractor(spec, window)
    if spec == "radiomics":
        return RadiomicFeatures(window, dimensions=axes)
    if spec == "pixels":
        return PixelFeatures(window)
    if spec == "efficientnet_lite0":
        ready = EfficientNetLite0Features(window)
        assert ready.network is not None
        return ready
    path = Path(spec)
    if path.suffix == ".safetensors":
        own = OwnFeatures(path, window)
        assert own.network is not None
        return own
    if path.suffix in TORCHSCRIPT:
        return _scripted(path, window, axes)
    raise InputError(
        f"an extractor: {', '.join(WORDS)}, a TorchScript file NAME.pt or an encoder that Vesalius "
        "trained, NAME.safetensors",
        came=f"'{spec}'",
        remedy=_remedy(path),
    )


def sees_volumes(spec: str) -> bool:
    """Whether ``spec`` is a TorchScript network whose convolutions have three axes of space."""
    path = Path(spec)
    if path.suffix not in TORCHSCRIPT or is_of_clips(spec):
        return False
    return takes_volumes(scripted_network(path, _remedy(path)))


def _remedy(path: Path) -> str:
    """Where weights for a word or a missing file come from; never only that they are not here."""
    known = [name for name in WEIGHTS if path.stem.lower().startswith(name)]
    if known:
        name = known[-1]
        return (
            f"weights are not part of the package: get them from {WEIGHTS[name]}, save the network "
            f"with {SAVE.replace('NAME', name)} and pass that path"
        )
    where = "; ".join(f"{name}: {place}" for name, place in WEIGHTS.items() if name != "i3d")
    return f"weights of others are saved with {SAVE} and passed by path ({where})"


def _scripted(path: Path, window: tuple[float, float], dimensions: Literal[2, 3]) -> Extractor:
    volumetric = takes_volumes(scripted_network(path, _remedy(path)))
    if volumetric and dimensions == 2:
        raise InputError(
            "a network of 2D images",
            came="one whose convolutions have three axes of space",
            case=path,
            remedy="give volumes, or another network",
        )
    told = told_beside(path.with_suffix(".json"), OF_VOLUMES if volumetric else OF_IMAGES)
    found: Extractor = (
        ScriptedVolumeFeatures(path, window, **told)
        if volumetric
        else ScriptedFeatures(path, window, **told)
    )
    return found


def told_beside(path: Path, known: frozenset[str]) -> Mapping[str, Any]:
    """What the file beside a network says of its input; nothing where there is none."""
    if not path.is_file():
        return {}
    wanted = f"a JSON object with some of {', '.join(sorted(known))}"
    try:
        told = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(wanted, came=f"broken JSON ({error})", case=path) from None
    if not isinstance(told, dict) or set(told) - known:
        came = ", ".join(sorted(set(told) - known)) if isinstance(told, dict) else "something else"
        raise InputError(wanted, came=came, case=path)
    return {key: tuple(value) if isinstance(value, list) else value for key, value in told.items()}
