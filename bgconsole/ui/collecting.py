"""Python's collector of cycles, kept from holding the screen up.

A full collection looks at every object: with a hundred thousand log lines kept, one took up to
63 ms, about once a second while lines came fast (CPython 3.11). Lines are in no cycle, and are
freed without it.
"""

from __future__ import annotations

import gc

FULL_EVERY = 1000
"""Collections of the middle generation before a full one: minutes of a flood, hours of quiet."""


def collect_calmly() -> None:
    """Leave out of every collection what is loaded by now, and make full ones rare."""
    gc.freeze()
    young, middle, _ = gc.get_threshold()
    gc.set_threshold(young, middle, FULL_EVERY)
