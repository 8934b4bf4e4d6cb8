"""A console that is ended from outside: first it does what must not be left undone, then it dies.

By a signal, or because its terminal is gone.
"""

from __future__ import annotations

import asyncio
import os
import select
import signal
import threading
from collections.abc import Callable
from functools import partial
from types import FrameType

SIGNALS = (signal.SIGHUP, signal.SIGTERM)
"""A terminal that was closed or a link that is gone, and somebody who ends the process."""


def on_signals(end_by: Callable[[Callable[[], None]], None], patience: float) -> None:
    """Let the running loop call `end_by` on such a signal, with what then dies by it.

    The second one kills at once, and so does one that the loop has not obeyed after `patience`
    seconds. A signal that is ignored, under nohup, stays so.
    """
    loop = asyncio.get_running_loop()

    def told(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)
        die = partial(os.kill, os.getpid(), number)
        if loop.is_closed():
            die()
        too_late = threading.Timer(patience, die)
        too_late.daemon = True
        too_late.start()
        loop.call_soon_threadsafe(end_by, die)

    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            # Not asyncio's: that one waits for a loop which may hang in a write to a lost terminal.
            signal.signal(number, told)


def end_with(terminal: int) -> None:
    """Hang up on this process when the terminal behind a descriptor is gone.

    The kernel sends SIGHUP to the session's leader alone, and to the others when that one ends. GNU
    make waits for its children first: under `make demo` each waited for the other (seen with 4.3),
    and Textual reads an end of input without end (8.2.8).
    """
    threading.Thread(target=_end_with, args=(terminal,), name="hang up", daemon=True).start()


def _end_with(terminal: int) -> None:
    gone = select.poll()
    gone.register(terminal, 0)  # a hang-up is told unasked
    if any(event & (select.POLLHUP | select.POLLERR) for _, event in gone.poll()):
        if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
            os._exit(128 + signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)
