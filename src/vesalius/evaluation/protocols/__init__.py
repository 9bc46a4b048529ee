"""Published protocols by name: a number is comparable only under one of them."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from vesalius.core.errors import UnknownName
from vesalius.evaluation.protocols.by_metrics import ByMetrics
from vesalius.evaluation.protocols.label_maps import LabelMaps, named_labels
from vesalius.evaluation.protocols.protocol import Content, Found, Measure, Pair, Protocol
from vesalius.evaluation.protocols.study_protocol import StudyProtocol

__all__ = [
    "ByMetrics",
    "Content",
    "Found",
    "LabelMaps",
    "Measure",
    "Pair",
    "Protocol",
    "StudyProtocol",
    "describe",
    "get",
    "named_labels",
    "names",
]

#: Protocol name to the module and function that make it.
_PROTOCOLS = {
    "brasyn": "brasyn.brasyn",
    "brasyn-tumour": "brasyn.brasyn_tumour",
    "fastmri-brain-8x": "fastmri.brain_8x",
    "fastmri-knee-4x": "fastmri.knee_4x",
    "ldct-bench-abdomen": "ldct_bench.abdomen",
    "ldct-bench-chest": "ldct_bench.chest",
    "ldct-bench-neuro": "ldct_bench.neuro",
    "ldct-redcnn": "ldct_redcnn.ldct_redcnn",
    "medmnist-augmentation": "medmnist_augmentation.medmnist_augmentation",
    "openkbp": "openkbp.openkbp",
    "synthrad2023": "synthrad2023.synthrad2023",
    "synthrad2025": "synthrad2025.synthrad2025",
    "video-fvd": "video_fvd.video_fvd",
}


def names() -> tuple[str, ...]:
    """All protocol names."""
    return tuple(sorted(_PROTOCOLS))


def _function(name: str) -> Callable[[], Protocol | StudyProtocol]:
    if name not in _PROTOCOLS:
        raise UnknownName("protocol", name, _PROTOCOLS)
    module, function = _PROTOCOLS[name].split(".")
    made = importlib.import_module(f"vesalius.evaluation.protocols.{module}")
    found: Callable[[], Protocol | StudyProtocol] = getattr(made, function)
    return found


def get(name: str) -> Protocol | StudyProtocol:
    """The protocol ``name``; raises UnknownName with the nearest ones."""
    return _function(name)()


def describe(name: str) -> str:
    """One line on a protocol."""
    return (_function(name).__doc__ or "").splitlines()[0]
