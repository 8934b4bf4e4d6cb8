"""Waiting for a condition on a thread of its own: nothing sleeps for a fixed time.

In a running console wait with `tests.consoles.until`, which lets it go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PAUSE = 0.05
"""Seconds between two looks."""


def until(met: Callable[[], Found], what: object, seconds: float = 60.0) -> Found:
    """What it gives once that is something; fails with `what` never came."""
    end, pause = time.monotonic() + seconds, threading.Event()
    while not (found := met()):
        assert time.monotonic() < end, f"never came within {seconds:g} s: {what}"
        pause.wait(PAUSE)
    return found
