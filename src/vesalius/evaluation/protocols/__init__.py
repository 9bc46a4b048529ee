"""Published protocols by name: a number is comparable only under one of them."""

from __future__ import annotations

import importlib

from vesalius.core.errors import UnknownName
from vesalius.evaluation.protocols.by_metrics import ByMetrics
from vesalius.evaluation.protocols.label_maps import LabelMaps, named_labels
from vesalius.evaluation.protocols.protocol import Content, Found, Measure, Pair, Protocol

__all__ = [
    "ByMetrics",
    "Content",
    "Found",
    "LabelMaps",
    "Measure",
    "Pair",
    "Protocol",
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
    "openkbp": "openkbp.openkbp",
    "synthrad2023": "synthrad2023.synthrad2023",
    "synthrad2025": "synthrad2025.synthrad2025",
    "video-fvd": "video_fvd.video_fvd",
}


def names() -> tuple[str, ...]:
    """All protocol names."""
    return tuple(sorted(_PROTOCOLS))


def get(name: str) -> Protocol:
    """The protocol ``name``; raises UnknownName with the nearest ones."""
    if name not in _PROTOCOLS:
        raise UnknownName("protocol", name, _PROTOCOLS)
    module, function = _PROTOCOLS[name].split(".")
    found: Protocol = getattr(
        importlib.import_module(f"vesalius.evaluation.protocols.{module}"), function
    )()
    return found


def describe(name: str) -> str:
    """One line on a protocol."""
    if name not in _PROTOCOLS:
        raise UnknownName("protocol", name, _PROTOCOLS)
    module, function = _PROTOCOLS[name].split(".")
    made = getattr(importlib.import_module(f"vesalius.evaluation.protocols.{module}"), function)
    return (made.__doc__ or "").splitlines()[0]
