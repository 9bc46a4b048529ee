"""Digital patients as a cohort: two scans of each, and what is true of them."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from vesalius.anatomy import BRAIN, DEEP_NUCLEI, LESIONS, DigitalPatients, Tissue, photograph
from vesalius.core.errors import InputError
from vesalius.evaluation.ladder.cohort import Cohort

#: What a reader tells apart, by number in ``Cohort.tissues``.
CLASSES = ("elsewhere", "fluid", "grey matter", "white matter", "lesion")
_CLASS_OF = {
    Tissue.CEREBROSPINAL_FLUID: 1,
    Tissue.VENTRICLE: 1,
    Tissue.GREY_MATTER: 2,
    **dict.fromkeys(DEEP_NUCLEI, 2),
    Tissue.WHITE_MATTER: 3,
    **dict.fromkeys(LESIONS, 4),
}


def digital_cohort(patients: DigitalPatients, *, repeated: bool = True) -> Cohort:
    """The first contrast of all cases: ``images`` is a second scan, ``reference`` the first.

    ``healthy`` is the same patient scanned without lesions; a lesion is possible in brain tissue.
    Without ``repeated``, ``images`` is the first scan, and there is neither reference nor
    ``healthy``: for patients who only teach.
    """
    if not patients.contrasts:
        raise InputError("a contrast", came="none")
    contrast = patients.contrasts[:1]
    classes = torch.zeros(len(Tissue), dtype=torch.int64)
    for tissue, number in _CLASS_OF.items():
        classes[tissue] = number
    brain = torch.zeros(len(Tissue), dtype=torch.bool)
    brain[list(BRAIN)] = True
    shown, first, healthy, truth, names = [], [], [], [], []
    for case in patients.cases():
        patient, grid = patients.locate(case)
        scan = photograph(patient, grid, contrast)
        names.append(case.patient)
        truth.append(torch.stack([scan[name].data for name in ("mask", "tissues")]))
        first.append(scan[contrast[0]].data)
        if not repeated:
            continue
        shown.append(photograph(patient, grid, contrast, repeat=1)[contrast[0]].data)
        if bool(scan["lesion"].data.any()):
            well = replace(patient, tumour=None, lesion_volume_ml=0.0)
            healthy.append(photograph(well, grid, contrast, repeat=1)[contrast[0]].data)
        else:
            healthy.append(shown[-1])
    mask, tissues = torch.stack(truth, dim=1).long()
    lesion = classes[tissues] == CLASSES.index("lesion")
    spacing = grid.spacing_mm if len(grid.size) == 3 else (*grid.spacing_mm, grid.thickness_mm)
    assert len(spacing) == 3
    assert all(math.isfinite(side) for side in spacing)
    return Cohort(
        images=torch.stack(shown if repeated else first),
        patients=tuple(names),
        reference=torch.stack(first) if repeated else None,
        healthy=torch.stack(healthy) if repeated else None,
        mask=mask > 0,
        lesion=lesion,
        possible=brain[tissues],
        tissues=classes[tissues],
        spacing_mm=(spacing[0], spacing[1], spacing[2]),
    )
