"""Keeping memory that was freed for the next step, which needs as much again."""

import ctypes
import sys
from contextlib import suppress

_TOP_PAD, _TRIM_THRESHOLD, _MMAP_THRESHOLD = -2, -1, -3
"""Names of `mallopt`'s parameters, from malloc.h."""
_MMAP_MOST = 32 * 2**20
"""The largest value that glibc takes for the size from which it asks the system for each block by itself."""


def keep_freed_memory() -> None:
    """Ask the C library to keep what is freed instead of giving it back to the system.

    A step of training allocates and frees a few megabytes for each layer. glibc returns blocks that large at once, and
    gets them again page by page, cleared each time, in every step. Other C libraries have no such switch; there nothing
    happens.
    """
    if sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL(None)
        for parameter, size in ((_MMAP_THRESHOLD, _MMAP_MOST), (_TRIM_THRESHOLD, 2**30), (_TOP_PAD, 2**28)):
            library.mallopt(parameter, size)
