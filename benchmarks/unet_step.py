"""Our U-Net and MONAI's diffusion U-Net of the same size: seconds of a step, and what it learns.

Run ``python benchmarks/unet_step.py``; it needs ``einops``, which MONAI's network imports. Both
networks take turns, so that a busy machine slows both. ``value`` is the shortest of the rounds and
``longest`` the longest; ``ratio`` is that of the shortest ones. Writes
``benchmarks/results/unet_step.json``, one record a measurement.

``--quality`` asks whether the quicker one learns less: both learn to denoise 64x64 MR slices from
the same first step to the same last on the same batches, times and noise, at each of ``--rates``.
The loss, the mean squared error of the velocity on a cosine path, is taken on the slices of the
patients left out, at fixed times and noise. ``value`` is ours at the rate that
suits it best and ``baseline_value`` MONAI's at its own; ``difference`` is theirs less ours over
patients with a 95 % interval (above zero: ours is better), and ``curve`` the loss after so many
steps and seconds. Writes ``benchmarks/results/unet_quality.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vesalius import tasks
from vesalius.core import Batch, Call
from vesalius.core.allocator import keep_freed_memory
from vesalius.core.recipe import Optimiser
from vesalius.core.rng import numpy_stream, torch_stream
from vesalius.data.sources.synthrad import SynthRADSlices
from vesalius.evaluation.statistics import paired_test, summarise
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.networks import UNet, count_parameters
from vesalius.tasks import Task
from vesalius.training.batches import training_batch
from vesalius.training.fit import learning_rate

RESULTS = Path(__file__).parent / "results"
#: What both are, in 2D.
OURS_2D: dict[str, Any] = {"width": 32, "multipliers": (1, 2, 4, 8), "attention": True}
CHANNELS_2D, GROUPS_2D = (32, 64, 128), 32
BATCH = 16
#: How often each held-out slice is noised, and how often the loss is taken on the way.
NOISINGS, POINTS = 4, 5


def processor() -> str:
    """Ask the system for its processor's name."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def monai_network(dims: int, channels: tuple[int, ...], groups: int) -> nn.Module:
    """One residual block a resolution, attention at the lowest: the quickest of its usual forms."""
    from monai.networks.nets import DiffusionModelUNet

    return DiffusionModelUNet(
        spatial_dims=dims,
        in_channels=1,
        out_channels=1,
        channels=channels,
        attention_levels=(False,) * (len(channels) - 1) + (True,),
        num_res_blocks=1,
        num_head_channels=groups,
        norm_num_groups=groups,
    )


def step_of(network: nn.Module, x: Tensor, level: Tensor) -> Callable[[], None]:
    """Forward, mean squared error, backward, Adam."""
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-4)

    def step() -> None:
        optimiser.zero_grad()
        (network(x, level) - x).square().mean().backward()
        optimiser.step()

    return step


def forward_of(network: nn.Module, x: Tensor, level: Tensor) -> Callable[[], None]:
    """One forward, as a sampler makes it."""

    def forward() -> None:
        with torch.inference_mode():
            network(x, level)

    return forward


