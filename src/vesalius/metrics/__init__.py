"""What is measured of an image: by pixels, by features, and by what the clinic does with it."""

from __future__ import annotations

import inspect

from vesalius.metrics.description import parameters_of, title
from vesalius.metrics.metric import CaseMetric, Extractor, Metric, SetMetric

__all__ = [
    "CaseMetric",
    "Extractor",
    "Metric",
    "SetMetric",
    "all_metrics",
    "parameters_of",
    "title",
]


def all_metrics() -> tuple[type[Metric], ...]:
    """Every metric class that the package has, by level: pixel, feature, clinical.

    Wrappers, whose name is that of the metric they wrap, are not listed.
    """
    from vesalius.metrics import clinical, feature, pixel
    from vesalius.metrics.feature import video

    rooms = (pixel, feature, video, clinical)
    exported = [getattr(room, name) for room in rooms for name in room.__all__]
    return tuple(
        dict.fromkeys(
            found
            for found in exported
            if inspect.isclass(found)
            and issubclass(found, Metric)
            and not inspect.isabstract(found)
            and isinstance(inspect.getattr_static(found, "name", None), str)
        )
    )
