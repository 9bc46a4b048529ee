"""Judge two folders of many PNG files: one pass, gone on with after a kill, shared by processes.

Run ``OMP_NUM_THREADS=1 python benchmarks/evaluate_folders.py --data DIR --work DIR``. Chest X-rays
(PneumoniaMNIST) and head slices (SynthRAD2023) are cropped and resized to 64 x 64, blurred to make
the generated folder, and written as ``--n`` PNG files a folder. ``vesalius evaluate`` then judges
them: by one process, with every opening of a file counted; by one that is killed half-way and gone
on with; by two processes; and, where Ray is installed, by a cluster of two local nodes of one
processor each. All have to find the same numbers, to the last digit. What is done is not done
again. Writes ``benchmarks/results/evaluate_folders.json``.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")  # read when NumPy is imported

import numpy as np  # noqa: E402
import PIL.Image  # noqa: E402
import torch  # noqa: E402
from scipy import ndimage  # noqa: E402

from vesalius.core.files import write_atomically  # noqa: E402
from vesalius.runner.folders import evaluate_folders  # noqa: E402
from vesalius.runner.parts import PARTS  # noqa: E402
from vesalius.runner.workers import Workers  # noqa: E402

RESULT = Path(__file__).parent / "results" / "evaluate_folders.json"
SEED, SIZE = 0, 64
#: Files that hold numbers.
NUMBERS = ("metrics.json", "cases.csv")


def make(data: Path, work: Path, n: int) -> None:
    """Two folders of ``n`` crops each; a crop's twin is blurred and a little brighter."""
    if (work / "made").is_file() and int((work / "made").read_text()) == n:
        return
    shutil.rmtree(work, ignore_errors=True)
    with np.load(data / "pneumoniamnist" / "pneumoniamnist.npz") as arrays:
        images = list(arrays["train_images"])
    with np.load(data / "synthrad_slices" / "synthrad_slices.npz") as arrays:
        images += [arrays[name] for name in arrays.files if name.endswith(("_ct", "_mr"))]
    for side in ("real", "generated"):
        (work / side).mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    for number in range(n):
        image = images[rng.integers(len(images))]
        least = min(image.shape)
        side = int(rng.integers(int(0.7 * least), least + 1))
        top, left = (int(rng.integers(size - side + 1)) for size in image.shape)
        crop = PIL.Image.fromarray(image[top : top + side, left : left + side])
        real = np.asarray(crop.resize((SIZE, SIZE), PIL.Image.Resampling.BILINEAR), dtype=float)
        twin = ndimage.gaussian_filter(real, 0.8) + 4 + 3 * rng.standard_normal(real.shape)
        for name, values in (("real", real), ("generated", twin)):
            kept = PIL.Image.fromarray(values.round().clip(0, 255).astype(np.uint8))
            kept.save(work / name / f"{number:06d}.png")
    (work / "made").write_text(str(n))


def numbers(out: Path) -> bytes:
    """All that was found, to the last digit."""
    return b"".join((out / name).read_bytes() for name in NUMBERS)


def judge(work: Path, name: str, workers: Workers) -> float:
    """Judge both folders from nothing; seconds by the clock on the wall."""
    out = work / name
    shutil.rmtree(out, ignore_errors=True)
    start = time.perf_counter()
    evaluate_folders(work / "real", work / "generated", out=out, workers=workers, seed=SEED)
    return time.perf_counter() - start


def counted(work: Path) -> dict[str, Any]:
    """One process, every opening of an image counted by Python's own audit of ``open``."""
    opened: Counter[str] = Counter()
    counting = True

    def hook(event: str, given: tuple[Any, ...]) -> None:
        if counting and event == "open" and str(given[0]).endswith(".png"):
            opened[str(given[0])] += 1

    sys.addaudithook(hook)
    before = time.process_time()
    seconds = judge(work, "one", Workers())
    spent = time.process_time() - before
    counting = False
    often = Counter(opened.values())
    return {
        "seconds": seconds,
        "processor": spent,
        "files": len(opened),
        "files opened once": often[1],
        "openings beyond one a file": sum(opened.values()) - len(opened),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10,
    }


