"""Time our default diffusion against MONAI's network and its DDPM inferer.

One training step (perturb, network, loss, backward, Adam) and one sampling step of each, at equal
image size and about equal parameters, in turns, so that a busy machine slows both; ``ratio`` is
MONAI's shortest time over ours. ``bare_network`` is our network alone in the same loop, and
``without_network`` the same step around a network that costs nothing: ``overhead`` is the second
over the first, which a busy machine does not blur as it does their difference. Needs ``einops``,
which MONAI's network imports. Writes ``benchmarks/results/diffusion_step.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from vesalius.core import Batch
from vesalius.core.rng import torch_stream
from vesalius.generative.conditioning import Unconditional
from vesalius.generative.objectives import Denoising
from vesalius.generative.paths import CosinePath
from vesalius.generative.samplers import Ddim
from vesalius.networks import UNet, count_parameters
from vesalius.runner.machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "diffusion_step.json"
SHAPES = ((16, 1, 64, 64), (64, 1, 28, 28))
SAMPLED_STEPS = 4


def shortest(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Shortest seconds of each call over rounds taken in turns, after one that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: min(taken) for name, taken in seconds.items()}


def measured(shape: tuple[int, ...], rounds: int, threads: int) -> list[dict[str, object]]:
    """Records of one image size."""
    from monai.inferers import DiffusionInferer
    from monai.networks.nets import DiffusionModelUNet
    from monai.networks.schedulers import DDPMScheduler

    torch.manual_seed(0)
    theirs = DiffusionModelUNet(
        spatial_dims=2,
        in_channels=1,
        out_channels=1,
        channels=(32, 64, 128),
        attention_levels=(False, False, True),
        num_res_blocks=1,
        num_head_channels=32,
    )
    ours = UNet(channels_in=1, channels_out=1, takes_level=True, width=32, attention=True)
    images = torch.rand(shape) * 2 - 1
    batch = Batch(wanted=images)

    scheduler = DDPMScheduler(num_train_timesteps=1000)
    inferer = DiffusionInferer(scheduler)
    their_optimiser = torch.optim.Adam(theirs.parameters(), lr=1e-4)

    def their_step() -> None:
        their_optimiser.zero_grad()
        noise = torch.randn(shape)
        times = torch.randint(0, 1000, (shape[0],))
        predicted = inferer(inputs=images, diffusion_model=theirs, noise=noise, timesteps=times)
        mse_loss(predicted, noise).backward()
        their_optimiser.step()

    def their_sampling() -> None:
        scheduler.set_timesteps(SAMPLED_STEPS)
        with torch.no_grad():
            inferer.sample(
                input_noise=torch.randn(shape),
                diffusion_model=theirs,
                scheduler=scheduler,
                verbose=False,
            )

    path = CosinePath(data_std=0.5)
    objective = Denoising(path, conditioning=Unconditional())
    networks = {"network": ours}
    our_optimiser = torch.optim.Adam(ours.parameters(), lr=1e-4)
    steps = iter(range(10**6))

    def our_step() -> None:
        our_optimiser.zero_grad()
        rng = torch_stream(0, "step", next(steps))
        objective.loss("network", networks, batch, rng, {}).total.backward()
        our_optimiser.step()

    sampler = Ddim(path, steps=SAMPLED_STEPS)

    def our_sampling() -> None:
        with torch.no_grad():
            sampler.sample(objective.predictor(networks, batch), shape, torch_stream(0, "draw"))

    target, level = torch.randn(shape), torch.rand(shape[0])

    def bare_step() -> None:
        our_optimiser.zero_grad()
        out: Tensor = ours(images, level=level)
        mse_loss(out, target).backward()
        our_optimiser.step()

    def bare_sampling() -> None:
        with torch.no_grad():
            for _ in range(SAMPLED_STEPS):
                ours(images, level=level)

    class Nothing(torch.nn.Module):
        """Costs nothing, so that what is left of a step is path, objective and sampler."""

        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

        def forward(self, x: Tensor, level: Tensor, condition: Tensor | None = None) -> Tensor:
            return x * self.weight

    nothing = {"network": Nothing()}

    def empty_step() -> None:
        rng = torch_stream(0, "step", next(steps))
        objective.loss("network", nothing, batch, rng, {}).total.backward()

    def empty_sampling() -> None:
        with torch.no_grad():
            sampler.sample(objective.predictor(nothing, batch), shape, torch_stream(0, "draw"))

    seconds = shortest(
        {
            "training step, no network": empty_step,
            "sampling step, no network": empty_sampling,
            "training step": our_step,
            "training step, MONAI": their_step,
            "training step, bare network": bare_step,
            "sampling step": our_sampling,
            "sampling step, MONAI": their_sampling,
            "sampling step, bare network": bare_sampling,
        },
        rounds,
    )
    machine = describe_machine()
    records = []
    for name in ("training step", "sampling step"):
        share = SAMPLED_STEPS if name == "sampling step" else 1
        value, baseline = seconds[name] / share, seconds[f"{name}, MONAI"] / share
        bare = seconds[f"{name}, bare network"] / share
        empty = seconds[f"{name}, no network"] / share
        records.append(
            {
                "name": f"diffusion {name}, {shape[2]}x{shape[3]}, batch {shape[0]}",
                "value": round(value, 4),
                "unit": "s",
                "baseline": "MONAI DiffusionModelUNet(32, 64, 128) and DiffusionInferer",
                "baseline_value": round(baseline, 4),
                "ratio": round(baseline / value, 2),
                "bare_network": round(bare, 4),
                "without_network": round(empty, 5),
                "overhead": round(empty / bare, 4),
                "parameters": count_parameters(ours),
                "baseline_parameters": count_parameters(theirs),
                "n": rounds,
                "seed": 0,
                "machine": f"{machine['processor']}, {machine['cores']} cores, "
                f"torch {machine['torch']}",
                "load": round(os.getloadavg()[0], 1),
                "threads": threads,
            }
        )
        print(json.dumps(records[-1]))
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    warnings.simplefilter("ignore")
    records = [row for shape in SHAPES for row in measured(shape, given.rounds, given.threads)]
    RESULTS.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
