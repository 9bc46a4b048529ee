"""Weights start alike in every run, whatever ran before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def seeded() -> Iterator[None]:
    """Give each test the same default random stream, and give back the one there was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        yield
