"""Time a Mamba block with our scans against mambapy's and against attention, by sequence length.

Forward and backward of one block of width 128 (256 channels inside, 16 states), batch 4, from 256
to 16384 tokens: our S6 and SSD blocks, ``mambapy``'s block (plain PyTorch, parallel scan) and our
attention block with its two linear layers. They take turns, so that a busy machine slows all;
``value`` is the shortest of the rounds and ``ratio`` is the other's over ours. The exponent is the
slope of the logarithm of time over that of length. ``peak_memory`` is what a fresh process that
makes one such step takes above what it took before, on Linux. Peers are left out beyond
``--longest-peer`` tokens. Needs ``pip install mambapy``. Writes
``benchmarks/results/scan_step.json``, one record a length and block.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch
from torch import nn

from vesalius.core.allocator import keep_freed_memory
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.mamba_block import MambaBlock
from vesalius.runner.machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "scan_step.json"
LENGTHS = (256, 512, 1024, 2048, 4096, 8192, 16384)
WIDTH, HEADS, BATCH = 128, 4, 4
OURS = ("S6 block", "SSD block")
PEERS = ("mambapy 1.2 MambaBlock", "attention and MLP")


def block(name: str) -> nn.Module:
    """One block of its kind."""
    if name == "S6 block":
        return MambaBlock(WIDTH, kind="s6")
    if name == "SSD block":
        return MambaBlock(WIDTH, kind="ssd")
    if name == "attention and MLP":
        return AttentionBlock(WIDTH, HEADS)
    from mambapy.mamba import MambaBlock as Theirs
    from mambapy.mamba import MambaConfig

    made: nn.Module = Theirs(MambaConfig(d_model=WIDTH, n_layers=1))
    return made


def step_of(name: str, length: int) -> Callable[[], None]:
    """Forward and backward, with gradient to the tokens and all parameters."""
    torch.manual_seed(0)
    made = block(name)
    x = torch.randn(BATCH, length, WIDTH, requires_grad=True)

    def step() -> None:
        made.zero_grad()
        x.grad = None
        made(x).square().mean().backward()

    return step


def shortest(names: list[str], length: int, rounds: int) -> dict[str, float]:
    """Shortest seconds of each in turns, after a round that does not count."""
    steps = {name: step_of(name, length) for name in names}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds + 1):
        for name, step in steps.items():
            start = time.perf_counter()
            step()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: min(taken) for name, taken in seconds.items()}


def peak_mib(name: str, length: int, threads: int) -> float:
    """MiB that one step adds to a fresh process."""
    given = [sys.executable, __file__, "--peak-of", name, "--lengths", str(length)]
    done = subprocess.run(
        [*given, "--threads", str(threads)], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def resident_kib(which: str) -> int:
    """``VmRSS`` (resident now) or ``VmHWM`` (the most there was) of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(which):
            return int(line.split()[1])
    raise RuntimeError(f"this system does not tell {which}; use --no-memory")


def print_peak(name: str, length: int) -> None:
    """Print, in MiB, what one step adds to what is resident before it."""
    step_of(name, 16)()  # libraries and their threads are there
    step = step_of(name, length)
    before = resident_kib("VmRSS")
    step()
    print((resident_kib("VmHWM") - before) / 1024)


def exponent(lengths: list[int], seconds: list[float]) -> float:
    """Slope of log seconds over log length, by least squares."""
    slope, _ = numpy.polyfit(numpy.log(lengths), numpy.log(seconds), 1)
    return float(slope)


def measured(
    lengths: list[int], rounds: int, threads: int, longest_peer: int, memory: bool
) -> list[dict[str, Any]]:
    """Records by length and block, then one exponent a block."""
    machine = describe_machine()
    told = {
        "n": rounds,
        "seed": 0,
        "machine": f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}",
        "threads": threads,
    }
    records: list[dict[str, Any]] = []
    found: dict[str, dict[int, float]] = {name: {} for name in (*OURS, *PEERS)}
    for length in lengths:
        peers = [name for name in PEERS if length <= longest_peer]
        seconds = shortest([*OURS, *peers], length, rounds)
        for name, value in seconds.items():
            found[name][length] = value
            record = {
                "name": f"{name}, forward and backward, {length} tokens, width {WIDTH}, "
                f"batch {BATCH}",
                "block": name,
                "tokens": length,
                "value": round(value, 4),
                "unit": "s",
                **{
                    f"ratio of {peer} to it": round(seconds[peer] / value, 2)
                    for peer in peers
                    if name in OURS
                },
                **told,
                "load": round(os.getloadavg()[0], 1),
            }
            if memory:
                record["peak_memory"] = round(peak_mib(name, length, threads), 1)
                record["peak_memory_unit"] = "MiB"
            records.append(record)
            print(json.dumps(record), flush=True)
    for name, values in found.items():
        if len(values) > 1:
            records.append(
                {
                    "name": f"{name}, exponent of time in length",
                    "block": name,
                    "value": round(exponent(list(values), list(values.values())), 3),
                    "unit": "1",
                    "tokens": [min(values), max(values)],
                    **told,
                }
            )
            print(json.dumps(records[-1]))
    return records


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--lengths", type=int, nargs="+", default=list(LENGTHS))
    parser.add_argument("--longest-peer", type=int, default=16384)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--peak-of", choices=(*OURS, *PEERS), help=argparse.SUPPRESS)
    given = parser.parse_args()
    keep_freed_memory()  # as the training loop and the command line do
    torch.set_num_threads(given.threads)
    if given.peak_of:
        print_peak(given.peak_of, given.lengths[0])
        return
    records = measured(
        given.lengths, given.rounds, given.threads, given.longest_peer, not given.no_memory
    )
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
