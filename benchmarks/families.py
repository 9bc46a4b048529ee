"""The seven families side by side: same data, about as many parameters, the same time.

Every line is one run: a family on a data set with a seed. How many steps it trains follows from its
own speed: the processor time of a step is measured first, so that all lines spend the same. X-rays
(three seeds), MR slices and hippocampus volumes are real; ``kinds`` are digital patients of ten
known kinds, of which a rule says which ones the draws have, and whether a marker half an image away
says what the lesion is (see ``vesalius.anatomy.known_kinds``). Lines resume. ``--collect`` writes
``benchmarks/results/families.json`` and ``families_<data>.png``, a row of draws a family, from all
runs that are judged, and their records as ``experiment-families.json``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from experiments import Lines
from PIL import Image as Picture
from torch import Tensor

from vesalius import recipes
from vesalius.anatomy import KINDS, KnownKinds, read_kinds, shares
from vesalius.core.call import Call
from vesalius.core.files import write_atomically
from vesalius.core.recipe import Recipe
from vesalius.core.record import write_records
from vesalius.core.rng import torch_stream
from vesalius.data.split import SplitRule
from vesalius.evaluation.agreement import METRIC as AGREEMENT
from vesalius.generative.system import System
from vesalius.networks import count_parameters
from vesalius.runner.machine import describe_machine
from vesalius.runner.run import Run, prepared
from vesalius.tasks.task import collate
from vesalius.tasks.unconditional import ImageSynthesis
from vesalius.training.fit import Engine

RESULTS = Path(__file__).parent / "results"
#: Steps whose time is taken, after some that do not count.
TIMED, WARM = 12, 4
#: Draws shown of each family.
SHOWN = 10
Settings = dict[str, str]


@dataclasses.dataclass(frozen=True)
class Data:
    """A data set: task, folder of the real ones, processor seconds of a run, seeds."""

    task: str
    folder: str | None
    seconds: float
    seeds: int = 1


DATA = {
    "xrays": Data("xrays", "pneumoniamnist", 180, seeds=3),
    "mr-slices": Data("mr-slices", "synthrad_slices", 180),
    "hippocampus": Data("hippocampus-volumes", "hippocampus", 300),
    "kinds": Data("", None, 150),
}
UNET = {"networks.network.width": "24", "networks.network.multipliers": "[1, 2, 4]"}
#: Patches of 2 x 2 were tried: a third of the steps fit in the time.
TOKENS = {"networks.network.patch": "4", "budget.batch_size": "32"}
VECTOR = {
    "networks.encoder.multipliers": "[1, 2, 4, 4, 4, 4]",
    "networks.decoder.multipliers": "[1, 2, 4, 4, 4, 4]",
    "objective.beta": "1.0",
}


def widths(number: int, *names: str) -> Settings:
    """The width of some networks."""
    return {f"networks.{name}.width": str(number) for name in names}


@dataclasses.dataclass(frozen=True)
class Family:
    """A family's recipe; settings by data set, "" for all; recipes and tasks of its own by data."""

    recipe: str
    settings: dict[str, Settings]
    tasks: dict[str, str] = dataclasses.field(default_factory=dict)
    absent: tuple[str, ...] = ()
    recipes: dict[str, str] = dataclasses.field(default_factory=dict)


