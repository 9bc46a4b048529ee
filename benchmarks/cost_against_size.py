"""What blocks cost by the number of tokens, and networks by the size of an image or a volume.

Blocks of width 128: attention, the scans of Mamba and of
Mamba-2, attention along each axis, a convolution of 3x3;
256 to 65,536 tokens on a square, forward alone and, up to 16,384, forward and backward. Networks of
about a million parameters: images of 32 to 512 voxels a side, volumes of 16 to 128, forward. Each
time is the shortest of some rounds, and a size is left out where the one before says that it would
take longer than ``--limit`` seconds. ``exponents`` are slopes of log seconds over log tokens (or
voxels) through the last four sizes: one is linear, two is quadratic. ``saved_bytes`` is what a loss
keeps for its gradient, exactly. Writes ``benchmarks/results/cost_against_size.json``.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vesalius.core.allocator import keep_freed_memory
from vesalius.core.files import write_atomically
from vesalius.networks import (
    DiT,
    HybridUNet,
    IsotropicMamba,
    MambaUNet,
    SwinRestorer,
    UNet,
    count_parameters,
)
from vesalius.networks.attention_block import AttentionBlock
from vesalius.networks.axial_attention import AxialBlock
from vesalius.networks.mamba_block import MambaBlock
from vesalius.runner.machine import describe_machine

RESULTS = Path(__file__).parent / "results" / "cost_against_size.json"
TOKENS = tuple(4**k for k in range(4, 9))
BACKWARD_UP_TO = 16_384
WIDTH = 128
IMAGES = (32, 64, 128, 256, 512)
VOLUMES = (16, 32, 64, 128)
#: Sizes through which an exponent is fitted.
FITTED = 4
LEVEL = {"channels_in": 1, "channels_out": 1, "takes_level": True}


class OnSquare(nn.Module):
    """A block over a square, features last or first, called with its tokens."""

    def __init__(self, inner: nn.Module, *, features_first: bool = False) -> None:
        super().__init__()
        self.inner, self.features_first = inner, features_first

    def forward(self, x: Tensor) -> Tensor:
        """``(batch, tokens, width)`` to the same."""
        side = math.isqrt(x.shape[1])
        square = x.unflatten(1, (side, side))
        if self.features_first:
            square = square.movedim(-1, 1)
        out: Tensor = self.inner(square)
        if self.features_first:
            out = out.movedim(1, -1)
        return out.flatten(1, 2)


BLOCKS: dict[str, Callable[[], nn.Module]] = {
    "attention": lambda: AttentionBlock(WIDTH, 4),
    "scan": lambda: MambaBlock(WIDTH),
    "scan by heads": lambda: MambaBlock(WIDTH, kind="ssd"),
    "axial attention": lambda: OnSquare(AxialBlock(WIDTH, 4, 2)),
    "convolution": lambda: OnSquare(nn.Conv2d(WIDTH, WIDTH, 3, padding=1), features_first=True),
}
NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "UNet": lambda dims: UNet(
        dims=dims, width=36 if dims == 2 else 24, multipliers=(1, 2, 4), patch=2, **LEVEL
    ),
    "DiT": lambda dims: DiT(dims=dims, width=112, n_layers=4, heads=4, patch=4, **LEVEL),
    "IsotropicMamba": lambda dims: IsotropicMamba(dims=dims, **LEVEL),
    "MambaUNet": lambda dims: MambaUNet(dims=dims, **LEVEL),
    "HybridUNet": lambda dims: HybridUNet(dims=dims, **LEVEL),
    "SwinRestorer": lambda dims: SwinRestorer(dims=dims, **LEVEL),
}


def shortest(call: Callable[[], object], rounds: int) -> float:
    """Shortest seconds, after one call that does not count where it is a quick one."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
        if taken[0] > 5:
            return taken[0]
    return min(taken[1:])


def saved_bytes(call: Callable[[], Tensor], module: nn.Module) -> int:
    """Bytes kept for the gradient, weights apart."""
    weights = {each.data_ptr() for each in module.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        out = call()
    del out
    return sum(kept.values())


def exponent(sizes: list[float], seconds: list[float]) -> float | None:
    """Slope of log seconds over log size; None of fewer than three."""
    if len(sizes) < 3:
        return None
    slope, _ = np.polyfit(np.log(sizes[-FITTED:]), np.log(seconds[-FITTED:]), 1)
    return round(float(slope), 3)


def blocks(limit: float, rounds: int) -> list[dict[str, Any]]:
    """Seconds of each block by tokens."""
    rows = []
    for name, make in BLOCKS.items():
        for backward in (False, True):
            torch.manual_seed(0)
            block, last = make(), 0.0
            for tokens in TOKENS:
                if 16 * last > limit or (backward and tokens > BACKWARD_UP_TO):
                    break
                x = torch.randn(1, tokens, WIDTH, requires_grad=backward)

                def call(block: nn.Module = block, x: Tensor = x, back: bool = backward) -> None:
                    with torch.set_grad_enabled(back):
                        y = block(x)
                        if back:
                            torch.autograd.backward(y.sum())

                last = shortest(call, rounds)
                row = {"block": name, "tokens": tokens, "backward": backward, "seconds": last}
                if backward:
                    row["saved_bytes"] = saved_bytes(lambda b=block, x=x: b(x), block)  # type: ignore[misc]
                rows.append(row)
                print(json.dumps(row), flush=True)
    return rows


def networks(limit: float, rounds: int) -> list[dict[str, Any]]:
    """Seconds of each network by the size of an image or a volume."""
    rows = []
    for name, make in NETWORKS.items():
        for dims, sizes in ((2, IMAGES), (3, VOLUMES)):
            torch.manual_seed(0)
            network, last = make(dims).eval(), 0.0
            for size in sizes:
                if 2 ** (2 * dims) * last > limit:
                    break
                x, level = torch.randn(1, 1, *(size,) * dims), torch.zeros(1)

                def call(n: nn.Module = network, x: Tensor = x, t: Tensor = level) -> Tensor:
                    with torch.no_grad():
                        out: Tensor = n(x, t)
                        return out

                last = shortest(call, rounds)
                row: dict[str, Any] = {
                    "network": name,
                    "dims": dims,
                    "size": size,
                    "seconds": last,
                    "parameters": count_parameters(network),
                }
                rows.append(row)
                print(json.dumps(row), flush=True)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that a call may take")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    given = parser.parse_args()
    keep_freed_memory()  # as the training loop and the command line do
    torch.set_num_threads(given.threads)
    of_blocks, of_networks = (part(given.limit, given.rounds) for part in (blocks, networks))
    exponents = {}
    for name in BLOCKS:
        for backward in (False, True):
            own = [r for r in of_blocks if r["block"] == name and r["backward"] is backward]
            key = name + (", forward and backward" if backward else "")
            exponents[key] = exponent([r["tokens"] for r in own], [r["seconds"] for r in own])
    for name in NETWORKS:
        for dims in (2, 3):
            own = [r for r in of_networks if r["network"] == name and r["dims"] == dims]
            exponents[f"{name}, {dims}D"] = exponent(
                [r["size"] ** dims for r in own], [r["seconds"] for r in own]
            )
    content = {
        "machine": describe_machine(),
        "exponents": {name: value for name, value in exponents.items() if value is not None},
        "blocks": of_blocks,
        "networks": of_networks,
    }
    write_atomically(RESULTS, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
