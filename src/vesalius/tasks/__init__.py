"""The clinical questions, by name."""

from __future__ import annotations

from collections.abc import Callable

from vesalius.core.call import Call
from vesalius.core.errors import UnknownName
from vesalius.tasks.acquisition import (
    ct_low_dose,
    mr_super_resolution_4x,
    mri_4x,
    mri_4x_equispaced,
    xray_denoising,
    xray_inpainting,
)
from vesalius.tasks.diagnosis import (
    ct_slices,
    head_from_tissues,
    head_variants,
    hippocampus_from_mask,
    hippocampus_segmentation,
    hippocampus_variants,
    hippocampus_volumes,
    mr_slices,
    mr_to_ct,
    t1_to_t2,
    xray_classification,
    xray_from_class,
    xray_from_text,
    xrays,
)
from vesalius.tasks.task import Task, collate

__all__ = ["Task", "collate", "get", "names"]

_TASKS: dict[str, Callable[[Call], Call]] = {
    "ct-low-dose": ct_low_dose,
    "ct-slices": ct_slices,
    "head-from-tissues": head_from_tissues,
    "head-variants": head_variants,
    "hippocampus-from-mask": hippocampus_from_mask,
    "hippocampus-segmentation": hippocampus_segmentation,
    "hippocampus-variants": hippocampus_variants,
    "hippocampus-volumes": hippocampus_volumes,
    "mr-slices": mr_slices,
    "mr-super-resolution-4x": mr_super_resolution_4x,
    "mr-to-ct": mr_to_ct,
    "mri-4x": mri_4x,
    "mri-4x-equispaced": mri_4x_equispaced,
    "t1-to-t2": t1_to_t2,
    "xray-classification": xray_classification,
    "xray-denoising": xray_denoising,
    "xray-from-class": xray_from_class,
    "xray-from-text": xray_from_text,
    "xray-inpainting": xray_inpainting,
    "xrays": xrays,
}


def names() -> tuple[str, ...]:
    """All task names."""
    return tuple(sorted(_TASKS))


def describe(name: str) -> str:
    """One line on a task."""
    if name not in _TASKS:
        raise UnknownName("task", name, _TASKS)
    return (_TASKS[name].__doc__ or "").splitlines()[0]


def get(name: str, source: Call) -> Call:
    """The task ``name`` on ``source``, as a call; raises UnknownName."""
    if name not in _TASKS:
        raise UnknownName("task", name, _TASKS)
    return _TASKS[name](source)
