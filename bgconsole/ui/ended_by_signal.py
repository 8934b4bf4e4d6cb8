"""A console that a signal ends: first it does what must not be left undone, then it dies by it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from functools import partial

SIGNALS = (signal.SIGHUP, signal.SIGTERM)
"""A terminal that was closed or a link that is gone, and somebody who ends the process."""


def on_signals(end_by: Callable[[Callable[[], None]], None]) -> None:
    """Let the running loop call `end_by` on such a signal, with what then dies by it.

    A signal that is ignored, under nohup, stays so.
    """
    loop = asyncio.get_running_loop()
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            loop.add_signal_handler(number, end_by, partial(_die, number))


def _die(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
