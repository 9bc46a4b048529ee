"""Time a training step and a forward of our U-Net and of MONAI's diffusion U-Net of the same size.

Run ``python benchmarks/unet_step.py``; it needs ``einops``, which MONAI's network imports. Both
networks take turns, so that a busy machine slows both. ``value`` is the shortest of the rounds and
``longest`` the longest; ``ratio`` is that of the shortest ones. Writes
``benchmarks/results/unet_step.json``, one record a measurement.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vesalius.networks import UNet, count_parameters

RESULTS = Path(__file__).parent / "results" / "unet_step.json"


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
        ("2D 64x64, batch 16", 2, (16, 1, 64, 64), (32, 64, 128), 32,
         {"width": 32, "multipliers": (1, 2, 4, 8), "attention": True}),
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    records = measure(arguments.rounds)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
