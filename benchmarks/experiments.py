"""Run the experiments on real patients: ``--data ../shared/data``.

A. modality translation, B. reconstruction, C. clinical value, D. the seven families, E.
their networks. Every line of
EXPERIMENTS is one run folder below ``--runs``; runs go on where they were stopped. ``--only`` picks
lines by their name, so that several processes can share the work. Records of judged runs are
collected into ``benchmarks/results/experiment-<letter>.json``.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path

import torch

from vesalius import recipes
from vesalius.core.record import Record, write_records
from vesalius.runner.run import Run, prepared
from vesalius.training.fit import Engine

RESULTS = Path(__file__).parent / "results"


@dataclasses.dataclass(frozen=True)
class Line:
    """One run of an experiment; without ``task`` on the recipe's own."""

    experiment: str
    recipe: str
    task: str | None
    data: str | None
    steps: int
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def name(self) -> str:
        """Of its run folder."""
        return "-".join(part for part in (self.experiment, self.recipe, self.task) if part)


DIGITAL = (("task.source.n", "240"),)
#: One CT slice in four of those that the task would take.
FEWER_SLICES = (("task.slices", "4"),)
#: X-rays have a network of their own, and so have the students of its diffusion model.
XRAY_NETWORK = (("networks.network.width", "48"), ("networks.network.multipliers", "[1, 2]"))
XRAY_STUDENT = (
    *XRAY_NETWORK,
    ("networks.teacher.width", "48"),
    ("networks.teacher.multipliers", "[1, 2]"),
    ("starts.teacher.run", "{runs}/d-unconditional-diffusion-xrays"),
)
EXPERIMENTS = (
    Line("a", "unet-regression", "mr-to-ct", "synthrad_slices", 900),
    Line("a", "pix2pix", "mr-to-ct", "synthrad_slices", 1500),
    Line("c", "segguideddiff", "hippocampus-from-mask", "hippocampus", 900),
    Line("c", "spade-gan", "hippocampus-from-mask", "hippocampus", 350),
    Line("b", "mri-diffusion", "mri-4x", "synthrad_slices", 500),
    Line("b", "wang-2019", "mri-4x", "synthrad_slices", 700),
    Line("a", "cyclegan", "mr-to-ct", "synthrad_slices", 700),
    Line("a", "conditional-diffusion", "mr-to-ct", "synthrad_slices", 900),
    Line("b", "mri-diffusion", "mri-4x-equispaced", "synthrad_slices", 500),
    Line("b", "wang-2019", "mri-4x-equispaced", "synthrad_slices", 400),
    Line("a", "demo", None, None, 900),
    Line("a", "unet-regression", "t1-to-t2", None, 400, DIGITAL),
    Line("a", "pix2pix", "t1-to-t2", None, 600, DIGITAL),
    Line("a", "cyclegan", "t1-to-t2", None, 400, DIGITAL),
    Line("d", "unconditional-diffusion", "mr-slices", "synthrad_slices", 3000),
    Line("d", "unconditional-diffusion", "xrays", "pneumoniamnist", 5000, XRAY_NETWORK),
    Line("d", "ddpm", "xrays", "pneumoniamnist", 1500, (*XRAY_NETWORK, ("sampler.steps", "100"))),
    Line("d", "txurio-2023", "ct-slices", "openkbp", 2000, FEWER_SLICES),
    Line("d", "beta-vae", "mr-slices", "synthrad_slices", 1500),
    Line("d", "vae-gan", "mr-slices", "synthrad_slices", 350),
    Line("d", "vq-vae", "mr-slices", "synthrad_slices", 1000),
    Line("d", "cvae", "xray-from-class", "pneumoniamnist", 2500),
    Line(
        "d",
        "drdm",
        "hippocampus-variants",
        "hippocampus",
        2500,
        (("task.matrix", "[44, 60]"), ("task.slices", "3")),
    ),
    Line("d", "corediff", "ct-low-dose", "openkbp", 900, (*FEWER_SLICES, ("task.neighbours", "1"))),
    Line("d", "pfgm-plus-plus", "ct-low-dose", "openkbp", 1000, FEWER_SLICES),
    Line("d", "partdiff", "mr-super-resolution-4x", "synthrad_slices", 1200),
    Line("d", "consistency-distillation", "xrays", "pneumoniamnist", 800, XRAY_STUDENT),
    Line("d", "progressive-distillation", "xrays", "pneumoniamnist", 800, XRAY_STUDENT),
    Line("e", "dcgan", "xrays", "pneumoniamnist", 1780),
    Line("e", "vm-ddpm", "xrays", "pneumoniamnist", 1100),
    Line(
        "e",
        "gh-ddm",
        "xrays",
        "pneumoniamnist",
        390,
        (("networks.network.patch", "2"), ("budget.batch_size", "32"), ("sampler.steps", "50")),
    ),
    Line("e", "ha-gan", "hippocampus-volumes", "hippocampus", 530),
    Line("e", "medicaldiffusion", "hippocampus-volumes", "hippocampus", 450),
    Line(
        "e",
        "ddpm-3d",
        "hippocampus-volumes",
        "hippocampus",
        190,
        (("sampler.steps", "50"),),
    ),
    Line(
        "e",
        "medformer",
        "hippocampus-segmentation",
        "hippocampus",
        410,
        (
            ("networks.network.width", "8"),
            ("budget.batch_size", "1"),
            ("optimiser.rate", "2e-3"),
        ),
    ),
    Line("e", "medmamba", "xray-classification", "pneumoniamnist", 770),
    Line("e", "swinmr", "mri-4x", "synthrad_slices", 230),
    Line("e", "resvit", "mr-to-ct", "synthrad_slices", 70),
)


class Lines:
    """Progress as plain lines, at most one in ten seconds."""

    def __init__(self, name: str) -> None:
        self.name, self.of, self.total, self.said = name, "", 0, 0.0

    def stage(self, name: str, total: int) -> None:
        """Print that a stage begins."""
        self.of, self.total = name, total
        print(f"{time.strftime('%H:%M:%S')} {self.name}: {name}", flush=True)

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        """Print how far it is."""
        if time.monotonic() - self.said > 10:
            self.said = time.monotonic()
            print(f"  {self.of} {done}/{total or self.total} {note}", flush=True)


def run_line(line: Line, data: Path, runs: Path, seed: int) -> None:
    """Run one line to its report."""
    folder = runs / line.name
    if (folder / "run.json").is_file():
        run = Run.open(folder)
    else:
        recipe = prepared(
            recipes.get(line.recipe),
            data=data / line.data if line.data else None,
            task=line.task,
            steps=line.steps,
            settings={key: value.format(runs=runs) for key, value in line.settings},
        )
        run = Run.create(recipe, folder, seed=seed, engine=Engine(accelerator="auto"))
    if run.status != "reported":
        run.go(watch=Lines(line.name))


def collect(runs: Path) -> None:
    """Write the records of all judged runs, a file an experiment."""
    for letter in sorted({line.experiment for line in EXPERIMENTS}):
        found: list[Record] = []
        for line in EXPERIMENTS:
            path = runs / line.name
            if line.experiment == letter and (path / "metrics.json").is_file():
                found += Run.open(path).records()
        if found:
            write_records(RESULTS / f"experiment-{letter}.json", found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("runs/experiments"))
    parser.add_argument("--only", nargs="*", default=[line.name for line in EXPERIMENTS])
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--collect", action="store_true", help="only collect what was judged")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if not given.collect:
        for line in EXPERIMENTS:
            if line.name in given.only:
                run_line(line, given.data, given.runs, given.seed)
    collect(given.runs)


if __name__ == "__main__":
    main()
