"""Judge what software that is not ours made of the data at hand, under every named protocol.

Run ``OMP_NUM_THREADS=1 python benchmarks/protocols.py --data DIR --work DIR`` (about ten minutes
on one core). Each protocol gets a folder of real images and one of what scikit-image, scikit-learn,
SciPy or NumPy made (``protocol_folders.py``), and both go through ``vesalius evaluate``, two of
them as a command of its own. What is done is not done again. **The data are hardly ever the
protocol's own**: every row of ``benchmarks/results/protocols.json`` says what departs from it, so
these numbers show that the protocols run end to end, and compare with nothing published.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # read when NumPy is imported

import torch  # noqa: E402
from protocol_folders import ALL, SEED, Folders  # noqa: E402

from vesalius.core.files import write_atomically  # noqa: E402
from vesalius.core.record import Record, read_records  # noqa: E402
from vesalius.evaluation import protocols  # noqa: E402
from vesalius.evaluation.protocols.medmnist_augmentation import (  # noqa: E402
    MedmnistAugmentation,
)
from vesalius.runner.folder_study import run_study  # noqa: E402
from vesalius.runner.folders import evaluate_folders  # noqa: E402
from vesalius.runner.run import Silent  # noqa: E402

RESULT = Path(__file__).parent / "results" / "protocols.json"
#: Judged by a command as a user types it.
BY_COMMAND = ("synthrad2023", "ldct-bench-neuro")
#: The study's arms at its own seeds, but two fractions of four and 60 steps of 150.
SMALLER_STUDY = MedmnistAugmentation(fractions=(0.05, 1.0), steps=60)
SMALLER = "the study is cut: 5 % and 100 % of the training images, 60 steps instead of 150"


def made(one: Folders, data: Path, work: Path) -> Path:
    """The pair of folders, made whole or not at all."""
    folder = work / one.protocol
    if not folder.is_dir():
        unfinished = work / f"{one.protocol}.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        one.make(data, unfinished)
        unfinished.rename(folder)
    return folder


def arguments(one: Folders, folder: Path) -> tuple[Path, Path, dict[str, Any]]:
    """What ``vesalius evaluate`` is given."""
    real = folder / "real"
    if one.protocol == SMALLER_STUDY.name:
        (real,) = real.iterdir()
    options: dict[str, Any] = {"protocol": one.protocol, **one.options}
    if one.masks:
        options["mask"] = str(folder / "mask")
    return real, folder / "generated", options


def judged(one: Folders, folder: Path, *, whole: bool) -> float:
    """Judge a pair of folders; seconds. Keeps what is there already."""
    real, generated, options = arguments(one, folder)
    smaller = one.protocol == SMALLER_STUDY.name and not whole
    out, clock = folder / "judged", folder / ("seconds-smaller.json" if smaller else "seconds.json")
    if clock.is_file():
        return float(json.loads(clock.read_text()))
    start = time.perf_counter()
    if smaller:
        run_study(SMALLER_STUDY, real, generated, out, SEED, Silent())
    elif one.protocol in BY_COMMAND:
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        command = [sys.executable, "-m", "vesalius.cli", "evaluate", real, generated, *words]
        subprocess.run([*map(str, command), "--output", str(out)], check=True)
    else:
        evaluate_folders(real, generated, out=out, seed=SEED, **options)
    seconds = round(time.perf_counter() - start, 1)
    write_atomically(clock, json.dumps(seconds).encode())
    return seconds


def row(one: Folders, record: Record, seconds: float, deviates: str) -> dict[str, Any]:
    """A measured number with all that has to be said of it."""
    return {
        "protocol": one.protocol,
        "metric": record.metric,
        "value": record.value,
        "unit": record.unit,
        "low": record.low,
        "high": record.high,
        "n": record.n,
        "direction": record.direction,
        "level": record.level,
        "floor": record.floor,
        "group": record.group,
        "method": record.recipe,
        "note": record.note,
        "data": one.data,
        "software": one.software,
        "deviates": deviates,
        "settings": record.protocol,
        "judged by": "command line" if one.protocol in BY_COMMAND else "Python",
        "seconds to judge the folders": seconds,
    }


def main() -> None:
    """Make, judge, write."""
    known = [one.protocol for one in ALL]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of real data")
    parser.add_argument("--work", type=Path, default=Path("runs/protocols"))
    parser.add_argument(
        "--whole-study", action="store_true", help="medmnist-augmentation at its own size, not cut"
    )
    parser.add_argument("--only", nargs="*", choices=known, help="protocols; nothing is written")
    chosen = parser.parse_args()
    missing = set(protocols.names()) ^ set(known)
    if missing:
        raise SystemExit(f"protocols without folders, or folders without protocol: {missing}")
    torch.set_num_threads(1)
    rows: list[dict[str, Any]] = []
    for one in ALL:
        if chosen.only and one.protocol not in chosen.only:
            continue
        start = time.process_time()
        folder = made(one, chosen.data, chosen.work)
        seconds = judged(one, folder, whole=chosen.whole_study)
        cut = one.protocol == SMALLER_STUDY.name and not chosen.whole_study
        records = read_records(folder / "judged" / "metrics.json")
        rows += [row(one, record, seconds, SMALLER if cut else one.deviates) for record in records]
        spent = time.process_time() - start
        print(f"{time.strftime('%H:%M:%S')} {one.protocol}: {len(records)} numbers, {spent:.0f} s",
              flush=True)  # fmt: skip
    if chosen.only:
        return
    result = {
        "benchmark": "protocols",
        "seed": SEED,
        "says": "protocols run end to end on other data than their own; nothing here compares with "
        "published numbers but for what 'deviates' allows",
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
        },
        "rows": rows,
    }
    write_atomically(RESULT, (json.dumps(result, indent=1) + "\n").encode())
    print(f"{len(rows)} numbers of {len(known)} protocols in {RESULT}")


if __name__ == "__main__":
    main()