FAMILIES: dict[str, Family] = {
    "VAE": Family(
        "beta-vae",
        {
            "": VECTOR,
            "xrays": widths(12, "encoder", "decoder"),
            "kinds": widths(12, "encoder", "decoder"),
            "mr-slices": widths(12, "encoder", "decoder")
            | {
                "networks.encoder.multipliers": "[1, 2, 3, 4, 4, 4, 4]",
                "networks.decoder.multipliers": "[1, 2, 3, 4, 4, 4, 4]",
            },
            "hippocampus": widths(16, "encoder", "decoder")
            | {
                "networks.encoder.patch": "2",
                "networks.decoder.patch": "2",
                "networks.encoder.multipliers": "[1, 2, 2, 2, 2]",
                "networks.decoder.multipliers": "[1, 2, 2, 2, 2]",
                "budget.batch_size": "8",
            },
        },
    ),
    "diffusion": Family(
        "unconditional-diffusion",
        {
            "": UNET,
            "hippocampus": widths(16, "network") | {"budget.batch_size": "8"},
        },
    ),
    "Transformer": Family(
        "dit",
        {
            "": widths(88, "network") | TOKENS,
            "mr-slices": {"budget.batch_size": "16"},
            "hippocampus": {"budget.batch_size": "8"},
        },
    ),
    "Mamba": Family(
        "isotropic-mamba-diffusion",
        {
            "": widths(96, "network") | TOKENS,
            "mr-slices": {"budget.batch_size": "16"},
            "hippocampus": {"budget.batch_size": "8"},
        },
    ),
    "autoregressive": Family(
        "vqgan-transformer",
        {
            "": widths(72, "prior"),
            "hippocampus": widths(16, "encoder", "decoder")
            | widths(72, "prior")
            | {"budget.batch_size": "8"},
        },
    ),
    "GAN": Family(
        "stylegan",
        {
            "kinds": {"networks.generator.extent": "32", "networks.critic.extent": "32"},
            "mr-slices": {
                "networks.generator.extent": "64",
                "networks.critic.extent": "64",
                "networks.generator.multipliers": "[1, 2, 2, 4, 4]",
                "networks.critic.multipliers": "[1, 2, 2, 4, 4]",
            },
        },
        recipes={"hippocampus": "stylegan-3d"},
    ),
    "foundation": Family(
        "chest-diffusion",
        {"": widths(80, "network")},
        {"xrays": "xray-from-text"},
        absent=("mr-slices", "hippocampus", "kinds"),  # nobody has written of these images
    ),
}


def kinds_task() -> Call:
    """Images of known kinds, from nothing; no head of the test set trains."""
    return Call(
        ImageSynthesis,
        name="known-kinds",
        phase="diagnosis",
        question="Do draws have all kinds, as often as they should?",
        source=Call(KnownKinds),
        rule=Call(SplitRule, validation=0.0, test=0.4),
        channel_names=("t1",),
        matrix=(32, 32),
        averaging=1,
        interval=(0.0, 2.0),
        flip=False,
        shift_voxels=0,
    )


#: What classifiers learn from draws is not compared here, and would take longer than the rest.
SHORT_STUDY = {
    "task.study.seeds": "1",
    "task.study.fractions": "[0.1]",
    "task.study.cases": "100",
}


@dataclasses.dataclass(frozen=True)
class Line:
    """One run."""

    family: str
    data: str
    seed: int

    @property
    def name(self) -> str:
        """Of its folder."""
        family = FAMILIES[self.family]
        return f"families-{self.data}-{family.recipes.get(self.data, family.recipe)}-{self.seed}"

    def recipe(self, data: Path) -> Recipe:
        """With as many steps as the recipe has."""
        family, chosen = FAMILIES[self.family], DATA[self.data]
        base = recipes.get(family.recipes.get(self.data, family.recipe))
        if self.data == "kinds":
            base = dataclasses.replace(base, task=kinds_task())
        folder = None if chosen.folder is None else data / chosen.folder
        task = family.tasks.get(self.data, chosen.task) or None
        own = family.settings.get("", {}) | family.settings.get(self.data, {})
        own |= SHORT_STUDY if self.data in family.tasks else {}
        if folder is None:
            for key, text in own.items():
                base = base.set(key, text)
            return base
        return prepared(base, data=folder, task=task, settings=own)


class Clock:
    """Processor seconds of a step, by stage of a fit."""

    def __init__(self) -> None:
        self.times: dict[str, list[float]] = {}

    def stage(self, name: str, total: int) -> None:
        """A stage begins."""
        self.times[name] = []

    def advance(self, done: int, note: str = "", total: int | None = None) -> None:
        """A step is done."""
        list(self.times.values())[-1].append(time.process_time())

    def seconds(self, stage: str) -> float:
        """Of a step, after the first ones."""
        taken = self.times[stage][WARM:]
        return (taken[-1] - taken[0]) / (len(taken) - 1)


