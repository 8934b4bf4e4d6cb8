"""The logs pane, or the whole main screen, on the terminal that it is started on, under a flood.

A program of its own, so that its CPU and memory are its own: `bench_log_pane.py` starts it. When
its time is over it writes what it measured, as JSON, into the file that it was given.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from bgconsole.domain.logs import LogLine, to_milliseconds
from bgconsole.ui.memory import collect_calmly, share_arenas
from bgconsole.ui.panes.log_lines import LogLines
from bgconsole.ui.panes.logs import LogsPane
from tests import scenes
from tests.values import LOG_GROUP, NOW

BEAT = 0.005
"""Seconds between two heartbeats of the loop."""
POLL = 2.0
"""Seconds between two pictures, as in a deployment."""
TEXT = (
    'I, [2026-03-01T13:59:58.123456 #1]  INFO -- : [a2213956-1c1f-4c55-9f0b-{n:012d}] Started GET '
    '"/posts?page={n}" for 10.0.0.7 at 2026-03-01 13:59:58 +0000, by a browser like any other, {n}'
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is run."""

    scene: str
    pane_alone: bool
    per_second: int
    seconds: float
    prefilled: int
    report: str


class Program(scenes.Host):
    """Time goes on, lines come, a heartbeat tells for how long the loop was not free."""

    def __init__(self, wanted: Wanted) -> None:
        only = (LogsPane,) if wanted.pane_alone else ()
        super().__init__(*only, shown=scenes.SCENES[wanted.scene]())
        self._wanted = wanted
        self._begun = time.monotonic()
        self._numbers = count()
        self._stalls: list[float] = []
        self.told: dict[str, float] = {}

    def clock(self) -> datetime:
        """A clock that goes."""
        return NOW + timedelta(seconds=time.monotonic() - self._begun)

    def on_mount(self) -> None:
        """Begin."""
        super().on_mount()
        self.set_interval(POLL, self._poll)
        self.run_worker(self._measure(), description="measure")

    def _poll(self) -> None:
        taken = self.screen.snapshot  # type: ignore[attr-defined]
        self.show(scenes.again(taken, self.clock()))

    async def _measure(self) -> None:
        wanted = self._wanted
        await self._until(lambda: bool(self.screen.query(LogLines)))
        pane = self.screen.query_one(LogsPane)
        if wanted.pane_alone:
            pane.focus()
        for done in range(0, wanted.prefilled, 5000):
            pane.add(scenes.batch(self._lines(min(5000, wanted.prefilled - done))))
            await asyncio.sleep(0.02)
        lines = pane.query_one(LogLines)
        await self._until(lambda: not lines.busy)
        gc.collect()
        collect_calmly()
        beating = asyncio.create_task(self._beat())
        cpu, begun = time.process_time(), time.monotonic()
        step = 0.1
        if wanted.per_second < 10:
            step = 1.0
        due = begun
        while time.monotonic() - begun < wanted.seconds:
            # A poll that brings no line tells that there was none.
            lines_now = self._lines(int(wanted.per_second * step))
            pane.add(scenes.batch(lines_now, read_at=self.clock()))
            due += step
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        await self._until(lambda: not lines.busy)
        elapsed = time.monotonic() - begun
        beating.cancel()
        stalls = sorted(self._stalls)
        told = {
            "cpu_percent": 100 * (time.process_time() - cpu) / elapsed,
            "stall_p99_ms": 1000 * stalls[int(len(stalls) * 0.99)],
            "stall_max_ms": 1000 * stalls[-1],
            "handed_in": next(self._numbers),
            "taken": lines.ring.all[-1].sequence + 1,
            "kept": len(lines.ring),
            "rss_mb": _memory_mb(),
        }
        self.told = told
        self.exit()

    async def _until(self, come: Callable[[], bool]) -> None:
        while True:
            if come():
                return
            await asyncio.sleep(0.05)

    async def _beat(self) -> None:
        before = time.monotonic()
        while True:
            await asyncio.sleep(BEAT)
            now = time.monotonic()
            self._stalls.append(max(0.0, now - before - BEAT))
            before = now

    def _lines(self, number: int) -> list[LogLine]:
        at = to_milliseconds(self.clock())
        found = []
        for _ in range(number):
            n = next(self._numbers)
            stream = f"ecs/democluster-container/{n % 8:032x}"
            text = TEXT.format(n=n)
            found.append(LogLine(at, at + 900, f"{n:056d}", LOG_GROUP, stream, text))
        return found


def _memory_mb() -> float:
    """What the process has in memory now; its greatest where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 1e6


def command(wanted: Wanted) -> list[str]:
    """How this program is started."""
    return [sys.executable, "-m", "tests.bench.log_pane_program", json.dumps(asdict(wanted))]


if __name__ == "__main__":
    given: dict[str, Any] = json.loads(sys.argv[1])
    asked = Wanted(**given)
    share_arenas()
    program = Program(asked)
    program.run()
    Path(asked.report).write_text(json.dumps(program.told), "utf-8")
