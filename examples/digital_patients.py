"""Draw digital patients: a montage of six contrasts, one patient growing old, one tumour growing.

Run it with ``python examples/digital_patients.py [montage.png]``; it takes seconds.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from vesalius.anatomy import DigitalPatients, Grid, draw_patient, grow, later, photograph
from vesalius.core import Image

WINDOWS = {
    "t1": (0.0, 1.7),
    "t2": (0.0, 1.0),
    "flair": (0.0, 1.7),
    "pd": (0.2, 1.2),
    "ct": (-20.0, 90.0),
    "pet": (0.0, 11.0),
    "tissues": (0.0, 17.0),
}


def show(axes: Axes, image: Image, name: str, title: str = "") -> None:
    low, high = WINDOWS[name]
    colours = {"pet": "gray_r", "tissues": "nipy_spectral"}.get(name, "gray")
    axes.imshow(image.data[0], cmap=colours, vmin=low, vmax=high)
    axes.set_title(title, fontsize=8)


def main(path: Path) -> None:
    source = DigitalPatients(n=3, size=(192, 192), lesions="mixed")
    figure, rows = plt.subplots(5, 7, figsize=(14, 10.5))
    for axes in rows.flat:
        axes.axis("off")
    for row, case in zip(rows, source.cases(), strict=False):
        images = source.read(case)
        for axes, name in zip(row, WINDOWS, strict=True):
            show(axes, images[name], name, f"{case.identifier}, site {case.site}: {name}")

    grid = Grid.of((192, 192), (216.0, 216.0), 18.0)
    young = replace(draw_patient(7, 0), age_years=25.0, lesion_volume_ml=1.5)
    for axes, years in zip(rows[3], range(0, 70, 10), strict=True):
        visit = later(young, float(years))
        show(axes, photograph(visit, grid, ("t1",))["t1"], "t1", f"{visit.age_years:.0f} years")

    ill = draw_patient(7, 1, lesions="tumour")
    assert ill.tumour is not None
    young_tumour = replace(ill, tumour=replace(ill.tumour, age_days=120.0))
    height = ill.tumour.seed_mm[2]
    grid = Grid.of((192, 192), (216.0, 216.0), height)
    for axes, days in zip(rows[4], range(0, 420, 60), strict=True):
        visit = grow(young_tumour, float(days))
        show(axes, photograph(visit, grid, ("flair",))["flair"], "flair", f"{120 + days} days")

    figure.tight_layout(pad=0.3)
    figure.savefig(path, dpi=90)
    print(f"wrote {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("digital_patients.png"))