def killed(work: Path) -> dict[str, Any]:
    """A command that is killed when half of the parts are there, then the same command again."""
    out = work / "killed"
    shutil.rmtree(out, ignore_errors=True)
    total = len(list((work / "one" / PARTS).glob("*.npz")))
    given = [sys.executable, "-m", "vesalius.cli", "evaluate", work / "real", work / "generated"]
    command = [*map(str, given), "--output", str(out)]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while (kept := len(list((out / PARTS).glob("*.npz")))) < total // 2:
        if process.poll() is not None:
            raise SystemExit("the evaluation ended before it could be killed")
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    first = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return {"parts": total, "kept": kept, "first": first, "then": time.perf_counter() - start}


def two_nodes(work: Path) -> float | None:
    """Seconds by a cluster of two local nodes of one processor; None without Ray."""
    if importlib.util.find_spec("ray") is None:
        return None
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        return judge(work, "nodes", Workers(ray=cluster.address))
    finally:
        cluster.shutdown()


def step(work: Path, name: str) -> None:
    """One measurement in a process of its own, kept in a file."""
    found: Any
    if name == "one":
        found = counted(work)
    elif name == "killed":
        found = killed(work)
    elif name == "processes":
        found = judge(work, "processes", Workers(2))
    else:
        found = two_nodes(work)
    write_atomically(work / f"{name}.json", json.dumps(found).encode())


def rows(work: Path, n: int, found: dict[str, Any]) -> list[tuple[str, Any, str]]:
    """What is told, checked first."""
    whole = numbers(work / "one")
    same = {
        name: numbers(work / name) == whole
        for name in ("killed", "processes", "nodes")
        if found[name] is not None
    }
    if not all(same.values()):
        raise SystemExit(f"numbers differ: {same}")
    one, half = found["one"], found["killed"]
    if one["files"] != 2 * n:
        raise SystemExit(f"{one['files']} files were opened of {2 * n}")
    told = [
        ("PNG files a folder, 64 x 64", n, "files"),
        ("one process: time", one["seconds"], "s"),
        ("one process: time of the processor", one["processor"], "s"),
        ("one process: time a pair", 1000 * one["seconds"] / n, "ms"),
        ("one process: largest memory", one["memory"], "MiB"),
        ("files opened exactly once", one["files opened once"], "files"),
        ("openings beyond one a file (the first image, pictures)",
         one["openings beyond one a file"], "openings"),
        ("killed: parts kept", half["kept"], "parts"),
        ("killed: parts in all", half["parts"], "parts"),
        ("killed: time until then", half["first"], "s"),
        ("killed: time of the second call", half["then"], "s"),
        ("killed: numbers as of one process", 1, "yes"),
        ("two processes: time", found["processes"], "s"),
        ("two processes: times as fast as one", one["seconds"] / found["processes"], "1"),
        ("two processes: numbers as of one", 1, "yes"),
    ]  # fmt: skip
    if found["nodes"] is not None:
        told += [
            ("Ray, two local nodes: time", found["nodes"], "s"),
            ("Ray, two local nodes: times as fast as one process",
             one["seconds"] / found["nodes"], "1"),
            ("Ray, two local nodes: numbers as of one process", 1, "yes"),
        ]  # fmt: skip
    return told


def main() -> None:
    """Make, measure, check and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder of real data")
    parser.add_argument("--work", type=Path, default=Path("runs/evaluate_folders"))
    parser.add_argument("--n", type=int, default=10_000, help="files a folder")
    parser.add_argument("--out", type=Path, default=RESULT)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    given = parser.parse_args()
    work = given.work.absolute()
    torch.set_num_threads(1)
    if given.step:
        step(work, given.step)
        return
    load = os.getloadavg()[0]
    make(given.data, work, given.n)
    found: dict[str, Any] = {}
    for name in ("one", "processes", "nodes", "killed"):
        if not (work / f"{name}.json").is_file():
            again = [sys.executable, __file__, "--data", given.data, "--work", work, "--step", name]
            subprocess.run([str(word) for word in again], check=True)
        found[name] = json.loads((work / f"{name}.json").read_text())
        print(f"{time.strftime('%H:%M:%S')} {name}: {found[name]}", flush=True)
    told = rows(work, given.n, found)
    result = {
        "benchmark": "evaluate_folders",
        "seed": SEED,
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "load_before": round(load, 2),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
        },
        "rows": [{"name": name, "value": value, "unit": unit} for name, value, unit in told],
    }
    write_atomically(given.out, (json.dumps(result, indent=1) + "\n").encode())
    for name, number, unit in told:
        print(f"{name}: {number if unit == 'yes' else format(number, '.4g')} {unit}")


if __name__ == "__main__":
    main()
