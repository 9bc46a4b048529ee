"""Freed memory stays with the process, so that large tensors need not be asked for again."""

from __future__ import annotations

import ctypes
import platform

#: glibc's mallopt.h: the first two parameters are thresholds, the third what is asked for at once.
M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_THRESHOLD = -1, -2, -3
#: Blocks below a GiB, which is most tensors, come from the heap, and the heap does not shrink.
KEPT_BYTES = 1 << 30
AT_ONCE_BYTES = 1 << 26


def keep_freed_memory() -> bool:
    """Tell the C library to keep freed blocks; whether it does.

    By default glibc gives every freed block of more than some megabytes back to the kernel, which
    then clears the pages of the next one: up to half the time of a training step on a processor
    (measured: ``benchmarks/scan_step.py``). Works with glibc alone; elsewhere nothing is changed.
    Memory that a graphics card has is not touched.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    settings = {
        M_MMAP_THRESHOLD: KEPT_BYTES,
        M_TRIM_THRESHOLD: KEPT_BYTES,
        M_TOP_PAD: AT_ONCE_BYTES,
    }
    return all(mallopt(key, value) == 1 for key, value in settings.items())
