"""Visitors at a fixed rate, whatever the answers: how many came, what they saw, who got nothing."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import aiohttp

RATE = 50.0
"""Requests a second, unless a test asks for another."""
_PATIENCE = aiohttp.ClientTimeout(total=15)
_HEADING = re.compile(r"<h1>(.*?)</h1>")


@dataclass
class Visits:
    """What the visitors met so far."""

    seen: Counter[str] = field(default_factory=Counter)
    """Headings, by how often."""
    failures: list[str] = field(default_factory=list)
    """A word for each request without a good answer."""
    seconds: list[float] = field(default_factory=list)
    """How long each good answer took."""
    rate: float = RATE
    """Requests a second."""
    late: float = 0.0
    """The most seconds that a request was sent later than planned: a busy machine."""

    @property
    def count(self) -> int:
        """How many were answered, well or badly."""
        return len(self.seconds) + len(self.failures)

    def figure(self, what: str) -> str:
        """One line for a report."""
        ordered = sorted(self.seconds)
        p50, p99 = (1000 * ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
        return (
            f"{what}: {self.count} requests at {self.rate:g}/s, {len(self.failures)} failed, "
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, {dict(self.seen)}"
        )


@contextmanager
def visiting(url: str, rate: float = RATE) -> Iterator[Visits]:
    """Visit `url` while the block runs; at its end every request that was sent has its answer."""
    visits = Visits(rate=rate)
    ended = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_visit(url, visits, ended)))
    thread.start()
    try:
        yield visits
    finally:
        ended.set()
        thread.join()


async def _visit(url: str, visits: Visits, ended: threading.Event) -> None:
    # Half of them keep their connection, as browsers do; half come anew, as `curl` in a loop.
    keeping = aiohttp.TCPConnector(limit=0)
    anew = aiohttp.TCPConnector(limit=0, force_close=True)
    async with (
        aiohttp.ClientSession(connector=keeping, timeout=_PATIENCE) as browser,
        aiohttp.ClientSession(connector=anew, timeout=_PATIENCE) as curl,
        asyncio.TaskGroup() as group,
    ):
        begun = time.monotonic()
        number = 0
        while not ended.is_set():
            due = begun + number / visits.rate
            await asyncio.sleep(max(due - time.monotonic(), 0))
            visits.late = max(visits.late, time.monotonic() - due)
            group.create_task(_ask((browser, curl)[number % 2], url, visits))
            number += 1


async def _ask(session: aiohttp.ClientSession, url: str, visits: Visits) -> None:
    begun = time.monotonic()
    try:
        async with session.get(url) as answer:
            body = await answer.text()
    except (aiohttp.ClientError, TimeoutError) as error:
        visits.failures.append(f"{time.monotonic():.2f} {error!r}")
        return
    found = _HEADING.search(body)
    if answer.status != 200 or found is None:
        visits.failures.append(f"{time.monotonic():.2f} {answer.status} {body[:80]!r}")
        return
    visits.seen[found[1]] += 1
    visits.seconds.append(time.monotonic() - begun)
