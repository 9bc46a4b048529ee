"""Which level of judgement notices which planted fault, from which severity on.

Run ``OMP_NUM_THREADS=1 python benchmarks/corruption_ladder.py`` (about ten minutes on one core).
Digital patients carry the truth: two scans of each, tissues, lesions, and the same patient without
them. ``--xrays PATH`` adds real chest X-rays (PneumoniaMNIST). Patients are of four kinds that
never mix: those who train readers and are copied, those whom sets are compared with, those who are
corrupted, and those who count false alarms. Writes ``benchmarks/results/corruption_ladder.json``,
pictures of the rungs beside it, and what the package ships of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # read when NumPy is imported

import numpy as np  # noqa: E402
import torch  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from vesalius.anatomy import DigitalPatients  # noqa: E402
from vesalius.core.files import write_atomically  # noqa: E402
from vesalius.core.rng import numpy_stream  # noqa: E402
from vesalius.data.sources import MedMNIST  # noqa: E402
from vesalius.evaluation.ladder import (  # noqa: E402
    Cohort,
    Corruption,
    Ladder,
    corruption_ladder,
    reference,
    standard_corruptions,
    standard_judges,
)
from vesalius.evaluation.ladder.class_reader import ClassReadings, SideReadings  # noqa: E402
from vesalius.evaluation.ladder.digital import CLASSES, digital_cohort  # noqa: E402
from vesalius.evaluation.ladder.judge import Judge  # noqa: E402
from vesalius.evaluation.ladder.lesion_template import lesion_templates  # noqa: E402
from vesalius.evaluation.ladder.readings import (  # noqa: E402
    LEAST_VOXELS,
    LabelReadings,
    LesionReadings,
)
from vesalius.evaluation.ladder.reference import reference_text  # noqa: E402
from vesalius.evaluation.ladder.voxel_reader import trained_reader  # noqa: E402
from vesalius.metrics.clinical import (  # noqa: E402
    BrainVolumeError,
    Dice,
    LesionDetectionF1,
    VolumeError,
)
from vesalius.metrics.feature import EfficientNetLite0Features  # noqa: E402

RESULTS = Path(__file__).parent / "results"
XRAYS = Path(__file__).parents[2] / "shared" / "data" / "pneumoniamnist" / "pneumoniamnist.npz"
REFERENCE = Path(reference.__file__).with_name(reference.FILE)
SEED, SIZE = 0, 64
FLAIR = (0.0, 2.0)
EIGHT_BIT = (0.0, 255.0)
#: Side at which the ImageNet network sees the images; 224 takes four times as long.
NETWORK_SIZE = 112
LESION = CLASSES.index("lesion")


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


def digital(n: int, seed: int, *, repeated: bool) -> Cohort:
    """Axial FLAIR slices: a third of the patients without lesions, with some, with a tumour."""
    return digital_cohort(
        DigitalPatients(n=n, size=(SIZE, SIZE), seed=seed, contrasts=("flair",), lesions="mixed"),
        repeated=repeated,
    )


def clinical_judges(training: Cohort, steps: int) -> tuple[Judge, ...]:
    """Two readers: one learnt from patients, one also from lesions put anywhere."""
    say("train the readers")
    reader = trained_reader(training, FLAIR, lesion=LESION, steps=steps, seed=SEED)
    blind = trained_reader(
        training,
        FLAIR,
        lesion=LESION,
        anywhere=lesion_templates(training),
        steps=steps,
        seed=SEED + 1,
    )
    labels = LabelReadings(
        reader,
        (
            *(Dice(k, CLASSES[k]) for k in range(1, len(CLASSES))),
            BrainVolumeError((2, 3, LESION)),
            VolumeError(LESION, "lesion", training.spacing_mm),
            LesionDetectionF1(LESION, "lesion", least_voxels=LEAST_VOXELS),
        ),
    )
    of, of_blind = "a reader trained on patients", "a reader blind to place"
    names = [
        *(f"dice of {name}" for name in CLASSES[1:]),
        "brain volume error",
        "lesion volume error",
        "lesion detection F1",
    ]
    return (
        *labels.judges(names, of),
        *LesionReadings(reader, training).judges((0, 1, 2, 3, 4), of),
        *LesionReadings(blind, training).judges((2, 4, 5), of_blind),
    )


def digital_ladder(scale: float, patients_a_set: int, sets: int) -> tuple[Ladder, Any]:
    """The ladder on digital patients, and what its pictures need."""
    count = {"train": 300, "real": 200, "judged": 400, "control": 400}
    count = {name: max(2 * patients_a_set, int(scale * n)) for name, n in count.items()}
    say(f"draw patients {count}")
    training = digital(count["train"], SEED, repeated=False)
    real = digital(count["real"], SEED + 1, repeated=False)
    judged = digital(count["judged"], SEED + 2, repeated=True)
    control = digital(count["control"], SEED + 3, repeated=True)
    judges = (
        *standard_judges(
            training,
            real,
            FLAIR,
            unit="a.u.",
            extractors=(EfficientNetLite0Features(FLAIR, size=NETWORK_SIZE),),
        ),
        *clinical_judges(training, steps=int(400 * max(scale, 0.25))),
    )
    corruptions = standard_corruptions(training, FLAIR)
    ladder = corruption_ladder(
        judged,
        judges,
        corruptions,
        patients_a_set=patients_a_set,
        real_sets=sets,
        control=control,
        seed=SEED,
        watch=say,
    )
    return ladder, (judged, corruptions, count)


def xray_cohort(path: Path, part: str, least: int, most: int) -> Cohort:
    source = MedMNIST(path)
    cases = [case for case in source.cases() if case.identifier.startswith(part)]
    order = numpy_stream(SEED, "ladder", "xrays", part).permutation(len(cases))
    cases = [cases[k] for k in order[least:most]]
    return Cohort(
        images=torch.stack([source.read(case)["image"].data.float() for case in cases]),
        patients=tuple(case.patient for case in cases),
        label=torch.tensor([int(case.covariates["label"]) for case in cases]),
    )


def xray_ladder(path: Path, scale: float, patients_a_set: int, sets: int) -> tuple[Ladder, Any]:
    """The ladder on real chest X-rays, of which there is one image a patient and no outline."""
    parts = {"train": 600, "real": 200, "judged": 600, "control": 400}
    count = {name: max(2 * patients_a_set, int(scale * n)) for name, n in parts.items()}
    say(f"read X-rays {count}")
    cohorts, first = [], 0
    for n in count.values():
        cohorts.append(xray_cohort(path, "train", first, first + n))
        first += n
    training, real, judged, control = cohorts
    of = f"logistic regression on {len(training)} images"
    judges = (
        *standard_judges(
            training,
            real,
            EIGHT_BIT,
            extractors=(EfficientNetLite0Features(EIGHT_BIT, size=NETWORK_SIZE),),
        ),
        *ClassReadings(training, EIGHT_BIT).judges(of),
        SideReadings(training, EIGHT_BIT).judge(of),
    )
    corruptions = standard_corruptions(training, EIGHT_BIT)
    ladder = corruption_ladder(
        judged,
        judges,
        corruptions,
        patients_a_set=patients_a_set,
        real_sets=sets,
        control=control,
        seed=SEED,
        watch=say,
    )
    return ladder, (judged, corruptions, count)


def pictures(
    cohort: Cohort, corruptions: tuple[Corruption, ...], limits: tuple[float, float], row: int
) -> NDArray[np.uint8]:
    """One patient: a line a corruption, from the image as it was to the greatest severity."""
    from PIL import Image, ImageDraw

    columns = 1 + max(len(corruption.severities) for corruption in corruptions)
    side, label = 96, 150
    sheet = Image.new("L", (label + columns * side, len(corruptions) * side), 255)
    pen = ImageDraw.Draw(sheet)
    for line, corruption in enumerate(corruptions):
        pen.text((4, line * side + side // 2 - 6), corruption.name, fill=90)
        patient = cohort.take([row])
        shown = [patient.images[0, 0]]
        for severity in corruption.severities:
            rng = numpy_stream(SEED, "ladder", "picture", corruption.name)
            amount = 1.0 if corruption.severity_unit.startswith("of the patients") else severity
            shown.append(corruption.applies(patient, amount, rng).images[0, 0])
            if amount != severity:
                break
        for column, image in enumerate(shown):
            grey = ((image.numpy() - limits[0]) / (limits[1] - limits[0])).clip(0, 1)
            tile = Image.fromarray((255 * grey).astype(np.uint8)).resize((side - 4, side - 4))
            sheet.paste(tile, (label + column * side, line * side + 2))
    return np.asarray(sheet)


def brightest_lesion(cohort: Cohort) -> int:
    """A patient with a lesion of middling size, to be shown."""
    assert cohort.lesion is not None
    sizes = cohort.lesion.flatten(1).sum(dim=1).numpy()
    return int(np.argsort(sizes)[int(0.85 * len(sizes))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xrays", type=Path, default=XRAYS)
    parser.add_argument("--scale", type=float, default=1.0, help="less for a trial")
    parser.add_argument("--patients", type=int, default=40, help="of a set")
    parser.add_argument("--sets", type=int, default=500, help="uncorrupted ones")
    parser.add_argument("--out", type=Path, default=RESULTS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    from PIL import Image

    ladders: dict[str, Any] = {}
    begin = time.process_time()
    found, (judged, corruptions, count) = digital_ladder(
        options.scale, options.patients, options.sets
    )
    ladders["digital patients"] = {
        "images": f"axial FLAIR slices of digital patients, {SIZE}x{SIZE}",
        "patients": count,
        "ladder": found.to_json(),
    }
    sheet = pictures(judged, corruptions, FLAIR, brightest_lesion(judged))
    options.out.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet).save(options.out / "corruption_ladder_digital.png", optimize=True)
    if options.xrays.exists():
        found, (judged, corruptions, count) = xray_ladder(
            options.xrays, options.scale, options.patients, options.sets
        )
        ladders["chest X-rays"] = {
            "images": "chest X-rays of PneumoniaMNIST, 28x28",
            "patients": count,
            "ladder": found.to_json(),
        }
        sheet = pictures(judged, corruptions, EIGHT_BIT, 0)
        Image.fromarray(sheet).save(options.out / "corruption_ladder_xrays.png", optimize=True)
    else:
        say("no X-rays: digital patients alone")
    result = {
        "benchmark": "corruption_ladder",
        "seed": SEED,
        "network_size": NETWORK_SIZE,
        "cpu_seconds": round(time.process_time() - begin),
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
        },
        "ladders": ladders,
    }
    text = json.dumps(result, separators=(",", ":"), allow_nan=False)
    write_atomically(options.out / "corruption_ladder.json", (text + "\n").encode())
    measured = {name: Ladder.from_json(one["ladder"]) for name, one in ladders.items()}
    shipped = REFERENCE if options.out == RESULTS else options.out / REFERENCE.name
    write_atomically(shipped, reference_text(measured).encode())


if __name__ == "__main__":
    main()