def seconds_of(
    ours: Callable[[], None], theirs: Callable[[], None], rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of each in every round, taken in turns, after one round that does not count."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for round_ in range(rounds + 1):
        for call, taken in zip((ours, theirs), seconds, strict=True):
            start = time.perf_counter()
            call()
            if round_:
                taken.append(time.perf_counter() - start)
    return seconds


def measure(rounds: int) -> list[dict[str, Any]]:
    settings = (
        ("2D 64x64, batch 16", 2, (BATCH, 1, 64, 64), CHANNELS_2D, GROUPS_2D, OURS_2D),
        ("3D 32x32x32, batch 2", 3, (2, 1, 32, 32, 32), (16, 32, 64), 16,
         {"width": 16, "multipliers": (1, 2, 4, 8), "attention": True}),
    )  # fmt: skip
    records = []
    for name, dims, shape, channels, groups, options in settings:
        torch.manual_seed(0)
        theirs = monai_network(dims, channels, groups)
        ours = UNet(channels_in=1, channels_out=1, dims=dims, takes_level=True, **options)
        x, level = torch.randn(shape), torch.rand(shape[0])
        steps = (level * 1000).long()
        for what, call_of in (("training step", step_of), ("forward", forward_of)):
            seconds, baseline_seconds = seconds_of(
                call_of(ours, x, level), call_of(theirs, x, steps), rounds
            )
            value, baseline_value = min(seconds), min(baseline_seconds)
            records.append(
                {
                    "name": f"UNet {what}, {name}",
                    "value": round(value, 4),
                    "longest": round(max(seconds), 4),
                    "unit": "s",
                    "baseline": f"MONAI DiffusionModelUNet(channels={channels}, num_res_blocks=1)",
                    "baseline_value": round(baseline_value, 4),
                    "baseline_longest": round(max(baseline_seconds), 4),
                    "ratio": round(baseline_value / value, 2),
                    "parameters": count_parameters(ours),
                    "baseline_parameters": count_parameters(theirs),
                    "options": options,
                    "n": rounds,
                    "seed": 0,
                    "machine": f"{processor()}, {os.cpu_count()} cores, torch {torch.__version__}",
                    "load": round(os.getloadavg()[0], 1),
                    "threads": torch.get_num_threads(),
                }
            )
            print(json.dumps(records[-1]))
    return records


class Steps(nn.Module):
    """MONAI's network behind the call of ours: levels become as far apart as its steps are."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor, level: Tensor, condition: None = None) -> Tensor:
        """``(batch, 1, *space)`` and (batch,) to an image."""
        out: Tensor = self.network(x, 1000 * level)
        return out


@dataclass
class Learner:
    """A network on its way: what it knew after so many steps and seconds of training."""

    network: nn.Module
    optimiser: torch.optim.Optimizer
    schedule: Optimiser
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


def held_out(task: Task, seed: int) -> tuple[list[Batch], list[str]]:
    """Slices of patients that training never sees, in batches, and whose each is."""
    cases = [case for part in ("validation", "test", "shifted") for case in task.split[part]]
    loaded = [task.load(case, numpy_stream(seed, "held out", case.identifier)) for case in cases]
    batches = [tasks.collate(loaded[at : at + BATCH]) for at in range(0, len(loaded), BATCH)]
    return batches, [case.patient for case in cases]


def losses_of(
    objective: Denoising, network: nn.Module, batches: Sequence[Batch], seed: int
) -> list[float]:
    """Mean squared error of the velocity of every slice, over the same times and noise."""
    found: list[float] = []
    path = objective.path
    network.eval()
    with torch.inference_mode():
        for number, batch in enumerate(batches):
            clean = objective.clean(batch)
            errors = torch.zeros(len(clean))
            for noising in range(NOISINGS):
                rng = torch_stream(seed, "noising", number, noising)
                time_ = path.draw_times(len(clean), rng)
                noise = path.draw_noise(tuple(clean.shape), rng)
                state = path.perturb(clean, time_, noise)
                out = objective.output({"network": network}, state, time_, batch)
                wanted = path.target(objective.prediction, clean, noise, time_)
                errors += (out - wanted).square().flatten(1).mean(1) / NOISINGS
            found += errors.tolist()
    network.train()
    return found


def learners(rate: float, seed: int) -> dict[str, Learner]:
    """Both networks as they start."""
    made: dict[str, Learner] = {}
    for name in ("ours", "theirs"):
        torch.manual_seed(seed)
        network: nn.Module = (
            UNet(channels_in=1, channels_out=1, takes_level=True, **OURS_2D)
            if name == "ours"
            else Steps(monai_network(2, CHANNELS_2D, GROUPS_2D))
        )
        schedule = Optimiser(rate=rate, warmup_steps=50)
        made[name] = Learner(network, torch.optim.Adam(network.parameters(), lr=rate), schedule)
    return made


def teach(
    task: Task, rate: float, steps: int, seed: int, batches: Sequence[Batch]
) -> dict[str, Learner]:
    """Both networks after so many steps on the same batches, in turns."""
    objective = Denoising(
        CosinePath(data_std=0.5), prediction="velocity", conditioning=Unconditional()
    )
    both = learners(rate, seed)
    points = {max(1, round(steps * part / POINTS)) for part in range(1, POINTS + 1)}
    for step in range(steps):
        batch = training_batch(task, step, 0, 1, BATCH, seed)
        for learner in both.values():
            start = time.perf_counter()
            for group in learner.optimiser.param_groups:
                group["lr"] = learning_rate(learner.schedule, step, steps)
            learner.optimiser.zero_grad()
            rng = torch_stream(seed, "noise", step)
            networks = {"network": learner.network}
            objective.loss("network", networks, batch, rng, {}).total.backward()
            nn.utils.clip_grad_norm_(learner.network.parameters(), 1.0)
            learner.optimiser.step()
            learner.seconds += time.perf_counter() - start
        if step + 1 in points:
            for name, learner in both.items():
                learner.losses = losses_of(objective, learner.network, batches, seed)
                loss = sum(learner.losses) / len(learner.losses)
                learner.curve.append(
                    {
                        "step": step + 1,
                        "seconds": round(learner.seconds, 1),
                        "loss": round(loss, 5),
                    }
                )
                print(f"rate {rate:g}, {name}: {learner.curve[-1]}", flush=True)
    return both


def quality(data: Path, steps: int, rates: Sequence[float], seed: int) -> list[dict[str, Any]]:
    """One record: what both have learnt after as many steps."""
    source = Call(SynthRADSlices, path=str(data))
    task: Task = tasks.get("mr-slices", source).build()
    batches, patients = held_out(task, seed)
    taught = {rate: teach(task, rate, steps, seed, batches) for rate in rates}

    def best(name: str) -> float:
        return min(taught, key=lambda rate: taught[rate][name].curve[-1]["loss"])

    rate, baseline_rate = best("ours"), best("theirs")
    ours, theirs = taught[rate]["ours"], taught[baseline_rate]["theirs"]
    differences = [b - a for a, b in zip(ours.losses, theirs.losses, strict=True)]
    summary = summarise(differences, patients, numpy_stream(seed, "bootstrap"))
    test = paired_test(ours.losses, theirs.losses, patients, "down")
    return [
        {
            "name": f"velocity loss of held-out 64x64 MR slices after {steps} steps of {BATCH}",
            "value": ours.curve[-1]["loss"],
            "unit": "1",
            "direction": "down",
            "baseline": f"MONAI DiffusionModelUNet(channels={CHANNELS_2D}, num_res_blocks=1)",
            "baseline_value": theirs.curve[-1]["loss"],
            "difference": round(summary.value, 5),
            "low": round(summary.low, 5),
            "high": round(summary.high, 5),
            "p_value": test.p_value,
            "n": summary.n_patients,
            "step_s": round(ours.seconds / steps, 4),
            "baseline_step_s": round(theirs.seconds / steps, 4),
            "ratio": round(theirs.seconds / ours.seconds, 2),
            "rate": rate,
            "baseline_rate": baseline_rate,
            "curve": ours.curve,
            "baseline_curve": theirs.curve,
            "every_rate": {
                f"{each:g}": {name: learner.curve[-1] for name, learner in both.items()}
                for each, both in taught.items()
            },
            "parameters": count_parameters(ours.network),
            "baseline_parameters": count_parameters(theirs.network),
            "options": OURS_2D,
            "split": task.split.hash,
            "seed": seed,
            "machine": f"{processor()}, {os.cpu_count()} cores, torch {torch.__version__}",
            "threads": torch.get_num_threads(),
        }
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--quality", action="store_true", help="train both instead of timing them")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/synthrad_slices"))
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 3e-4])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    keep_freed_memory()  # as the training loop and the command line do
    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    if arguments.quality:
        name = "unet_quality.json"
        records = quality(arguments.data, arguments.steps, arguments.rates, arguments.seed)
    else:
        name, records = "unet_step.json", measure(arguments.rounds)
    out = arguments.out or RESULTS / name
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
