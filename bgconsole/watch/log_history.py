"""A stretch of a log group read once, oldest first: the next page is fetched while one is used."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from queue import Full, Queue
from random import Random
from threading import Event, Thread
from typing import TYPE_CHECKING

from bgconsole.domain.errors import Throttled
from bgconsole.domain.logs import LogGroup, LogLine, LogPage
from bgconsole.watch.schedule import backoff

if TYPE_CHECKING:
    from bgconsole.gateway.port import Logs
    from bgconsole.watch.poller import Waiting

AHEAD = 2
"""Pages that are fetched before they are asked for: memory stays flat however much there is."""
TRIES = 12
"""Times in a row that one page is asked for while AWS throttles: some minutes."""
PATIENCE = 0.2
"""Seconds after which a reader that waits for room looks whether anybody still listens."""


class History:
    """Iterates over pages of lines; `close` it when it is left early.

    Our own budget does not hold it back: it asks for one page after the other, as any paginator
    does, and waits when AWS says so.
    """

    def __init__(
        self,
        logs: Logs,
        group: LogGroup,
        *,
        start: int,
        end: int | None,
        pattern: str = "",
        random: Random,
        on_throttled: Callable[[float], None] = lambda _: None,
        wait: Waiting = Event.wait,
    ) -> None:
        """`on_throttled` gets the seconds of each pause, on the reading thread."""
        self._logs = logs.elsewhere(group.region)
        self._group = group
        self._start = start
        self._end = end
        self._pattern = pattern
        self._random = random
        self._on_throttled = on_throttled
        self._wait = wait
        self._closed = Event()
        self._pages: Queue[tuple[LogLine, ...] | BaseException | None] = Queue(AHEAD)
        self._thread = Thread(target=self._fetch, name="log history", daemon=True)

    def __iter__(self) -> Iterator[tuple[LogLine, ...]]:
        """The pages that hold lines, in order.

        Raises:
            GatewayError: a page could not be read.
        """
        self._thread.start()
        try:
            while True:
                page = self._pages.get()
                if page is None:
                    return
                if isinstance(page, BaseException):
                    raise page
                yield page
        finally:
            self.close()

    def close(self) -> None:
        """Fetch no more."""
        self._closed.set()

    def _fetch(self) -> None:
        token = None
        try:
            while not self._closed.is_set():
                page = self._page(token)
                if page.lines:
                    self._put(page.lines)
                token = page.token
                if token is None:
                    break
            self._put(None)
        except Exception as error:  # noqa: BLE001 - raised again where the pages are used
            self._put(error)

    def _page(self, token: str | None) -> LogPage:
        attempt = 1
        while True:
            try:
                return self._logs.page(
                    self._group.name,
                    start=self._start,
                    end=self._end,
                    token=token,
                    pattern=self._pattern,
                    paced=False,
                )
            except Throttled:
                if attempt == TRIES:
                    raise
                pause = backoff(attempt, 1.0, self._random)
                self._on_throttled(pause)
                self._wait(self._closed, pause)
                attempt += 1

    def _put(self, page: tuple[LogLine, ...] | BaseException | None) -> None:
        while not self._closed.is_set():
            try:
                self._pages.put(page, timeout=PATIENCE)
            except Full:
                continue
            return


def merged(histories: Iterable[History]) -> Iterator[tuple[LogLine, ...]]:
    """The pages of one history, or the lines of several in one order, a hundred at a time."""
    every = tuple(histories)
    if len(every) == 1:
        yield from every[0]
        return
    lines = heapq.merge(
        *((line for page in history for line in page) for history in every),
        key=lambda line: line.order,
    )
    some: list[LogLine] = []
    for line in lines:
        some.append(line)
        if len(some) == 100:
            yield tuple(some)
            some = []
    if some:
        yield tuple(some)
