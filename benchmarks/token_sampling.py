"""Time drawing tokens one after another, with what was computed kept and without.

A grid of 32 x 32 tokens is drawn from a causal transformer and from a gated PixelCNN by ``begin``
and ``step``, and again as one does without a cache: for every token, a forward pass over the rows
up to it. Both draw the same tokens, which is checked. Times are of the processor, on one thread, so
that a busy machine counts for little. ``value`` is the shortest draw, ``ratio`` how much longer it
takes without. ``by_position`` are milliseconds of a step, by blocks of places, each the median over
places of the shortest of all rounds; ``rise`` is what a line through them gains from the first
place to the last, over its height at the first: 0 is flat. A transformer's attention reads all keys
and values before, so its step is flat only as far as its weights cost more than those. Writes
``benchmarks/results/token_sampling.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vesalius.core.allocator import keep_freed_memory
from vesalius.core.rng import torch_stream
from vesalius.networks import GatedPixelCnn, TokenTransformer, count_parameters
from vesalius.runner.machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "token_sampling.json"
GRID = (32, 32)
KINDS = 64
BATCH = 1
BLOCK = 64
SEED = 0
Network = TokenTransformer | GatedPixelCnn


def stepped(network: Network, batch: int) -> tuple[Tensor, list[float]]:
    """Tokens (batch, places) drawn with a cache, and seconds of every step."""
    rng = torch_stream(SEED, "tokens")
    cache = network.begin(batch, GRID)
    drawn: list[Tensor] = []
    seconds = []
    for _ in range(GRID[0] * GRID[1]):
        start = time.process_time()
        logits = network.step(cache, drawn[-1] if drawn else None)  # type: ignore[arg-type]
        seconds.append(time.process_time() - start)
        drawn.append(torch.multinomial(logits.softmax(1), 1, generator=rng)[:, 0])
    return torch.stack(drawn, 1), seconds


@torch.no_grad()
def recomputed(network: Network, batch: int) -> tuple[Tensor, float]:
    """Tokens drawn without a cache, and the seconds of all forward passes."""
    rng = torch_stream(SEED, "tokens")
    tokens = torch.zeros((batch, *GRID), dtype=torch.int64)
    seconds = 0.0
    for row in range(GRID[0]):
        for column in range(GRID[1]):
            start = time.process_time()
            logits = network(tokens[:, : row + 1])[:, :, row, column]
            seconds += time.process_time() - start
            tokens[:, row, column] = torch.multinomial(logits.softmax(1), 1, generator=rng)[:, 0]
    return tokens.flatten(1), seconds


def measured(network: Network, batch: int, rounds: int) -> dict[str, object]:
    """The record of one network and batch."""
    stepped(network, batch)  # does not count
    every: list[list[float]] = []
    for _ in range(rounds):
        tokens, seconds = stepped(network, batch)
        every.append(seconds)
    without_tokens, without = recomputed(network, batch)
    assert torch.equal(tokens, without_tokens), "a cache changes nothing but time"
    shortest = np.array(every).min(axis=0)
    blocks = np.median(shortest.reshape(-1, BLOCK), axis=1) * 1e3
    middles = np.arange(len(blocks)) * BLOCK + BLOCK / 2
    slope, height = np.polyfit(middles, blocks, 1)
    value = min(sum(seconds) for seconds in every)
    machine = describe_machine()
    return {
        "name": f"{type(network).__name__}, {len(shortest)} tokens, batch {batch}",
        "value": round(value, 3),
        "unit": "s",
        "baseline": "a forward pass over the rows so far for every token",
        "baseline_value": round(without, 3),
        "ratio": round(without / value, 1),
        "rise": round(slope * len(shortest) / height, 3),
        "by_position": [round(float(each), 3) for each in blocks],
        "parameters": count_parameters(network),
        "n": rounds,
        "seed": SEED,
        "machine": f"{machine['processor']}, {machine['cores']} cores, torch {machine['torch']}",
        "load": round(os.getloadavg()[0], 1),
        "threads": 1,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    keep_freed_memory()  # as the training loop and the command line do
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    networks: tuple[Network, ...] = (
        TokenTransformer(
            channels_in=KINDS, channels_out=KINDS, causal=True, neighbours=True, width=128
        ).eval(),
        GatedPixelCnn(channels_in=KINDS, channels_out=KINDS, width=64, n_layers=8, reach=2).eval(),
    )
    records = []
    for network in networks:
        records.append(measured(network, BATCH, given.rounds))
        print(json.dumps(records[-1]))
    RESULTS.write_text(json.dumps(records, indent=1) + "\n")


if __name__ == "__main__":
    main()
