"""Light traffic: a few visitors a second through the load balancer, so that logs move."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

import aiohttp

REQUESTS_PER_SECOND = 3.0

_PATHS = ("/posts",) * 8 + ("/version", "/", "/posts?page=2")
_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148",
    "curl/8.14.1",
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
)


class Traffic:
    """Sends requests to the port that `find_port` names, as long as it names one."""

    def __init__(self, find_port: Callable[[], int | None], rng: random.Random) -> None:
        self._find_port = find_port
        self._rng = rng
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; nothing is sent before a listener serves."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._visit())

    async def close(self) -> None:
        """End."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _visit(self) -> None:
        timeout = aiohttp.ClientTimeout(total=10)
        async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
            while True:
                await asyncio.sleep(self._rng.expovariate(REQUESTS_PER_SECOND))
                port = self._find_port()
                if port is not None:
                    await self._ask(session, port)

    async def _ask(self, session: aiohttp.ClientSession, port: int) -> None:
        network = self._rng.choice(("192.0.2", "198.51.100", "203.0.113"))  # documentation networks
        headers = {
            "User-Agent": self._rng.choice(_AGENTS),
            "X-Forwarded-For": f"{network}.{self._rng.randrange(1, 255)}",
        }
        url = f"http://127.0.0.1:{port}{self._rng.choice(_PATHS)}"
        try:
            async with session.get(url, headers=headers) as answer:
                await answer.read()
        except (aiohttp.ClientError, TimeoutError):
            return  # a visitor who met a failure goes away; the console has its own probe
