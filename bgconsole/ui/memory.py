"""How this process uses memory: collections that do not hold the screen up, and few arenas.

A full collection looks at every object: with a hundred thousand log lines kept, one took up to
63 ms, about once a second while lines came fast (CPython 3.11). Lines are in no cycle, and are
freed without it.
"""

from __future__ import annotations

import ctypes
import gc

CALM = (700, 10, 1000)
"""The collector's thresholds: CPython's own first two (3.11), and so many collections of the middle
generation before a full one: minutes of a flood, hours of quiet."""


def collect_calmly() -> None:
    """Leave out of every collection what is loaded by now, and make full ones rare."""
    gc.freeze()
    gc.set_threshold(*CALM)


M_ARENA_MAX = -8
"""glibc's name, from its malloc.h."""


def share_arenas() -> None:
    """Let all threads take memory from one place, where the C library is glibc.

    Each thread that polls would get an arena of its own, and keep what its largest answer once
    needed: 6 MB in a console at rest. Call it before the first thread is started.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, 1)
