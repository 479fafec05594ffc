"""The start of a process: what keeps it short, and the memory of the process small."""

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_M_ARENA_MAX = -8  # of malloc.h
# Requests leave hardly any cycles. Python's defaults, from the time of small programs, would look for them at each one.
_THRESHOLDS = (10_000, 20, 50)


@contextmanager
def without_collections() -> Iterator[None]:
    """Collect no garbage until the block ends, and never look at the objects again that it leaves behind.

    Collections take a fifth of the time of a start, and they find next to nothing. Afterwards, they would go through
    all modules, types and the schema again and again; the remaining ones are made less often.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.set_threshold(*_THRESHOLDS)
        gc.enable()


def share_freed_memory() -> None:
    """Have all threads allocate from the same memory, so that what one has freed is used by others or returned.

    By default, the C library of most Linux systems keeps what each thread that hashes passwords has used once.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):  # another C library, which needs no setting
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)
