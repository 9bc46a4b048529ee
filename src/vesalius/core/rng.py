"""Random streams by name: the same seed and names give the same numbers, in any order and process.

Nothing in Vesalius keeps the state of a generator. What a training step or a case needs is drawn
from a stream named after it, so an interrupted run resumes bit for bit and a worker process draws
what a single process would have drawn.
"""

from __future__ import annotations

import hashlib

import numpy as np
import torch


def derive(seed: int, *names: str | int) -> int:
    """A 63-bit seed for the stream ``names`` under ``seed``.

    >>> derive(0, "step", 1) == derive(0, "step", 1)
    True
    >>> derive(0, "step", 1) == derive(0, "step", 2)
    False
    """
    text = "\x1f".join([str(int(seed)), *(f"{type(n).__name__}:{n}" for n in names)])
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def numpy_stream(seed: int, *names: str | int) -> np.random.Generator:
    """A NumPy generator for the stream ``names``."""
    return np.random.Generator(np.random.PCG64(derive(seed, *names)))


def torch_stream(
    seed: int, *names: str | int, device: torch.device | str = "cpu"
) -> torch.Generator:
    """A torch generator for the stream ``names``, on ``device``."""
    generator = torch.Generator(device=device)
    generator.manual_seed(derive(seed, *names))
    return generator
