"""Judge images that "some other software" drew: write two folders, compare them, read the records.

The other software is a blur: it loses texture and keeps the mean, which the levels see differently.
Run it with ``python examples/judge_two_folders.py``; it takes seconds.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from torch.nn.functional import avg_pool2d

import vesalius
from vesalius.anatomy import DigitalPatients
from vesalius.core.record import read_records


def main(folder: Path) -> None:
    source = DigitalPatients(n=14, size=(64, 64))
    for case in source.cases():
        images = source.read(case)
        image, mask = images["ct"], images["mask"]
        blurred = avg_pool2d(image.data[None], 3, stride=1, padding=1)[0]
        name = f"{case.identifier}.nii.gz"
        vesalius.write_image(folder / "real" / name, image)
        vesalius.write_image(folder / "masks" / name, mask)
        drawn = replace(image, data=blurred)
        vesalius.write_image(folder / "blurred" / name, drawn)

    report = vesalius.evaluate(
        folder / "real", folder / "blurred", mask=folder / "masks", out=folder / "judged", unit="HU"
    )
    for record in read_records(report.parent / "metrics.json"):
        interval = f" ({record.low:.4g} to {record.high:.4g})" if record.low is not None else ""
        floor = f", real against real {record.floor:.4g}" if record.floor is not None else ""
        print(
            f"{record.level:>8} {record.metric}: {record.value:.4g} {record.unit}{interval}{floor}"
        )
    assert report.is_file()


if __name__ == "__main__":
    with TemporaryDirectory() as place:
        main(Path(place))