def with_steps(recipe: Recipe, steps: int) -> Recipe:
    """``recipe`` with another budget; warm-up is a tenth of it at most."""
    return dataclasses.replace(
        recipe,
        budget=dataclasses.replace(recipe.budget, steps=steps, minutes=None),
        optimiser=dataclasses.replace(
            recipe.optimiser, warmup_steps=min(recipe.optimiser.warmup_steps, steps // 10)
        ),
    )


def affordable(recipe: Recipe, seconds: float, seed: int) -> int:
    """Steps of ``recipe``, with those of the recipes it starts from, in ``seconds``."""
    clock, steps = Clock(), TIMED + WARM
    efforts = {s.first: s.effort for s in recipe.starts.values() if s.first}
    shortest = min([1.0, *efforts.values()])
    with tempfile.TemporaryDirectory() as folder:
        short = with_steps(recipe, round(steps / shortest))
        run = Run.create(short, Path(folder) / "timed", seed=seed, engine=Engine())
        run._fit(clock, lambda: False)
    cost = clock.seconds("fit")
    cost += sum(effort * clock.seconds(f"fit {name}") for name, effort in efforts.items())
    return max(1, int(seconds / cost))


def run_line(line: Line, data: Path, runs: Path) -> None:
    """Run one line to its report."""
    folder = runs / line.name
    if (folder / "run.json").is_file():
        run = Run.open(folder)
    else:
        recipe = line.recipe(data)
        steps = affordable(recipe, DATA[line.data].seconds, line.seed)
        print(f"{line.name}: {steps} steps", flush=True)
        run = Run.create(with_steps(recipe, steps), folder, seed=line.seed, engine=Engine())
    if run.status != "reported":
        run.go(watch=Lines(line.name))


def saved_bytes(run: Run) -> int:
    """Bytes an image that the largest loss of a step keeps for its gradient, weights apart."""
    recipe, task = run.recipe, run.task
    system = System.build(recipe, task.shape, run.seed)
    cases = task.split["train"][: recipe.budget.batch_size]
    batch = collate([task.test_case(case) for case in cases])
    largest = 0
    for done in (0.0, 0.99):
        carry = {"done": torch.tensor(done)}
        for player, names in system.objective.players().items():
            weights = {p.data_ptr() for n in system.networks.values() for p in n.parameters()}
            kept: dict[int, int] = {}

            def keep(tensor: Tensor, kept: dict[int, int] = kept, known: Any = weights) -> Tensor:
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in known:
                    kept[storage.data_ptr()] = storage.nbytes()
                return tensor

            for name, network in system.networks.items():
                network.train(name not in system.objective.frozen())
                network.requires_grad_(name in names)
            with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
                rng = torch_stream(0, "memory", player)
                losses = system.objective.loss(player, system.networks, batch, rng, carry)
                total = losses.total if losses.terms else None  # a player may rest
            del total
            largest = max(largest, sum(kept.values()))
    return largest // batch.size


def drawn_images(run: Run, n: int | None = None) -> Tensor:
    """First draws of the test cases, (n, 1, *space), in model units."""
    return torch.stack([run.draws("test", case)[0] for case in run.task.split["test"][:n]])


def kinds_of(run: Run) -> dict[str, float]:
    """Which kinds the draws have, beside as many real images."""
    task = run.task
    truth = torch.tensor([int(case.covariates["kind"]) for case in task.split["test"]])
    found = read_kinds(task.judged(drawn_images(run)))
    expected = np.asarray(shares())

    def distance(kinds: Tensor) -> float:
        counts = torch.bincount(kinds, minlength=len(KINDS)).numpy()
        return float(abs(counts / max(1, counts.sum()) - expected).sum() / 2)

    kinds = found.kind[found.kind >= 0]
    counts = torch.bincount(kinds, minlength=len(KINDS)).numpy()
    return {
        "kinds": len(KINDS),
        "kinds_missed": int((counts < 0.1 * expected * len(found.kind)).sum()),
        "shares_off": round(distance(kinds), 4),
        "shares_off_real": round(distance(truth), 4),
        "lesion_seen": round(float((found.kind >= 0).float().mean()), 4),
        "marker_seen": round(float((found.sign >= 0).float().mean()), 4),
        "far_ends_agree": round(float(found.agrees.sum() / found.readable.sum().clamp(min=1)), 4),
        "readable": int(found.readable.sum()),
        "images": len(found.kind),
    }


def sharpness(run: Run) -> float:
    """Mean gradient of the draws over that of the real test images; below one they are blurred."""

    def slope(images: Tensor) -> float:
        axes = range(2, images.ndim)
        return float(sum(images.diff(dim=axis).abs().mean() for axis in axes))

    wanted = [run.task.test_case(case).wanted for case in run.task.split["test"]]
    real = torch.cat([each for each in wanted if each is not None])
    return round(slope(drawn_images(run)) / slope(real), 4)


#: Metrics of a run that the table shows, by the name they have there.
MEASURED = {
    "energy[robust radiomics]": "energy",
    "frd[robust radiomics]": "frechet",
    "precision[robust radiomics]": "precision",
    "density[robust radiomics]": "density",
    "recall[robust radiomics]": "recall",
    "coverage[robust radiomics]": "coverage",
    "training time": "training_seconds",
    "time a drawn image": "draw_seconds",
    "network calls a draw": "calls",
    "parameters": "drawing_parameters",
    AGREEMENT: "prompt_agreement",
}


def row(line: Line, run: Run) -> dict[str, Any]:
    """What was measured of a line."""
    found: dict[str, Any] = {
        "family": line.family,
        "recipe": run.recipe.name,
        "data": line.data,
        "seed": line.seed,
        "steps": run.recipe.budget.steps,
        "fingerprint": run.recipe.fingerprint(),
    }
    for record in run.records():
        name = MEASURED.get(record.metric)
        if record.metric == AGREEMENT and record.recipe == "real images":
            found["prompt_agreement_real"] = record.value
        if name is None or record.group != "test" or record.recipe != run.recipe.name:
            continue
        found[name] = record.value
        if record.level == "feature":
            found |= {
                f"{name}_low": record.low,
                f"{name}_high": record.high,
                f"{name}_baseline": record.baseline_value,
                f"{name}_p": record.p_value,
                f"{name}_floor": record.floor,
            }
    system = System.build(run.recipe, run.task.shape, run.seed)
    found["parameters"] = sum(count_parameters(each) for each in system.networks.values())
    found["saved_bytes"] = saved_bytes(run)
    found["sharpness"] = sharpness(run)
    return found | (kinds_of(run) if line.data == "kinds" else {})


def montage(lines: list[tuple[Line, Run]], path: Path) -> None:
    """A row of draws a family: the first test cases, the middle slice of volumes."""
    rows = []
    for _, run in lines:
        images = run.task.judged(drawn_images(run, SHOWN))[:, 0]
        if images.ndim == 4:
            images = images[:, :, :, images.shape[-1] // 2]
        low, high = run.task.judgement.window
        shown = ((images - low) / (high - low)).clamp(0, 1)
        rows.append(torch.cat([torch.nn.functional.pad(each, (1, 1, 1, 1)) for each in shown], 1))
    grey = (torch.cat(rows, 0) * 255).round().to(torch.uint8).numpy()
    Picture.fromarray(grey.repeat(2, 0).repeat(2, 1)).save(path)


def collect(runs: Path) -> None:
    """Write rows and pictures of all judged lines."""
    rows, pictured, records = [], {}, []
    for line in all_lines():
        if (runs / line.name / "metrics.json").is_file():
            run = Run.open(runs / line.name)
            rows.append(row(line, run))
            records += run.records()
            if line.seed == 0:
                pictured.setdefault(line.data, []).append((line, run))
    for data, found in pictured.items():
        montage(found, RESULTS / f"families_{data}.png")
    content = {
        "machine": describe_machine(),
        "data": {name: dataclasses.asdict(each) for name, each in DATA.items()},
        "pictured": {data: [line.family for line, _ in found] for data, found in pictured.items()},
        "rows": rows,
    }
    write_records(RESULTS / "experiment-families.json", records)
    text = json.dumps(content, indent=1) + "\n"
    write_atomically(RESULTS / "families.json", text.encode())


def all_lines() -> list[Line]:
    """Every family on every data set."""
    return [
        Line(family, data, seed)
        for data, each in DATA.items()
        for seed in range(each.seeds)
        for family, known in FAMILIES.items()
        if data not in known.absent
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--runs", type=Path, default=Path("runs/families"))
    parser.add_argument("--only", nargs="*", help="names of lines; by default all, and collect")
    parser.add_argument("--list", action="store_true", help="print the names of the lines")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--collect", action="store_true", help="only collect what was judged")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.list:
        print("\n".join(line.name for line in all_lines()))
        return
    if not given.collect:
        for line in all_lines():
            if given.only is None or line.name in given.only:
                run_line(line, given.data, given.runs)
    if given.collect or given.only is None:
        collect(given.runs)


if __name__ == "__main__":
    main()
