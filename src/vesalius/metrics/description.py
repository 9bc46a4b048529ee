"""How a metric is printed: its name and the parameters without which its number means nothing."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from vesalius.metrics.metric import Metric

IN_DATA_UNIT = frozenset({"data_range", "limits", "threshold"})
"""Parameters that are read in the unit of the image."""


def parameters_of(metric: Any) -> dict[str, Any]:
    """Every parameter of a metric that is a dataclass, as plain JSON data.

    >>> from vesalius.metrics.pixel import PSNR
    >>> parameters_of(PSNR(4024, data_unit="HU", limits=(-1024, 3000)))
    {'data_range': 4024, 'data_unit': 'HU', 'limits': [-1024, 3000]}
    """
    return {item.name: _plain(getattr(metric, item.name)) for item in dataclasses.fields(metric)}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {"kind": type(value).__name__, **parameters_of(value)}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def title(metric: Metric) -> str:
    """Name the metric and the parameters that were chosen, as a report prints it.

    >>> from vesalius.metrics.pixel import PSNR
    >>> title(PSNR(4024, data_unit="HU"))
    'PSNR (data_range 4024 HU)'
    """
    kind = type(metric).__name__
    label = metric.name.upper().replace("_", "-") if kind.isupper() else metric.name
    label = label.replace("_", " ")
    if not dataclasses.is_dataclass(metric):
        return label
    data_unit = getattr(metric, "data_unit", "1")
    chosen = []
    for item in dataclasses.fields(metric):
        value = getattr(metric, item.name)
        default = (
            item.default_factory()
            if item.default_factory is not dataclasses.MISSING
            else item.default
        )
        if item.name == "data_unit" or value == default or value is None:
            continue
        in_unit = item.name in IN_DATA_UNIT and not isinstance(value, str) and data_unit != "1"
        chosen.append(f"{item.name} {_printed(value)}" + (f" {data_unit}" if in_unit else ""))
    return label + (f" ({', '.join(chosen)})" if chosen else "")


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}" if abs(value) < 1e6 else repr(value)
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(_printed, value)) + "]"
    return value.replace("_", " ") if isinstance(value, str) else str(value)
