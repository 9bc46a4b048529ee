"""Freed memory is kept: the kernel is not asked for the same pages again and again."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

from vesalius.core import allocator

FAULTS = """
import resource
import torch
from vesalius.core.allocator import keep_freed_memory
if {keep}:
    assert keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(16 << 20)
before = faults()
for _ in range(10):
    torch.ones(16 << 20)
print(faults() - before)
"""


def faults(keep: bool) -> int:
    """Page faults of ten tensors of 64 MiB, each freed before the next, in a process of its own."""
    found = subprocess.run(
        [sys.executable, "-c", FAULTS.format(keep=keep)], capture_output=True, text=True, check=True
    )
    return int(found.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is not glibc")
def test_pages_are_asked_for_once() -> None:
    # the heap may grow by a tensor or two while it settles
    assert faults(keep=True) < 0.5 * faults(keep=False)


def test_other_libraries_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(allocator.ctypes, "CDLL", lambda name: pytest.fail("not to be loaded"))
    assert not allocator.keep_freed_memory()
