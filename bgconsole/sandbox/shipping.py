"""Container output on its way to CloudWatch Logs: batched per stream, off the hot path."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from .clock import Clock

PutLogs = Callable[[str, str, Sequence[tuple[int, str]]], Awaitable[None]]
"""Writes lines (milliseconds since 1970, text) to a stream of a group, making it when missing."""

FLUSH_SECONDS = 0.2
"""Real seconds between batches."""
WAITING_LINES = 20_000
"""Lines of one stream that wait for the next batch at most; older ones are dropped."""

_log = logging.getLogger(__name__)


class LogShipper:
    """Takes lines at once and writes them in batches."""

    def __init__(self, put_logs: PutLogs, clock: Clock) -> None:
        self._put_logs = put_logs
        self._clock = clock
        self._waiting: dict[tuple[str, str], deque[tuple[int, str]]] = {}
        self._task: asyncio.Task[None] | None = None

    def write(self, group: str, stream: str, line: str) -> None:
        """Take one line; its time is now. An empty line is kept as a space: the API needs text."""
        lines = self._waiting.setdefault((group, stream), deque(maxlen=WAITING_LINES))
        lines.append((int(self._clock.now().timestamp() * 1000), line or " "))
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._ship())

    async def close(self) -> None:
        """Write what waits, once, and end."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._flush()

    async def _ship(self) -> None:
        while self._waiting:
            await asyncio.sleep(FLUSH_SECONDS)
            await self._flush()

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, {}
        for (group, stream), lines in batch.items():
            try:
                await self._put_logs(group, stream, list(lines))
            except Exception as error:  # noqa: BLE001 - whatever the writer raises, tasks run on
                _log.warning(
                    "%d lines of %s %s were not written: %s", len(lines), group, stream, error
                )
