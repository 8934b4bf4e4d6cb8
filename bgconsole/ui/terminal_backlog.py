"""Whether the terminal takes what is written to it: over a slow link it does not.

Textual hands its output to a thread with a queue of thirty writes, and stops the whole screen when
that is full (8.2.8). Who paints by its own pace looks here first and waits.
"""

from __future__ import annotations

from typing import Any

from textual.app import App


def terminal_is_behind(app: App[Any]) -> bool:
    """Whether an earlier frame is still being written. False where it cannot be known."""
    writer = getattr(app._driver, "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue is not None and queue.qsize() > 0
